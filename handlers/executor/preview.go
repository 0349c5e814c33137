package executor

import (
	"context"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
)

// Preview is the challenge that a flow would show of one prompt: whoever asks
// is the pending user, and nothing was typed yet. Nothing is recorded. An
// expression that fails is a [*stage.ExpressionError].
func (x *Executor) Preview(ctx context.Context, p *stage.Prompt, c session.Caller) (map[string]any, error) {
	who, err := x.visitor(ctx, c)
	if err != nil {
		return nil, err
	}
	d := &draft{id: x.NewID(), visit: execution.Visit{Caller: c}}
	d.state.Subject.User = who.ID
	in := stage.Input{Execution: d.id, State: d.state, Subject: who, Visitor: who, Caller: c, Env: &env{x: x, d: d}}
	challenge, err := stage.PreviewPrompt(ctx, in, p)
	if err != nil {
		return nil, err
	}
	out, err := stage.Envelope(challenge, stage.Frame{}, nil, false)
	delete(out, "flow_info") // there is no flow around it
	return out, err
}
