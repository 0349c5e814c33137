package executor

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
)

// begin starts an execution of a flow and makes it the session's current one
// of that flow.
func (x *Executor) begin(ctx context.Context, v execution.Visit, flow object.Thing) (*draft, error) {
	start, err := x.start(ctx, v, flow)
	if err != nil {
		return nil, err
	}
	return x.launch(ctx, x.NewID(), v, flow, start)
}

// launch writes the start of an execution with all that follows up to the
// first wait, and attaches it to the session. A crash between the two leaves
// an execution that no session leads to: it expires.
func (x *Executor) launch(ctx context.Context, id string, v execution.Visit, flow object.Thing, start execution.Start) (*draft, error) {
	d := &draft{id: id, revision: -1, visit: v, flow: flow}
	if err := d.decide(start); err != nil {
		return nil, err
	}
	if err := x.advance(ctx, d); err != nil {
		if _, err := x.failed(ctx, d, err); err != nil {
			return nil, err
		}
	}
	if d.ended {
		return d, nil // the first thing it did was to end the session
	}
	if err := x.attach(ctx, d); err != nil {
		return nil, err
	}
	return d, nil
}

// start gathers what an execution starts with.
func (x *Executor) start(ctx context.Context, v execution.Visit, flow object.Thing) (execution.Start, error) {
	config, err := flowConfig(flow)
	if err != nil {
		return execution.Start{}, err
	}
	s := execution.Start{
		Flow: flow.Ref(), Slug: config.Slug, Designation: config.Designation, Authentication: config.Authentication,
		DeniedAction: config.DeniedAction, Entry: v.Entry, Session: v.Caller.Session, User: v.Caller.User,
		Query: kept(v), Next: next(v), Context: execution.Context{}, Now: x.Now(), Idle: x.Idle,
	}
	if key := v.Query.Get(linkParam); key != "" {
		if err := x.link(ctx, &s, key, flow.ID, v.Caller); err != nil {
			return s, err
		}
	}
	if v.Entry == "configure" || v.Entry == "execute" {
		s.Subject = &execution.SubjectIdentified{User: v.Caller.User, By: "configure", Shown: true}
	}
	return s, nil
}

// secretParams are never kept of a query: they are keys.
var secretParams = map[string]bool{linkParam: true, "execution": true}

// maxQuery bounds what an execution remembers of a query.
const maxQuery = 8 << 10

// kept is the page's query as the execution remembers it: the last value of
// each name. Of too long a query the names that sort first are kept, so that
// the same query gives the same each time.
func kept(v execution.Visit) map[string]string {
	out := map[string]string{}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(v.Query)) {
		values := v.Query[name]
		if secretParams[name] || len(values) == 0 {
			continue
		}
		size += len(name) + len(values[len(values)-1])
		if size <= maxQuery {
			out[name] = values[len(values)-1]
		}
	}
	return out
}

// next is where the client wants to go afterwards: the page's query says, else
// the request's own.
func next(v execution.Visit) string {
	n := v.Query.Get("next")
	if n == "" {
		n = v.Outer.Get("next")
	}
	if len(n) > maxQuery {
		return ""
	}
	return n
}

// Open begins an execution of a flow for the caller, to whom a page of it will
// be shown: the configuration of a stage. The query is that of the page.
func (x *Executor) Open(ctx context.Context, slug, entry string, query url.Values, c session.Caller) error {
	flow, err := x.newest(ctx, slug)
	if err != nil {
		return err
	}
	d, err := x.begin(ctx, execution.Visit{Slug: slug, Entry: entry, Query: query, Caller: c}, flow)
	if err != nil {
		return err
	}
	if d.state.Status == execution.Denied {
		return domain.Errorf(domain.NotFound, "The flow does not apply.")
	}
	return nil
}

// handover begins an execution of another flow from a stage of this one, and
// returns the message of its denial, if it was denied.
func (x *Executor) handover(ctx context.Context, d *draft, h *execution.Handover) (denied string, err error) {
	flow, ok := x.Definitions.Thing(h.Flow)
	if !ok {
		return "No target found for Redirect stage. The stage's target_flow may have been deleted.", nil
	}
	v := d.visit
	v.Entry, v.Response, v.Execution, v.Fresh = "redirect_stage", nil, "", true
	start, err := x.start(ctx, v, flow)
	if err != nil {
		return "", err
	}
	start.Next, start.Query = d.state.Next, d.state.Query
	maps.Copy(start.Context, h.Context)
	if d.state.Subject.User != "" && len(h.Context) > 1 {
		start.Subject = &execution.SubjectIdentified{
			User: d.state.Subject.User, By: "redirect", Backend: d.state.Subject.Backend, Shown: true,
		}
	}
	e, err := x.launch(ctx, handed(d, d.state.Sequence), v, flow, start)
	if err != nil {
		return "", err
	}
	if e.state.Status == execution.Denied {
		return e.state.Outcome.Message, nil
	}
	return "", nil
}

// handed is the id of the execution that a stage hands over to, which asked
// after this many challenges.
func handed(d *draft, sequence int) string {
	head, _ := d.state.Head()
	return derived(d.id, head.Binding.ID, fmt.Sprint(sequence, d.state.Restarts)).String()
}

// point names the execution in a redirect that hands over to it, if that one is
// over already, having had nothing to ask. Its page would begin another one,
// which knows nothing of what was handed over.
func (x *Executor) point(ctx context.Context, d *draft) error {
	to, ok := d.challenge.(stage.RedirectChallenge)
	if !ok {
		return nil
	}
	id := handed(d, d.state.Current.Sequence-1)
	s, _, err := x.Executions.Load(ctx, streamOf(id))
	if err != nil || s.Status != execution.Completed {
		return err
	}
	u, err := url.Parse(to.To)
	if err != nil {
		return fmt.Errorf("read %q: %w", to.To, err)
	}
	query := u.Query()
	query.Set("execution", id)
	u.RawQuery = query.Encode()
	d.challenge = stage.RedirectChallenge{To: u.String()}
	return nil
}

// flowConfig reads a flow's configuration.
func flowConfig(t object.Thing) (stage.Flow, error) {
	config, err := load[*object.Flow](t)
	if err != nil {
		return stage.Flow{}, err
	}
	return stage.Flow{ID: t.ID, Flow: *config}, nil
}
