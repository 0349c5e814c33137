package executor

import (
	"cmp"
	"context"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
)

// What visitors are told whom a flow is not for.
const (
	notApplicable = "Flow does not apply to current user."
)

// plan makes the plan of an execution, or refuses: by the flow's requirement,
// by its policies (spec/flows.md 4.4). Restarts take the newest definitions.
func (x *Executor) plan(ctx context.Context, d *draft) error {
	newest, ok := x.Definitions.Thing(d.state.Flow.ID)
	if !ok { // whoever is in it goes on, but nobody begins it anew
		return d.decide(execution.Refuse{Cause: "flow_removed", Action: "message", Message: notApplicable})
	}
	d.flow = newest
	config, err := flowConfig(d.flow)
	if err != nil {
		return err
	}
	visitor, err := x.visitor(ctx, d.visit.Caller)
	if err != nil {
		return err
	}
	if need := unmet(d.state, config, visitor); need != "" {
		return x.refuse(d, config, visitor, execution.Refuse{
			Cause: "authentication_requirement", Need: need, Message: requirementText(need),
		})
	}
	r, err := x.request(ctx, d, nil)
	if err != nil {
		return err
	}
	target := execution.Target{Kind: "flow", Ref: d.flow.Ref()}
	e, err := x.evaluate(ctx, d, question{target: target, phase: phase(d.state), mode: config.Engine}, r)
	if err != nil {
		return err
	}
	if !e.Passing {
		return x.refuse(d, config, visitor, execution.Refuse{
			Cause: "flow_policy", Message: cmp.Or(strings.Join(e.Messages, "\n"), notApplicable),
			Evidence: []execution.Evaluation{e}, Evaluation: e.ID,
		})
	}
	return x.entries(ctx, d, execution.MakePlan{Flow: d.flow.Ref(), Evidence: []execution.Evaluation{e}})
}

func phase(s execution.State) string {
	if s.Restarts > 0 {
		return "restart"
	}
	return "flow"
}

// entries lists the stages, leaving out those whose policies are asked now and
// do not pass. All that will be needed for the others is pinned: what happens
// to the flow meanwhile is for executions to come.
func (x *Executor) entries(ctx context.Context, d *draft, m execution.MakePlan) error {
	written := &policy.Plan{Flow: d.flow.Ref()}
	m.Pins = execution.Pins{}
	link, asks, err := x.confirms(ctx, d.state)
	if err != nil {
		return err
	}
	if asks {
		m.Entries = append(m.Entries, confirmation(link))
	}
	for _, t := range x.Definitions.StageBindings(d.flow.ID) {
		b, err := load[*object.StageBinding](t)
		if err != nil {
			return err
		}
		s, ok := x.Definitions.Thing(b.Stage)
		if !ok {
			continue // its stage was removed a moment ago, and the binding goes with it
		}
		entry := execution.Entry{
			Binding: place(t), Stage: s.Ref(), Order: b.Order, Marker: execution.Static,
			EvaluateOnPlan: b.EvaluateOnPlan, ReEvaluate: b.ReEvaluate, OnInvalid: b.OnInvalid,
		}
		if b.EvaluateOnPlan {
			e, err := x.asked(ctx, d, t, b.Engine, "plan", written, nil)
			if err != nil {
				return err
			}
			m.Evidence = append(m.Evidence, e)
			if !e.Passing {
				m.LeftOut = append(m.LeftOut, execution.LeftOut{Binding: place(t), Stage: s.Ref(), Evaluation: e.ID})
				continue
			}
		}
		x.pin(m.Pins, s)
		if b.ReEvaluate {
			entry.Policies = x.pinPolicies(m.Pins, t.ID)
		}
		if len(entry.Policies) > 0 {
			entry.Marker = execution.Reevaluate
		}
		m.Entries = append(m.Entries, entry)
	}
	if leaves(d.state, written) {
		m.Entries = append(m.Entries, sessionEnd(d))
	}
	if err := d.decide(m); err != nil {
		return err
	}
	x.write(d, written, "policy")
	if len(m.Entries) == 0 && len(d.state.Plan) == 0 {
		c := x.completion(d)
		if done, ok := c.(execution.Complete); ok {
			done.Early = "empty_flow"
			c = done
		}
		return d.decide(c)
	}
	return nil
}

// place refers to a stage binding. What kind of thing it is goes without
// saying: events name bindings often.
func place(t object.Thing) domain.Ref { return domain.Ref{ID: t.ID, Revision: t.Revision} }

// asked evaluates the policies of a stage binding.
func (x *Executor) asked(
	ctx context.Context, d *draft, binding object.Thing, mode, phase string, written *policy.Plan, bound []policy.Bound,
) (execution.Evaluation, error) {
	r, err := x.request(ctx, d, written)
	if err != nil {
		return execution.Evaluation{}, err
	}
	target := execution.Target{Kind: "stage_binding", Ref: binding.Ref()}
	return x.evaluate(ctx, d, question{target: target, phase: phase, mode: mode, keep: true, bound: bound}, r)
}

// ask evaluates the policies of the head when it comes up (spec/product.md 3,
// row 3): those that were there when the plan was made.
func (x *Executor) ask(ctx context.Context, d *draft, head execution.Entry) error {
	written := &policy.Plan{Flow: d.flow.Ref()}
	binding, err := x.asOf(ctx, head.Binding.ID, head.Binding.Revision)
	if err != nil {
		return err
	}
	b, err := load[*object.StageBinding](binding)
	if err != nil {
		return err
	}
	bound, err := x.pinnedPolicies(ctx, d, head)
	if err != nil {
		return err
	}
	e, err := x.asked(ctx, d, binding, b.Engine, "enter", written, bound)
	if err != nil {
		return err
	}
	return d.decide(execution.Judge{Evaluation: e, Wrote: x.wrote(d, written, "policy")})
}

// unmet names the requirement of a flow that a visitor does not meet
// (spec/flows.md 4.3), or nothing.
func unmet(s execution.State, f stage.Flow, visitor user.Person) string {
	need := f.Authentication
	if s.Authentication == "require_token" {
		need = "require_token"
	}
	ok := true
	switch need {
	case "require_authenticated":
		ok = visitor.Exists()
	case "require_unauthenticated":
		ok = !visitor.Exists()
	case "require_superuser":
		ok = visitor.Superuser
	case "require_redirect":
		ok = s.Context[execution.KeyIsRedirected] != nil
	case "require_token":
		ok = s.Context[execution.KeyIsRestored] != nil
	case "require_outpost":
		ok = false // no outpost can prove itself to this server
	}
	if ok {
		return ""
	}
	return need
}

func requirementText(need string) string {
	if need == "require_token" {
		return stage.LinkExpired
	}
	return notApplicable
}

// refuse ends an execution that does not apply (spec/flows.md 5.6). Somebody
// who is logged in already and enters a login has what a login gives, unless
// it is the flow that they want to see.
func (x *Executor) refuse(d *draft, f stage.Flow, visitor user.Person, r execution.Refuse) error {
	if f.Designation == "authentication" && visitor.Exists() && d.state.Entry != "execute" {
		c := x.completion(d)
		if done, ok := c.(execution.Complete); ok {
			done.Early = "already_authenticated"
			c = done
		}
		for _, e := range r.Evidence {
			d.add(execution.PolicyDenied{Evaluation: e})
		}
		return d.decide(c)
	}
	r.Action = f.DeniedAction
	if r.Need == "require_token" && d.visit.Query.Get(linkParam) != "" {
		r.Action = "message" // whoever opens a dead link is told, wherever they want to go
	}
	if r.Action != "message" && stage.Local(d.state.Next) {
		r.To = d.state.Next
	} else if r.Action == "continue" {
		r.To = "/"
	}
	return d.decide(r)
}

// add takes in events that need no decision: evidence.
func (d *draft) add(events ...execution.Event) {
	d.events = append(d.events, events...)
	d.state = domain.Fold(d.state, events...)
}

// completion decides where an execution leads that has nothing left to do
// (spec/flows.md 5.7).
func (x *Executor) completion(d *draft) execution.Command {
	if to := d.state.Context.Text(execution.KeyRedirect); to != "" {
		return execution.Complete{Redirect: "context", To: to, Now: x.Now(), Idle: x.Idle}
	}
	switch next := d.state.Next; {
	case next == "":
		return execution.Complete{Redirect: "default", To: "/", Now: x.Now(), Idle: x.Idle}
	case stage.Local(next):
		return execution.Complete{Redirect: "next", To: next, Now: x.Now(), Idle: x.Idle}
	}
	return execution.Refuse{Cause: "invalid_next", Action: "message", Message: "Invalid next URL"}
}

// load reads a thing's configuration.
func load[T any](t object.Thing) (T, error) {
	var zero T
	k, ok := kindOf(t)
	if !ok {
		return zero, &stageFault{class: "configuration", err: domain.Errorf(domain.Invalid, "There is no kind %q.", t.Kind)}
	}
	config, err := k.Load(t.Fields)
	if err != nil {
		return zero, &stageFault{class: "configuration", err: err}
	}
	c, ok := config.(T)
	if !ok {
		return zero, &stageFault{class: "configuration", err: domain.Errorf(domain.Invalid, "%s is not what it should be.", t.Kind)}
	}
	return c, nil
}
