package executor

import (
	"context"
	"maps"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/eventstore"
)

// Invitation implements [stage.Records].
func (e *env) Invitation(ctx context.Context, id string) (invitation.State, error) {
	s, holder, err := e.x.invitation(ctx, id)
	if holder != "" {
		s = s.Without()
	}
	return s, wrap(err)
}

// invitation loads an invitation. If it was used up by an execution that never
// came to be, because its first append failed, that one's id comes with it.
func (x *Executor) invitation(ctx context.Context, id string) (s invitation.State, lapsed string, err error) {
	s, _, err = x.Invitations.Load(ctx, eventstore.Stream("invitation", id))
	if err != nil || !s.Abandoned(x.Now()) {
		return s, "", err
	}
	_, revision, err := x.Executions.Load(ctx, streamOf(s.UsedBy))
	if err != nil || revision >= 0 {
		return s, "", err
	}
	return s, s.UsedBy, nil
}

// admit takes the invitation that a passed stage rests on, before the
// decision: of two visitors with one link the second must hear it. It is taken
// when something is to be written and not before, so that who gives up half-way
// can come again.
func (x *Executor) admit(ctx context.Context, d *draft, o execution.Pass) (execution.Outcome, error) {
	if len(o.Effects) == 0 || !pending(d.state.Context) {
		return o, nil
	}
	ok, err := x.take(ctx, d)
	if err != nil {
		return nil, err
	}
	if !ok {
		return execution.Deny{Message: stage.Uninvited}, nil
	}
	learned := execution.Context{}
	maps.Copy(learned, o.Learned)
	learned[execution.KeyInvitationUsed] = true
	o.Learned = learned
	return o, nil
}

// pending tells whether an invitation is in effect that was not taken yet.
func pending(c execution.Context) bool {
	used, _ := c[execution.KeyInvitationUsed].(bool)
	return c[execution.KeyInvited] == true && !used
}

// take uses the invitation for this execution. The answer is false when
// somebody else was faster, or when its time is over. A crash after it leaves
// the invitation with this execution, which takes it again.
func (x *Executor) take(ctx context.Context, d *draft) (bool, error) {
	id, _ := d.state.Context.Map(execution.KeyInvitation)["pk"].(string)
	_, lapsed, err := x.invitation(ctx, id)
	if err != nil {
		return false, err
	}
	meta := x.meta(d.id, d.state, d.visit.Caller)
	_, err = x.Invitations.Handle(ctx, eventstore.Stream("invitation", id), invitation.Use{
		Execution: d.id, Flow: d.state.Flow.ID, User: d.state.Subject.User, From: lapsed, Now: x.Now(),
	}, meta)
	switch code, _ := domain.Explain(err); {
	case err == nil:
		return true, nil
	case code == domain.Expired || code == domain.NotFound:
		return false, nil
	}
	return false, err
}

// complete ends an execution that has nothing left to do. One that wrote
// nothing takes its invitation here.
func (x *Executor) complete(ctx context.Context, d *draft) error {
	if pending(d.state.Context) {
		ok, err := x.take(ctx, d)
		if err != nil {
			return err
		}
		if !ok {
			return d.decide(execution.Refuse{Cause: "stage_invalid", Action: "message", Message: stage.Uninvited})
		}
	}
	return d.decide(x.completion(d))
}
