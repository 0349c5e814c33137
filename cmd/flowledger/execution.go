package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/url"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
)

func executionCommand() *subcommand {
	return &subcommand{
		name: "execution", usage: "ID", about: "tells the story of one execution, or its plan and context as of a revision",
		example: "flowledger execution --at 9 0199e2a4-5c7e-7c4b-8a55-1d6f4c0a9b31",
		run: func(ctx context.Context, c *call) error {
			var t target
			fs := t.flags(c)
			at := fs.Int64("at", -1, "print plan and context as of this `revision`")
			args, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(args) != 1 {
				return usagef("execution wants the id of one execution")
			}
			if t.server != "" {
				return t.remote().execution(ctx, c.stdout, args[0], *at)
			}
			if err := t.storage.exists(); err != nil {
				return err
			}
			return with(ctx, t.storage, discard(), func(ctx context.Context, a *app) error {
				if *at >= 0 {
					return a.State(ctx, c.stdout, args[0], eventstore.Revision(*at))
				}
				return a.Story(ctx, c.stdout, args[0])
			})
		},
	}
}

func noExecution(id string) error {
	return domain.Errorf(domain.NotFound, "There is no execution %q.", id)
}

// execution prints what a server tells of an execution.
func (r *remote) execution(ctx context.Context, out io.Writer, id string, at int64) error {
	path := "/api/v3/flows/executions/" + url.PathEscape(id)
	if at >= 0 {
		return r.copy(ctx, fmt.Sprintf("%s/state/?revision=%d", path, at), out)
	}
	return r.copy(ctx, path+"/story/", out)
}

// Story prints what happened, a sentence an event.
func (a *app) Story(ctx context.Context, out io.Writer, id string) error {
	var start time.Time
	var state execution.State
	t := teller{ctx: ctx, app: a}
	for e, err := range a.store.ReadStream(ctx, eventstore.Stream("execution", id), 0) {
		if err != nil {
			return err
		}
		decoded, err := a.codec.Decode(ctx, e)
		if err != nil {
			return err
		}
		if start.IsZero() {
			start = e.RecordedAt
			fmt.Fprintf(out, "Execution %s, begun %s\n\n", id, start.Format("2006-01-02 15:04:05 MST"))
		}
		event, ok := decoded.Event.(execution.Event)
		if !ok {
			return fmt.Errorf("revision %d is a %s, which is no event of an execution", e.Revision, e.Type)
		}
		sentence, details := t.tell(withID(event, e.ID.String()), state)
		if _, err := fmt.Fprintf(out, "%3d  %+8.3f s  %-20s %s\n", e.Revision, e.RecordedAt.Sub(start).Seconds(), e.Type, sentence); err != nil {
			return err
		}
		for _, d := range details {
			fmt.Fprintf(out, "%39s%s\n", "", d)
		}
		state = event.Evolve(state)
	}
	if start.IsZero() {
		return noExecution(id)
	}
	return nil
}

// withID puts the id of an evaluation back, which is the event's own.
func withID(event execution.Event, id string) execution.Event {
	switch e := event.(type) {
	case execution.PolicyEvaluated:
		e.ID = id
		return e
	case execution.PolicyDenied:
		e.ID = id
		return e
	}
	return event
}

// A snapshot is the state of an execution as people look at it: secrets are
// masked.
type snapshot struct {
	Revision eventstore.Revision `json:"revision"`
	Status   execution.Status    `json:"status"`
	Flow     domain.Ref          `json:"flow"`
	User     string              `json:"user,omitempty"`
	Current  string              `json:"current_stage,omitempty"`
	Asked    string              `json:"challenge,omitempty"`
	Plan     []execution.Entry   `json:"plan"`
	Changed  []outdated          `json:"changed_since"` // what it goes by although it is another by now
	Context  execution.Context   `json:"context"`
	Restarts int                 `json:"restarts"`
	Factors  []execution.Factor  `json:"factors,omitempty"`
}

// State prints plan and context as of a revision.
func (a *app) State(ctx context.Context, out io.Writer, id string, at eventstore.Revision) error {
	s, revision, err := a.executionHandler.LoadAt(ctx, eventstore.Stream("execution", id), at)
	if err != nil {
		return err
	}
	if revision < 0 {
		return noExecution(id)
	}
	if at > revision && at != math.MaxInt64 {
		return domain.Errorf(domain.Invalid, "The execution ends at revision %d.", revision)
	}
	view := snapshot{
		Revision: revision, Status: s.Status, Flow: s.Flow, User: s.Subject.User, Plan: s.Plan, Context: s.Context,
		Restarts: s.Restarts, Factors: s.Factors,
	}
	if view.Changed, err = a.outdated(ctx, s); err != nil {
		return err
	}
	if view.Plan == nil {
		view.Plan = []execution.Entry{}
	}
	if head, ok := s.Head(); ok && s.Current != nil {
		view.Current, view.Asked = head.Stage.Name, s.Current.Component
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(view)
}
