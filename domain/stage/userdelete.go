package stage

import (
	"context"
	"encoding/json"

	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_user_delete.userdeletestage", Path: "user_delete", Name: "User Delete Stage", Form: "ak-stage-user-delete-form",
		About:  "Deletes the pending user.",
		Config: func() Stage { return &UserDelete{} },
	})
}

// UserDelete deletes the pending user, else the browser's own, and logs the
// browser out whoever is logged in there (spec/stages.md 3.6).
type UserDelete struct{ Named }

// Enter implements [Stage]. The execution is about nobody from then on: what it
// writes could not be sealed for somebody who is gone.
func (u *UserDelete) Enter(_ context.Context, in Input) (execution.Outcome, error) {
	who := in.Subject
	if !who.Exists() && in.State.Context[execution.KeyPendingUser] == nil {
		who = in.Visitor
	}
	if !who.Exists() {
		return execution.Deny{Message: "No Pending User."}, nil
	}
	var o execution.Pass
	if in.Visitor.Exists() {
		o.Facts = append(o.Facts, execution.UserLoggedOut{User: in.Visitor.ID, Session: in.State.Session})
		o.Effects = append(o.Effects, execution.Effect{EndSession: &execution.EndSession{
			Session: in.State.Session, User: in.Visitor.ID, Keep: len(in.State.Plan) > 1,
		}})
	}
	o.Facts = append(o.Facts, execution.SubjectIdentified{By: "user_delete", Previous: who.ID})
	o.Effects = append(o.Effects, execution.Effect{DeleteUser: &execution.DeleteUser{User: who.ID, By: in.Visitor.ID}})
	return o, nil
}

// Respond implements [Stage].
func (u *UserDelete) Respond(ctx context.Context, in Input, _ json.RawMessage) (execution.Outcome, error) {
	return u.Enter(ctx, in)
}
