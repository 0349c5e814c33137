package executor

import (
	"context"
	"errors"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Cancel gives up an execution of the caller's session, or all of them when
// none is named.
func (x *Executor) Cancel(ctx context.Context, id string, c session.Caller) error {
	if c.Session == "" {
		return nil
	}
	s, _, err := x.Sessions.Load(ctx, eventstore.Stream("session", c.Session))
	if err != nil {
		return err
	}
	for _, one := range s.Flows {
		if id != "" && one != id {
			continue
		}
		if err := x.cancel(ctx, one, c, execution.Cancel{Cause: "user"}); err != nil {
			return err
		}
	}
	return nil
}

func (x *Executor) cancel(ctx context.Context, id string, c session.Caller, why execution.Cancel) error {
	state, revision, err := x.Executions.Load(ctx, streamOf(id))
	if err != nil {
		return err
	}
	return x.stop(ctx, &draft{id: id, revision: revision, state: state, visit: execution.Visit{Caller: c}}, why)
}

// Abandon ends an execution whose subject is about to be deleted, for it could
// write nothing more about them, or in which nobody has come further than to
// try their name. If it goes on at the same moment, it stays, as does one that
// is about somebody else by now.
func (x *Executor) Abandon(ctx context.Context, id, userID string) error {
	state, revision, err := x.Executions.Load(ctx, streamOf(id))
	if err != nil || state.Status != execution.Running || state.Subject.User != userID && state.Subject.User != "" {
		return err
	}
	err = x.stop(ctx, &draft{id: id, revision: revision, state: state}, execution.Cancel{Cause: "admin"})
	if _, lost := errors.AsType[*eventstore.WrongExpectedError](err); lost {
		return nil
	}
	return err
}

// stop ends an execution from outside. What its stages owe is paid before:
// the end takes debts out of the state.
func (x *Executor) stop(ctx context.Context, d *draft, c execution.Command) error {
	if d.state.Status == execution.Running && len(d.state.Owed) > 0 {
		if err := x.perform(ctx, d); err != nil {
			return err
		}
	}
	if err := d.decide(c); err != nil || len(d.events) == 0 {
		return err
	}
	if err := x.commit(ctx, d); err != nil {
		return err
	}
	return x.perform(ctx, d)
}

// Expire ends an execution whose time is over; the sweeper calls it. It is
// nothing to do where a late request was faster.
func (x *Executor) Expire(ctx context.Context, id string) error {
	state, revision, err := x.Executions.Load(ctx, streamOf(id))
	if err != nil {
		return err
	}
	return x.stop(ctx, &draft{id: id, revision: revision, state: state}, execution.Expire{Now: x.Now(), Idle: x.Idle})
}

// Settle pays what an execution owes whose client never came back; a worker
// calls it.
func (x *Executor) Settle(ctx context.Context, id string) error {
	state, revision, err := x.Executions.Load(ctx, streamOf(id))
	if err != nil {
		return err
	}
	if len(state.Owed) == 0 {
		return nil
	}
	return x.perform(ctx, &draft{id: id, revision: revision, state: state})
}

// Default chooses the flow of a designation (spec/flows.md 9): the brand's,
// else the first by slug whose policies let the caller pass.
func (x *Executor) Default(ctx context.Context, designation string, c session.Caller) (string, error) {
	if slug, err := x.branded(designation, c); slug != "" || err != nil {
		return slug, err
	}
	for _, t := range x.Definitions.Kind(object.FlowModel) {
		f, err := flowConfig(t)
		if err != nil {
			return "", err
		}
		if f.Designation != designation {
			continue
		}
		d := &draft{id: x.NewID(), flow: t, visit: execution.Visit{Slug: f.Slug, Caller: c}}
		r, err := x.request(ctx, d, nil)
		if err != nil {
			return "", err
		}
		q := question{target: execution.Target{Kind: "flow", Ref: t.Ref()}, phase: "flow", mode: f.Engine}
		e, err := x.evaluate(ctx, d, q, r)
		if err != nil {
			return "", err
		}
		if e.Passing {
			return f.Slug, nil
		}
	}
	return "", domain.Errorf(domain.NotFound, "There is no flow for this.")
}

// branded is the slug of the flow that the brand names for a designation.
func (x *Executor) branded(designation string, c session.Caller) (string, error) {
	b, err := x.brand(c)
	if err != nil {
		return "", err
	}
	id := map[string]*string{"authentication": b.Authentication, "invalidation": b.Invalidation}[designation]
	if id == nil {
		return "", nil
	}
	t, ok := x.Definitions.Thing(*id)
	if !ok {
		return "", nil
	}
	f, err := flowConfig(t)
	return f.Slug, err
}
