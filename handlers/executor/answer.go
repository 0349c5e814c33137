package executor

import (
	"context"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
)

// answer shows the challenge that is current, or how it ended.
func (x *Executor) answer(ctx context.Context, d *draft) (execution.Answer, error) {
	if d.state.Status != execution.Running {
		return x.conclude(ctx, d)
	}
	if d.challenge == nil {
		if err := x.render(ctx, d); err != nil {
			return x.failed(ctx, d, err)
		}
		if d.challenge == nil { // the stage has settled the matter meanwhile
			return x.current(ctx, d)
		}
	}
	frame, err := x.frame(ctx, d)
	if err != nil {
		return execution.Answer{}, err
	}
	if err := x.point(ctx, d); err != nil {
		return execution.Answer{}, err
	}
	challenge, err := stage.Envelope(d.challenge, frame, d.state.Current.Problems, d.rejected)
	if err != nil {
		return execution.Answer{}, err
	}
	return execution.Answer{
		Execution: d.id, Challenge: challenge, Sequence: d.state.Current.Sequence, Renew: d.renewed, Ended: d.ended,
	}, nil
}

// render asks the current stage for its challenge once more. Showing the same
// challenge again appends nothing (spec/events.md 1).
func (x *Executor) render(ctx context.Context, d *draft) error {
	head, _ := d.state.Head()
	s, in, err := x.stage(ctx, d, head)
	if err != nil {
		return err
	}
	outcome, err := x.judged(head, func() (execution.Outcome, error) { return s.Enter(ctx, in) })
	if err != nil {
		return err
	}
	if o, ok := outcome.(execution.Ask); ok {
		d.challenge = o.Challenge
		return nil
	}
	if outcome, err = x.settle(ctx, d, outcome); err != nil {
		return err
	}
	return d.decide(execution.Enter{Outcome: outcome, Now: x.Now(), Idle: x.Idle})
}

// frame is what the challenges of this execution share.
func (x *Executor) frame(ctx context.Context, d *draft) (stage.Frame, error) {
	config, err := flowConfig(d.flow)
	if err != nil {
		return stage.Frame{}, err
	}
	name, err := x.shown(ctx, d)
	if err != nil {
		return stage.Frame{}, err
	}
	b, err := x.brand(d.visit.Caller)
	if err != nil {
		return stage.Frame{}, err
	}
	app, _ := d.state.Context.Map(execution.KeyApplication)["name"].(string)
	f := stage.Frame{Flow: config, Background: b.Background, App: app, User: name}
	if stage.Local(d.state.Next) {
		f.Next = d.state.Next
	}
	return f, nil
}

// shown is the name under which the subject is shown.
func (x *Executor) shown(ctx context.Context, d *draft) (string, error) {
	s := d.state
	if s.Status != execution.Running {
		s.Subject = s.Outcome.Subject
	}
	subject, err := x.subject(ctx, s)
	if err != nil {
		return "", err
	}
	visitor, err := x.visitor(ctx, d.visit.Caller)
	if err != nil {
		return "", err
	}
	return stage.Shown(stage.Input{State: s, Subject: subject, Visitor: visitor}), nil
}

// conclude pays what an execution that has ended still owes, and says how it
// ended.
func (x *Executor) conclude(ctx context.Context, d *draft) (execution.Answer, error) {
	if len(d.state.Owed) > 0 {
		if err := x.perform(ctx, d); err != nil {
			return execution.Answer{}, err
		}
	}
	// The browser whose new cookie was lost with an answer gets another one,
	// as long as its old one leads here and nobody else was logged in since.
	lost := d.visit.Caller.Stale && d.session.Execution == d.id
	a := execution.Answer{Execution: d.id, Final: true, Renew: d.renewed || lost, Ended: d.ended}
	switch c := d.state.Outcome; {
	case d.state.Status == execution.Completed:
		a.Challenge = stage.Redirected(c.To, true)
	case d.state.Status == execution.Failed:
		visitor, err := x.visitor(ctx, d.visit.Caller)
		if err != nil {
			return a, err
		}
		a.Challenge = stage.Failed(c, visitor)
	case d.state.Status == execution.Denied && c.To != "":
		a.Challenge = stage.Redirected(c.To, false)
	default:
		frame, err := x.frame(ctx, d)
		if err != nil {
			return a, err
		}
		message := c.Message
		if message == "" {
			message = "Unknown error"
		}
		frame.Next = ""
		if a.Challenge, err = stage.Envelope(stage.DeniedTo(frame.User, message), frame, nil, false); err != nil {
			return a, err
		}
	}
	return a, nil
}
