package executor

import (
	"cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
)

// leaves tells whether an execution is an application's invalidation: it is
// known at the time of planning which one is left, or a policy says so then.
func leaves(s execution.State, written *policy.Plan) bool {
	app := s.Context[execution.KeyApplication]
	for _, w := range written.Writes {
		if w.Key == execution.KeyApplication {
			app = w.Value // none when it is removed
		}
	}
	return s.Designation == "invalidation" && app != nil
}

// sessionEnd is the entry that tells whoever left an application where they
// are.
func sessionEnd(d *draft) execution.Entry {
	return execution.Entry{
		Binding: domain.Ref{ID: derived(d.id, "session end").String()}, Stage: domain.Ref{Kind: stage.SessionEndKind, Name: "Session end"},
		Marker: execution.Static, OnInvalid: "retry", InMemory: true,
	}
}

// ending makes the stage behind that entry.
func (x *Executor) ending(c session.Caller) (stage.Stage, error) {
	b, err := x.brand(c)
	if err != nil {
		return nil, err
	}
	slug, err := x.branded("invalidation", c)
	return stage.SessionEnd{Brand: cmp.Or(b.Title, "flowledger"), Invalidation: slug}, err
}
