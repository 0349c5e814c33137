package executor

import (
	"context"
	"encoding/binary"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// A Matter is what policies are asked about outside of any execution: whether
// a notification rule concerns an event.
type Matter struct {
	ID      string       // what the ids of the evaluation follow from
	Target  object.Thing // what the policies are bound to
	Who     user.Person
	Network session.Network
	Context execution.Context
}

// Judge asks the policies of a target; one that passes is enough. Without any,
// the answer is no. Nobody waits for what policies ask for here, and nothing
// of it is done: a mail or an event of theirs would be a matter in turn.
func (x *Executor) Judge(ctx context.Context, m Matter) (execution.Evaluation, error) {
	bound, err := x.bound(ctx, x.Definitions.PolicyBindings(m.Target.ID), nil)
	if err != nil {
		return execution.Evaluation{}, err
	}
	id := derived(m.ID, m.Target.ID)
	e := policy.Evaluate(ctx, policy.Question{
		ID: id.String(), Target: execution.Target{Kind: "notification_rule", Ref: m.Target.Ref()}, Phase: "notify", Mode: "any",
		Bound: bound, Effect: func(int) string { return "" },
	}, policy.Request{
		User: m.Who, Target: m.Target.Ref(), Context: m.Context, Extra: located(m.Network), Seed: binary.BigEndian.Uint64(id[:8]),
		Clock: x.Now, Env: x.Policies,
	})
	e.Passing = e.Passing && len(e.Results) > 0
	return e, ctx.Err()
}
