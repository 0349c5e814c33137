package executor

import (
	"context"
	"maps"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// A Trial asks one policy about a user, with a context that somebody made up
// (spec/flows.md 8.14). No binding stands in between.
type Trial struct {
	Policy  string // its id
	User    string // id of the user
	Context map[string]any
	// Expire lets a password expiry policy do its work: the contract's test of
	// such a policy takes an expired password away. Whatever else policies ask
	// for is told, and not done.
	Expire bool
}

// A Tried is what came of a trial.
type Tried struct {
	execution.Evaluation
	Watched policy.Watch
}

// Try asks a policy on trial. That it was tried is all that is recorded.
func (x *Executor) Try(ctx context.Context, trial Trial, c session.Caller) (Tried, error) {
	ref, p, err := x.policy(ctx, trial.Policy, nil)
	if err != nil {
		return Tried{}, err
	}
	if p == nil {
		return Tried{}, domain.Errorf(domain.NotFound, "No Policy matches the given query.")
	}
	r, err := x.trialRequest(ctx, trial, c)
	if err != nil {
		return Tried{}, err
	}
	d := &draft{id: x.NewID()}
	e, err := x.evaluate(ctx, d, question{
		target: execution.Target{Kind: "trial", Ref: ref}, phase: "trial", mode: "all",
		bound: []policy.Bound{{Binding: object.PolicyBinding{Enabled: true, Timeout: 30}, Policy: ref, Judge: p}},
	}, r)
	if err != nil {
		return Tried{}, err
	}
	if err := x.tested(ctx, d, trial, ref, e.Passing, c); err != nil {
		return Tried{}, err
	}
	if trial.Expire {
		err = x.expired(ctx, d, e.Effects, c)
	}
	return Tried{e, *r.Watch}, err
}

// trialRequest is what a policy is asked with on trial: the request of whoever
// tries, and the context that they made up in place of any other.
func (x *Executor) trialRequest(ctx context.Context, trial Trial, c session.Caller) (policy.Request, error) {
	who, err := x.People.Person(ctx, trial.User)
	if err != nil {
		return policy.Request{}, err
	}
	visitor, err := x.visitor(ctx, c)
	if err != nil {
		return policy.Request{}, err
	}
	brand, err := x.brand(c)
	if err != nil {
		return policy.Request{}, err
	}
	return policy.Request{
		User: who, Context: execution.Made(trial.Context), Clock: x.Now, Env: x.Policies, Watch: &policy.Watch{},
		HTTP: &policy.HTTP{Method: c.Method, Path: c.Path, Caller: c, User: visitor, Brand: *brand},
	}, nil
}

// tested records that a policy was tried, and with what; secrets are left out.
// The stream is new each time: nobody may hide a look behind an older one.
func (x *Executor) tested(ctx context.Context, d *draft, trial Trial, ref domain.Ref, passing bool, c session.Caller) error {
	given := execution.Learn(trial.Context)
	context := given.Hidden
	maps.Copy(context, given.Set)
	meta := x.meta(d.id, execution.State{}, c)
	meta.Subject, meta.Header.Execution, meta.Header.Correlation = "user:"+trial.User, "", c.Request
	_, err := x.Audit.Handle(ctx, eventstore.Stream("audit", d.id), audit.Write{Event: audit.AuditPolicyTested{
		Policy: ref, User: trial.User, Passing: passing, By: c.User, Context: context,
	}}, meta)
	return err
}

// expired takes the passwords away that a policy found too old.
func (x *Executor) expired(ctx context.Context, d *draft, effects []execution.Effect, c session.Caller) error {
	for _, e := range effects {
		if e.RemovePassword == nil {
			continue
		}
		meta := x.meta(d.id, execution.State{}, c)
		meta.Command, meta.Header.Execution, meta.Header.Correlation = derived(d.id, e.ID), "", c.Request
		if err := x.effect(ctx, d, e, meta); err != nil {
			return err
		}
	}
	return nil
}
