package siem

import (
	"context"
	"fmt"
	"sync"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// maxExecutions is how many executions a generation of them holds.
const maxExecutions = 2048

// loginKind is the kind of the stages that log users in.
const loginKind = "authentik_stages_user_login.userloginstage"

// A course is what the events of one execution say about each other.
type course struct {
	mu sync.Mutex
	// mu guards all of it.
	next              eventstore.Revision // the first that is not in here yet
	flow              domain.Ref
	slug, designation string
	session           string
	user              string // of the session, at the start
	subjects          []from[string]
	stages            []from[domain.Ref]
	planned           eventstore.Revision   // of the last PlanCreated
	logins            map[string]bool       // ids of bindings of stages that log users in
	denied            map[string]domain.Ref // the decisive policies, by evaluation
	ended             bool
}

// A from is what holds from a revision on.
type from[V any] struct {
	at    eventstore.Revision
	value V
}

// last is what held at a revision.
func last[V any](list []from[V], at eventstore.Revision) (v V) {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].at <= at {
			return list[i].value
		}
	}
	return v
}

// courseOf returns what is known of an execution, which may be nothing yet.
func (g *Gatherer) courseOf(id string) *course {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, ok := g.executions.get(id)
	if !ok {
		c = &course{planned: -1}
	}
	g.executions.put(id, c, maxExecutions)
	return c
}

// place finds the execution that an event belongs to, and where it stood.
func (g *Gatherer) place(ctx context.Context, r *Record) error {
	id, at := r.Header.Execution, eventstore.Revision(0)
	own := r.Stream.Category() == "execution"
	if own {
		id, at = r.Stream.ID(), r.Revision
	}
	if id == "" {
		return nil
	}
	c := g.courseOf(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if own && c.next == r.Revision {
		c.take(r.Decoded) // whoever follows the ledger reads no event twice
	}
	stream := eventstore.Stream("execution", id)
	if err := g.reach(ctx, c, stream, func() bool { return c.next > at }); err != nil {
		return err
	}
	r.Flow, r.Slug, r.Designation, r.Session = c.flow, c.slug, c.designation, c.session
	if !own {
		return nil
	}
	r.Stage = last(c.stages, at)
	if r.User.ID = last(c.subjects, at); r.User.ID == "" {
		r.User.ID = c.user
	}
	switch e := r.Event.(type) {
	case execution.LoginFailed:
		r.Stage = e.Stage
	case execution.ExecutionDenied:
		r.Policy = c.denied[e.Evaluation]
	case execution.PolicyDenied:
		r.Policy = decisive(e.Evaluation)
		if e.Target.Kind != "stage_binding" {
			break
		}
		// Which stage a plan goes without stands in the plan, behind the denial
		// and in the same append.
		planned := func() bool { return e.Phase != "plan" || c.planned > at || c.ended }
		if err := g.reach(ctx, c, stream, planned); err != nil {
			return err
		}
		r.Login = c.logins[e.Target.Ref.ID]
	}
	return nil
}

// reach reads the stream of an execution on until there is enough, or to its
// end.
func (g *Gatherer) reach(ctx context.Context, c *course, stream eventstore.StreamID, enough func() bool) error {
	if enough() {
		return nil
	}
	for e, err := range g.Store.ReadStream(ctx, stream, c.next) {
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		d, err := g.Codec.DecodeClear(e)
		if err != nil {
			return err
		}
		if c.take(d); enough() {
			break
		}
	}
	return nil
}

// take adds the next event.
func (c *course) take(d codec.Decoded) {
	c.next = d.Revision + 1
	switch e := d.Event.(type) {
	case execution.ExecutionStarted:
		c.flow, c.slug, c.designation, c.session, c.user = e.Flow, e.Slug, e.Designation, e.Session, e.User
	case execution.SubjectIdentified:
		c.subjects = append(c.subjects, from[string]{d.Revision, e.User})
	case execution.StageEntered:
		ref := e.Stage
		if ref.Kind == "" {
			ref.Kind = e.Kind
		}
		c.stages = append(c.stages, from[domain.Ref]{d.Revision, ref})
	case execution.PlanCreated:
		c.planned = d.Revision
		c.enter(e.Entries)
		for _, left := range e.LeftOut {
			c.note(left.Binding, left.Stage)
		}
	case execution.ExecutionResumed:
		c.enter(e.Entries)
	case execution.StageInserted:
		c.enter(e.Entries)
	case execution.PolicyDenied:
		if c.denied == nil {
			c.denied = map[string]domain.Ref{}
		}
		c.denied[d.ID.String()] = decisive(e.Evaluation)
	case execution.ExecutionCompleted, execution.ExecutionDenied, execution.ExecutionCancelled, execution.ExecutionExpired,
		execution.ExecutionFailed:
		c.ended = true
	}
}

func (c *course) enter(entries []execution.Entry) {
	for _, entry := range entries {
		c.note(entry.Binding, entry.Stage)
	}
}

// note remembers a binding whose stage logs users in.
func (c *course) note(binding, stage domain.Ref) {
	if stage.Kind != loginKind {
		return
	}
	if c.logins == nil {
		c.logins = map[string]bool{}
	}
	c.logins[binding.ID] = true
}

// decisive is the first policy that made a target fail. A binding to a user or
// a group has none.
func decisive(e execution.Evaluation) domain.Ref {
	for _, i := range e.Decisive {
		if i >= 0 && i < len(e.Results) && e.Results[i].Policy != nil {
			return *e.Results[i].Policy
		}
	}
	return domain.Ref{}
}
