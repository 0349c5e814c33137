package executor

import (
	"context"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
)

// Try asks one policy about a user, with a context that somebody made up
// (spec/flows.md 8.14). No binding stands in between, and nothing is recorded.
func (x *Executor) Try(
	ctx context.Context, policyID, userID string, made map[string]any, c session.Caller,
) (execution.Evaluation, error) {
	ref, p, err := x.policy(policyID)
	if err != nil {
		return execution.Evaluation{}, err
	}
	if p == nil {
		return execution.Evaluation{}, domain.Errorf(domain.NotFound, "No Policy matches the given query.")
	}
	who, err := x.People.Person(ctx, userID)
	if err != nil {
		return execution.Evaluation{}, err
	}
	visitor, err := x.visitor(ctx, c)
	if err != nil {
		return execution.Evaluation{}, err
	}
	d := &draft{id: x.NewID()}
	r := policy.Request{
		User: who, Context: made, Clock: x.Now, Env: x.Policies,
		HTTP: &policy.HTTP{Method: c.Method, Path: c.Path, Caller: c, User: visitor},
	}
	bound := []policy.Bound{{Binding: object.PolicyBinding{Enabled: true, Timeout: 30}, Policy: ref, Judge: p}}
	return x.evaluate(ctx, d, question{target: execution.Target{Kind: "trial", Ref: ref}, phase: "trial", mode: "all", bound: bound}, r)
}
