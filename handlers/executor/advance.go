package executor

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/eventstore"
)

// maxSteps bounds how many stages one request may bring up: a flow that goes
// on without asking anybody anything is a mistake.
const maxSteps = 500

// maxDraft is how many decisions are gathered at most: an append has a limit.
const maxDraft = eventstore.MaxEvents / 2

// advance goes on until the client has to be asked, or nothing is left to do,
// and writes what was decided on the way in one append. Only an effect that
// later stages read makes it write and perform in between.
func (x *Executor) advance(ctx context.Context, d *draft) error {
	for range maxSteps {
		if len(d.events) > maxDraft {
			if err := x.commit(ctx, d); err != nil {
				return err
			}
		}
		done, err := x.step(ctx, d)
		if err != nil {
			return err
		}
		if done {
			if err := x.commit(ctx, d); err != nil {
				return err
			}
			return x.perform(ctx, d)
		}
	}
	return &stageFault{class: "endless_flow", err: fmt.Errorf("the flow went through %d stages without asking anything", maxSteps)}
}

// step does the next thing, and tells whether it is time to wait.
func (x *Executor) step(ctx context.Context, d *draft) (bool, error) {
	if d.state.Status != execution.Running {
		return true, nil
	}
	if d.blocked() {
		if err := x.commit(ctx, d); err != nil {
			return false, err
		}
		if err := x.perform(ctx, d); err != nil {
			return false, err
		}
		return false, x.Wait(ctx) // the stages that follow read what was written
	}
	if !d.state.Planned {
		return false, x.plan(ctx, d)
	}
	head, ok := d.state.Head()
	switch {
	case !ok:
		return false, x.complete(ctx, d)
	case !head.Passed:
		return false, x.ask(ctx, d, head)
	case d.state.Current != nil && d.state.Current.Asked:
		return true, nil
	}
	return false, x.enter(ctx, d, head)
}

// blocked tells whether something is owed that has to be paid before anything
// more is decided: what follows reads it, or takes the debt out of the state.
func (d *draft) blocked() bool {
	return len(d.state.Owed) > 0 && (len(d.state.Plan) > 0 || slices.ContainsFunc(d.state.Owed, execution.Effect.Blocks))
}

// enter brings the head up.
func (x *Executor) enter(ctx context.Context, d *draft, head execution.Entry) error {
	s, in, err := x.stage(ctx, d, head)
	if err != nil {
		return err
	}
	outcome, err := x.judged(head, func() (execution.Outcome, error) { return s.Enter(ctx, in) })
	if err != nil {
		return err
	}
	if outcome, err = x.settle(ctx, d, outcome); err != nil {
		return err
	}
	if o, ok := outcome.(execution.Ask); ok {
		d.challenge = o.Challenge
	}
	return d.decide(execution.Enter{Outcome: outcome, Now: x.Now(), Idle: x.Idle})
}

// judge lets the stage that asked judge the response, and decides on what it
// says.
func (x *Executor) judge(ctx context.Context, d *draft) error {
	head, _ := d.state.Head()
	asked := d.state.Current
	s, in, err := x.stage(ctx, d, head)
	if err != nil {
		return err
	}
	outcome, err := x.judged(head, func() (execution.Outcome, error) { return s.Respond(ctx, in, d.visit.Response) })
	if err != nil {
		return err
	}
	if outcome, err = x.settle(ctx, d, outcome); err != nil {
		return err
	}
	switch o := outcome.(type) {
	case execution.Ask:
		d.challenge = o.Challenge
	case execution.Invalid:
		d.challenge, d.rejected = o.Again.Challenge, true
	}
	return d.decide(execution.Submit{
		Binding: asked.Binding, Sequence: asked.Sequence, Outcome: outcome, Now: x.Now(), Idle: x.Idle,
	})
}

// settle does what an outcome needs before it can be decided on: another flow
// has to be open to the client, a user name has to be free, an invitation has
// to be left.
func (x *Executor) settle(ctx context.Context, d *draft, outcome execution.Outcome) (execution.Outcome, error) {
	switch o := outcome.(type) {
	case execution.Ask:
		if o.Handover == nil {
			o, _, err := x.posed(ctx, d, o)
			return o, err
		}
		denied, err := x.handover(ctx, d, o.Handover)
		if err != nil || denied == "" {
			return o, err
		}
		return execution.Deny{Message: denied}, nil
	case execution.Invalid:
		again, refused, err := x.posed(ctx, d, o.Again)
		if refused != nil {
			return *refused, err
		}
		o.Again = again
		return o, err
	case execution.Pass:
		if denied, err := x.use(ctx, d, o); denied != "" || err != nil {
			return execution.Deny{Message: denied}, err
		}
		claimed, err := x.claim(ctx, d, o)
		if passed, ok := claimed.(execution.Pass); ok && err == nil {
			return x.admit(ctx, d, passed)
		}
		return claimed, err
	}
	return outcome, nil
}

// A stageFault is a fault of a stage or of its configuration, as opposed to
// one of the machinery around it: the execution cannot go on.
type stageFault struct {
	class string
	err   error
	stack string // of a panic
}

// Error implements error.
func (f *stageFault) Error() string { return f.err.Error() }

// Unwrap returns the cause.
func (f *stageFault) Unwrap() error { return f.err }

// judged calls into a stage. What goes wrong inside is the stage's fault,
// unless the machinery it asked says otherwise.
func (x *Executor) judged(head execution.Entry, call func() (execution.Outcome, error)) (o execution.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			o, err = nil, &stageFault{class: "panic", err: fmt.Errorf("stage %s: panic: %v", head.Stage.Name, p), stack: stack()}
		}
	}()
	o, err = call()
	if err != nil && !outside(err) {
		err = &stageFault{class: "stage", err: fmt.Errorf("stage %s: %w", head.Stage.Name, err)}
	}
	return o, err
}

// maxStack bounds what is recorded of a panic's stack.
const maxStack = 4 << 10

// stack is where a panic happened.
func stack() string {
	text := make([]byte, maxStack)
	return string(text[:runtime.Stack(text, false)])
}

// stage loads the head as it was configured when the plan was made
// (spec/events.md 4.2), and gathers what it may look at.
func (x *Executor) stage(ctx context.Context, d *draft, head execution.Entry) (stage.Stage, stage.Input, error) {
	in := stage.Input{
		Execution: d.id, State: d.state, Entry: head, Name: head.Stage.Name, Caller: d.visit.Caller,
	}
	look := &env{x: x, d: d}
	in.Env, in.Records, in.Services = look, look, look
	var err error
	if in.Flow, err = flowConfig(d.flow); err != nil {
		return nil, in, err
	}
	if in.Subject, err = x.subject(ctx, d.state); err != nil {
		return nil, in, err
	}
	if in.Visitor, err = x.visitor(ctx, d.visit.Caller); err != nil {
		return nil, in, err
	}
	if in.Recovery, err = x.recovery(d.visit.Caller); err != nil {
		return nil, in, err
	}
	switch head.Stage.Kind {
	case stage.ConfirmationKind:
		return stage.Confirmation{}, in, nil
	case stage.SessionEndKind:
		s, err := x.ending(d.visit.Caller)
		return s, in, err
	}
	if head.Destination != "" {
		return redirection{to: head.Destination}, in, nil
	}
	t, err := x.asOf(ctx, head.Stage.ID, head.Stage.Revision)
	if err != nil {
		return nil, in, err
	}
	s, err := stage.Load(head.Stage.Kind, t.Fields)
	if err != nil {
		return nil, in, &stageFault{class: "configuration", err: err}
	}
	return s, in, nil
}
