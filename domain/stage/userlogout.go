package stage

import (
	"context"
	"encoding/json"

	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_user_logout.userlogoutstage", Path: "user_logout", Name: "User Logout Stage", Form: "ak-stage-user-logout-form",
		About:  "Logs the browser's user out.",
		Config: func() Stage { return &UserLogout{} },
	})
}

// UserLogout logs the browser's user out (spec/stages.md 3.4).
type UserLogout struct{ Named }

// Enter implements [Stage]. Logging out nobody is nothing to do.
func (u *UserLogout) Enter(_ context.Context, in Input) (execution.Outcome, error) {
	if !in.Visitor.Exists() {
		return execution.Pass{}, nil
	}
	return execution.Pass{
		Facts: []execution.Event{execution.UserLoggedOut{User: in.Visitor.ID, Session: in.State.Session}},
		Effects: []execution.Effect{{EndSession: &execution.EndSession{
			Session: in.State.Session, User: in.Visitor.ID, Keep: len(in.State.Plan) > 1,
		}}},
	}, nil
}

// Respond implements [Stage].
func (u *UserLogout) Respond(ctx context.Context, in Input, _ json.RawMessage) (execution.Outcome, error) {
	return u.Enter(ctx, in)
}
