package stage

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/user"
)

func init() {
	register(kind{
		Model: "authentik_stages_invitation.invitationstage", Path: "invitation/stages", Name: "Invitation Stage", Form: "ak-stage-invitation-form",
		About:  "Lets in who was invited.",
		Config: func() Stage { return &InvitationStage{} },
	})
}

// InvitationStage lets in who was invited (spec/stages.md 3.13). It looks at
// the invitation and does not use it up: the programs that look through mail
// open links, too. The executor takes it when something is written, or at the
// end of the flow.
type InvitationStage struct {
	Named
	Continue bool `json:"continue_flow_without_invitation"`
}

// Uninvited is what visitors are told whom no invitation lets in.
const Uninvited = "Invalid invite/invite not found"

// Enter implements [Stage].
func (s *InvitationStage) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	i, id, err := invited(ctx, in)
	switch {
	case err != nil:
		return nil, err
	case id == "" && s.Continue:
		return execution.Pass{Skipped: "no invitation"}, nil
	case id == "":
		return execution.Deny{Message: Uninvited}, nil
	}
	return execution.Pass{Learned: execution.Context{
		execution.KeyInvited: true, execution.KeyInvitation: described(id, i),
		execution.KeyPromptData: user.Merge(in.State.Context.Map(execution.KeyPromptData), i.FixedData),
	}}, nil
}

// Respond implements [Stage].
func (s *InvitationStage) Respond(ctx context.Context, in Input, _ json.RawMessage) (execution.Outcome, error) {
	return s.Enter(ctx, in)
}

// invited finds the invitation that the visitor brings, with its id; no id for
// none that is good here.
func invited(ctx context.Context, in Input) (invitation.State, string, error) {
	id, err := uuid.Parse(bearer(in))
	if err != nil {
		return invitation.State{}, "", nil
	}
	i, err := in.Records.Invitation(ctx, id.String())
	if err != nil || !i.Admits(in.Execution, in.Flow.ID, in.Caller.Now) {
		return invitation.State{}, "", err
	}
	return i, id.String(), nil
}

// bearer is the key that the visitor brings: in the link, else typed.
func bearer(in Input) string {
	for _, name := range []string{"itoken", "token"} {
		if key := in.State.Query[name]; key != "" {
			return key
		}
	}
	switch typed := in.State.Context.Map(execution.KeyPromptData)["token"].(type) {
	case domain.Secret:
		return typed.Reveal()
	case string:
		return typed
	}
	return ""
}

// described is an invitation as policies see it.
func described(id string, i invitation.State) map[string]any {
	out := map[string]any{
		"pk": id, "invite_uuid": id, "name": i.Name, "single_use": i.SingleUse, "expires": nil, "flow": nil, "fixed_data": map[string]any{},
	}
	if !i.Expires.IsZero() {
		out["expires"] = i.Expires.UTC().Format(time.RFC3339Nano)
	}
	if i.Flow != "" {
		out["flow"] = i.Flow
	}
	if i.FixedData != nil {
		out["fixed_data"] = i.FixedData
	}
	return out
}
