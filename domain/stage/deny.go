package stage

import (
	"context"
	"encoding/json"

	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_deny.denystage", Path: "deny", Name: "Deny Stage", Form: "ak-stage-deny-form",
		About:  "Ends the flow with a refusal.",
		Config: func() Stage { return &DenyStage{} },
	})
}

// DenyStage ends the flow with a refusal (spec/stages.md 3.11).
type DenyStage struct {
	Named
	Message string `json:"deny_message" catalog:"blank"`
}

// Enter implements [Stage].
func (d *DenyStage) Enter(_ context.Context, in Input) (execution.Outcome, error) {
	message := in.State.Context.Text(execution.KeyDenyMessage)
	if message == "" {
		message = d.Message
	}
	return execution.Deny{Message: message, Cause: "deny_stage"}, nil
}

// Respond implements [Stage].
func (d *DenyStage) Respond(ctx context.Context, in Input, _ json.RawMessage) (execution.Outcome, error) {
	return d.Enter(ctx, in)
}
