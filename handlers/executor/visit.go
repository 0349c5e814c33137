package executor

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Visit serves one request to a flow: it finds or begins the execution, hands
// the response to the stage that asked, and says what to show.
func (x *Executor) Visit(ctx context.Context, v execution.Visit) (execution.Answer, error) {
	flow, _ := x.Definitions.FlowBySlug(v.Slug)
	d, err := x.find(ctx, v, flow.ID)
	switch {
	case err != nil:
		return execution.Answer{}, err
	case d != nil:
		d.flow, err = x.asOf(ctx, d.state.Flow.ID, d.state.Flow.Revision)
	default:
		if flow, err = x.newest(ctx, v.Slug); err == nil {
			d, err = x.begin(ctx, v, flow)
		}
	}
	if err != nil {
		return execution.Answer{}, err
	}
	if d.state.Status != execution.Running {
		return x.conclude(ctx, d)
	}
	if v.Response != nil {
		return x.submit(ctx, d)
	}
	return x.current(ctx, d)
}

// newest finds the flow of an execution that is to begin, as it is now on any
// node: what the execution goes by is pinned from here on.
func (x *Executor) newest(ctx context.Context, slug string) (object.Thing, error) {
	if x.Abreast != nil {
		if err := x.Abreast(ctx); err != nil {
			return object.Thing{}, err
		}
	}
	flow, ok := x.Definitions.FlowBySlug(slug)
	if !ok {
		return flow, domain.Errorf(domain.NotFound, "No Flow matches the given query.")
	}
	return flow, nil
}

// find loads the execution that a visit means: the one that it names, else the
// session's current one of this flow. It returns nil where a new one is to
// begin. An execution stays where it began, also if its flow has moved to
// another address since, or is gone.
func (x *Executor) find(ctx context.Context, v execution.Visit, flow string) (*draft, error) {
	s, _, err := x.Sessions.Load(ctx, eventstore.Stream("session", v.Caller.Session))
	if err != nil {
		return nil, err
	}
	named := v.Execution != ""
	id := v.Execution
	if !named {
		if id, err = x.currentOf(ctx, v, s, flow); id == "" || err != nil {
			return nil, err
		}
	}
	state, revision, err := x.Executions.Load(ctx, streamOf(id))
	if err != nil {
		return nil, err
	}
	d := &draft{id: id, revision: revision, state: state, session: s, visit: v}
	if state.Session != v.Caller.Session || state.Flow.ID != flow && state.Slug != v.Slug {
		return nil, nil
	}
	if !named {
		goesOn, err := x.goesOn(ctx, v, state)
		if err != nil || !goesOn {
			return nil, err
		}
	}
	return x.alive(ctx, d, named)
}

// currentOf is the session's current execution of a flow; else the one of a
// flow that had this address when it was begun there. Whoever has answered
// nothing yet and fetches the address again sees what is there by now.
func (x *Executor) currentOf(ctx context.Context, v execution.Visit, s session.State, flow string) (string, error) {
	if id := s.Flows[flow]; id != "" {
		return id, nil
	}
	found := ""
	for _, id := range s.Flows {
		state, _, err := x.Executions.Load(ctx, streamOf(id))
		if err != nil {
			return "", err
		}
		if state.Slug == v.Slug && (v.Response != nil || !untouched(state)) && (state.Status == execution.Running || found == "" && flow == "") {
			found = id
		}
	}
	return found, nil
}

// goesOn tells whether a visit that names no execution means the session's
// current one. One with a link means whatever was begun with that link.
func (x *Executor) goesOn(ctx context.Context, v execution.Visit, s execution.State) (bool, error) {
	if key := v.Query.Get(linkParam); key != "" {
		return x.followed(ctx, s, key)
	}
	return !v.Fresh || handedOver(s), nil
}

// handedOver tells whether an execution was begun for a page that is opened
// only now.
func handedOver(s execution.State) bool {
	switch s.Entry {
	case "redirect_stage", "configure", "execute":
		return s.Status == execution.Running && untouched(s)
	}
	return false
}

// untouched tells whether nobody has answered anything yet.
func untouched(s execution.State) bool {
	return s.Sequence <= 1 && s.Attempts == 0 && len(s.History) == 0
}

// alive expires an execution whose time is over, and tells whether one that
// has ended still has an answer for this visit.
func (x *Executor) alive(ctx context.Context, d *draft, named bool) (*draft, error) {
	if d.state.Status == execution.Running && x.Now().After(d.state.Deadline) {
		err := x.stop(ctx, d, execution.Expire{Now: x.Now(), Idle: x.Idle})
		if _, lost := errors.AsType[*eventstore.WrongExpectedError](err); lost {
			d.events = nil
			d.state, d.revision, err = x.Executions.Load(ctx, streamOf(d.id))
		}
		if err != nil {
			return nil, err
		}
	}
	switch d.state.Status {
	case execution.Running:
		return x.sameUser(ctx, d)
	case execution.Completed, execution.Denied, execution.Failed:
		// A client that did not get the last answer asks again: with the
		// execution's id, before the login has reached the session, or with
		// the cookie from before it.
		if named || d.visit.Caller.Stale || d.unpaid() {
			return d, nil
		}
	}
	return nil, nil
}

// unpaid tells whether the execution logged somebody in or out whom the session
// does not know of yet.
func (d *draft) unpaid() bool {
	for _, e := range d.state.Owed {
		if e.Authenticate != nil && !d.session.Logins[d.id] || e.EndSession != nil && !d.session.Logouts[d.id] {
			return true
		}
	}
	return false
}

// sameUser looks after an execution in whose browser somebody else is logged in
// than it knows. A login goes on, if its flow is for that visitor, too. All
// others were about whoever was there: to go on would let one user act for
// another.
func (x *Executor) sameUser(ctx context.Context, d *draft) (*draft, error) {
	c := d.visit.Caller
	if d.state.User == c.User || c.Stale || d.unpaid() {
		return d, nil
	}
	if d.state.Designation != "authentication" {
		return nil, x.cancel(ctx, d.id, c, execution.Cancel{Cause: "other_flow", By: d.session.Execution})
	}
	flow, err := x.asOf(ctx, d.state.Flow.ID, d.state.Flow.Revision)
	if err != nil {
		return nil, err
	}
	config, err := flowConfig(flow)
	if err != nil {
		return nil, err
	}
	visitor, err := x.visitor(ctx, c)
	if err != nil {
		return nil, err
	}
	if unmet(d.state, config, visitor) == "" {
		return d, nil
	}
	return nil, x.cancel(ctx, d.id, c, execution.Cancel{Cause: "other_flow", By: d.session.Execution})
}

// current says what the client is asked, and brings up the next stage if none
// is up: the request that should have done so may have died.
func (x *Executor) current(ctx context.Context, d *draft) (execution.Answer, error) {
	if err := x.advance(ctx, d); err != nil {
		return x.failed(ctx, d, err)
	}
	return x.answer(ctx, d)
}

// submit hands a response to the stage that asked. Of several at once one is
// judged; the others are told what came of that one.
func (x *Executor) submit(ctx context.Context, d *draft) (execution.Answer, error) {
	if err := x.advance(ctx, d); err != nil {
		return x.failed(ctx, d, err)
	}
	if d.state.Status != execution.Running {
		return x.answer(ctx, d)
	}
	if d.misdirected() {
		d.rejected = d.repeats()
		return x.answer(ctx, d)
	}
	asked, restarts := *d.state.Current, d.state.Restarts
	if err := x.judge(ctx, d); err != nil {
		return x.failed(ctx, d, err)
	}
	if err := x.advance(ctx, d); err != nil {
		return x.failed(ctx, d, err)
	}
	again := d.rejected && d.state.Restarts == restarts // the same challenge, with what was wrong
	if d.state.Status == execution.Running && d.state.Current != nil && (d.state.Current.Binding != asked.Binding || !again) {
		return execution.Answer{Execution: d.id, Advanced: true, Renew: d.renewed, Ended: d.ended}, nil
	}
	return x.answer(ctx, d)
}

// misdirected tells whether a response is for another challenge than the
// current one: it names another component, or an earlier asking.
func (d *draft) misdirected() bool {
	var r struct {
		Component string `json:"component"`
	}
	// The body is an object; a component that is no text names none.
	_ = json.Unmarshal(d.visit.Response, &r)
	current := d.state.Current
	if current == nil {
		return true
	}
	return r.Component != "" && r.Component != current.Component ||
		d.visit.Sequence != 0 && d.visit.Sequence != current.Sequence
}

// repeats tells whether a response is for the asking before the current one,
// which a wrong answer ended: it is told what that one was told.
func (d *draft) repeats() bool {
	current := d.state.Current
	return current != nil && len(current.Problems) > 0 && d.visit.Sequence == current.Sequence-1 && d.visit.Sequence != 0
}

// failed turns an error into an answer: a lost race is told what the winner
// got; a fault of a stage ends the execution, as an event.
func (x *Executor) failed(ctx context.Context, d *draft, err error) (execution.Answer, error) {
	if _, lost := errors.AsType[*eventstore.WrongExpectedError](err); lost {
		return x.lost(ctx, d)
	}
	fault, ok := errors.AsType[*stageFault](err)
	if !ok {
		return execution.Answer{}, err
	}
	// What was decided on the way to the fault stands: it tells how it came to
	// it.
	fail := execution.Fail{Class: fault.class, ErrorID: d.visit.Caller.Request, Detail: fault.Error(), Stack: fault.stack}
	if err := d.decide(fail); err != nil {
		return execution.Answer{}, err
	}
	if err := x.commit(ctx, d); err != nil {
		return x.failed(ctx, d, err)
	}
	return x.conclude(ctx, d)
}

// lost answers a request whose decision came too late with what the ledger
// says instead.
func (x *Executor) lost(ctx context.Context, d *draft) (execution.Answer, error) {
	before := d.state.Current
	state, revision, err := x.Executions.Load(ctx, streamOf(d.id))
	if err != nil {
		return execution.Answer{}, err
	}
	e := &draft{id: d.id, revision: revision, state: state, visit: d.visit, flow: d.flow}
	if state.Status != execution.Running {
		return x.conclude(ctx, e)
	}
	if d.visit.Response != nil && state.Current != nil && before != nil && state.Current.Binding != before.Binding {
		return execution.Answer{Execution: d.id, Advanced: true}, nil
	}
	e.rejected = d.visit.Response != nil && state.Current != nil && len(state.Current.Problems) > 0
	return x.current(ctx, e)
}
