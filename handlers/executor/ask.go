package executor

import (
	"context"
	"encoding/binary"
	"net/url"
	"strconv"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// A question is what is asked of the policies of a target.
type question struct {
	target execution.Target
	phase  string
	mode   string
	keep   bool // an error does not remove the target
	bound  []policy.Bound
}

// recorded is the target as evidence names it. What kind of thing a flow or a
// binding is goes without saying.
func (q question) recorded() execution.Target {
	target := q.target
	if target.Kind == "flow" || target.Kind == "stage_binding" {
		target.Ref.Kind = ""
	}
	return target
}

// evaluate asks the policies of a target.
func (x *Executor) evaluate(ctx context.Context, d *draft, q question, r policy.Request) (execution.Evaluation, error) {
	bound := q.bound
	if bound == nil {
		var err error
		if bound, err = x.bound(ctx, x.Definitions.PolicyBindings(q.target.Ref.ID), nil); err != nil {
			return execution.Evaluation{}, err
		}
	}
	if len(bound) > 0 {
		if err := x.remember(ctx, d); err != nil {
			return execution.Evaluation{}, err
		}
	}
	id := derived(d.id, q.target.Ref.ID, q.phase, x.NewID())
	r.Target, r.Seed = q.target.Ref, binary.BigEndian.Uint64(id[:8])
	if t, ok := x.Definitions.Thing(q.target.Ref.ID); ok && t.Kind == object.FlowModel {
		r.Object = t.Fields
	}
	e := policy.Evaluate(ctx, policy.Question{
		ID: id.String(), Target: q.recorded(), Phase: q.phase, Mode: q.mode, Bound: bound, KeepOnError: q.keep,
		Effect: func(n int) string { return derived(id.String(), "effect", strconv.Itoa(n)).String() },
	}, r)
	return e, ctx.Err() // a client that left must not look like a policy that failed
}

// bound loads what bindings bind.
func (x *Executor) bound(ctx context.Context, bindings []object.Thing, pins execution.Pins) ([]policy.Bound, error) {
	bound := []policy.Bound{}
	for _, t := range bindings {
		b, err := load[*object.PolicyBinding](t)
		if err != nil {
			return nil, err
		}
		one := policy.Bound{Ref: execution.BindingRef{ID: t.ID, Order: b.Order, Revision: t.Revision}, Binding: *b}
		if b.Policy != nil {
			if one.Policy, one.Judge, err = x.policy(ctx, *b.Policy, pins); err != nil {
				return nil, err
			}
			if one.Judge == nil {
				continue // its policy was removed a moment ago, and the binding goes with it
			}
		}
		bound = append(bound, one)
	}
	return bound, nil
}

// policy loads a policy, as it is pinned if it is; nil if there is none.
func (x *Executor) policy(ctx context.Context, id string, pins execution.Pins) (domain.Ref, policy.Policy, error) {
	t, ok, err := x.thing(ctx, id, pins)
	if err != nil || !ok {
		return domain.Ref{}, nil, err
	}
	p, err := policy.Load(t.Kind, t.Fields)
	if err != nil {
		return domain.Ref{}, nil, &stageFault{class: "configuration", err: err}
	}
	return t.Ref(), p, nil
}

// request is what policies are asked with in an execution.
func (x *Executor) request(ctx context.Context, d *draft, written *policy.Plan) (policy.Request, error) {
	visitor, err := x.visitor(ctx, d.visit.Caller)
	if err != nil {
		return policy.Request{}, err
	}
	brand, err := x.brand(d.visit.Caller)
	if err != nil {
		return policy.Request{}, err
	}
	r := policy.Request{
		User: visitor, Context: d.state.Context, Extra: located(d.visit.Caller.Network), Plan: written, Clock: x.Now, Env: x.Policies,
		HTTP: &policy.HTTP{
			Method: d.visit.Caller.Method, Path: d.visit.Caller.Path, Query: d.visit.Query,
			Caller: d.visit.Caller, User: visitor, Brand: *brand,
		},
	}
	subject, err := x.subject(ctx, d.state)
	if err != nil {
		return r, err
	}
	if subject.Username != "" {
		r.User, r.Pending = subject, &policy.Pending{Person: subject, Backend: d.state.Subject.Backend}
	}
	return r, nil
}

// located is what policies are told of the place of an address (spec/flows.md
// 8.2): nothing where no database knows.
func located(n session.Network) map[string]any {
	return map[string]any{"geoip": n.Place.Shown(), "asn": n.System.Shown()}
}

// write decides on what policies wrote.
func (x *Executor) write(d *draft, p *policy.Plan, by string) { d.add(x.wrote(d, p, by)...) }

// wrote turns what policies wrote into events.
func (x *Executor) wrote(d *draft, p *policy.Plan, by string) []execution.Event {
	var events []execution.Event
	learned := execution.Context{}
	var removed []string
	for _, w := range p.Writes {
		switch {
		case w.Subject != nil:
			events = append(events, execution.SubjectIdentified{
				User: w.Subject.ID, By: by, Previous: d.state.Subject.User, Shown: true,
			})
		case w.Redirect != "":
			id := derived(d.id, "redirect", w.Redirect, x.NewID()).String()
			events = append(events, execution.StageInserted{
				Index: 1, By: by, Destination: w.Redirect,
				Entries: []execution.Entry{{
					Binding: domain.Ref{ID: id}, Stage: domain.Ref{Kind: "in_memory.redirect", Name: "Redirect"},
					Marker: execution.Static, InMemory: true, OnInvalid: "retry",
				}},
			})
		case w.Remove:
			removed = append(removed, w.Key)
		default:
			learned[w.Key] = w.Value
		}
	}
	change := execution.Learn(learned)
	change.Removed = removed
	if !change.Empty() {
		events = append(events, execution.ContextChanged{By: by, Touched: change.Keys(), Change: change})
	}
	return events
}

// subject is whom an execution is about: a user, or somebody who does not
// exist but has a name.
func (x *Executor) subject(ctx context.Context, s execution.State) (user.Person, error) {
	if s.Subject.User != "" {
		return x.People.Person(ctx, s.Subject.User)
	}
	pending := s.Context.Map(execution.KeyPendingUser)
	name, _ := pending["username"].(string)
	email, _ := pending["email"].(string)
	return user.Person{Username: name, Email: email}, nil
}

// visitor is who is logged in to the browser.
func (x *Executor) visitor(ctx context.Context, c session.Caller) (user.Person, error) {
	if c.User == "" {
		return user.Person{}, nil
	}
	return x.People.Person(ctx, c.User)
}

// brand is the brand under whose domain a caller sees us. Where there is none,
// and no default one, the first is as good as any.
func (x *Executor) brand(c session.Caller) (*object.Brand, error) {
	host := ""
	if u, err := url.Parse(c.BaseURL); err == nil {
		host = u.Hostname()
	}
	brands := x.Definitions.Kind(object.BrandModel)
	t, ok := object.BrandOf(host, brands)
	switch {
	case ok:
		return load[*object.Brand](t)
	case len(brands) > 0:
		return load[*object.Brand](brands[0])
	}
	return &object.Brand{}, nil
}

// recovery is the slug of the brand's recovery flow, or nothing.
func (x *Executor) recovery(c session.Caller) (string, error) {
	b, err := x.brand(c)
	if err != nil || b.Recovery == nil {
		return "", err
	}
	t, ok := x.Definitions.Thing(*b.Recovery)
	if !ok {
		return "", nil
	}
	f, err := flowConfig(t)
	return f.Slug, err
}

func kindOf(t object.Thing) (catalog.Kind, bool) { return catalog.Lookup(t.Kind) }
