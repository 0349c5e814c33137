package policy

import "context"

func init() {
	register(kind{
		Model: UniquePasswordModel, Path: "unique_password", Name: "Password Uniqueness Policy",
		Form:   "ak-policy-password-uniqueness-form",
		About:  "Refuses a password that the user has, or had some passwords ago.",
		Config: func() Policy { return &UniquePassword{PasswordField: "password", Number: 1} },
	})
}

// UniquePasswordModel names the kind, for those who keep old passwords only
// while somebody asks for them.
const UniquePasswordModel = "authentik_policies_unique_password.uniquepasswordpolicy"

// UniquePassword refuses a password that was used before (spec/flows.md 8.12).
type UniquePassword struct {
	Named
	PasswordField string `json:"password_field"`
	Number        int    `json:"num_historical_passwords" catalog:"min=0,max=2147483647"`
}

const noHistory = "The password could not be compared with earlier ones. Please try again later."

// Passes implements [Policy]. Whoever is not there yet has used no password.
func (p *UniquePassword) Passes(ctx context.Context, q Request) (Verdict, error) {
	typed := typedPassword(q.Context, p.PasswordField)
	if typed.Empty() {
		return missing(), nil
	}
	v := Verdict{Passing: true, Facts: map[string]any{"compared": false}}
	if p.Number == 0 || !q.User.Exists() {
		return v, nil
	}
	if q.Env.History == nil {
		return v, unanswered{cause: errAlone, sentence: noHistory}
	}
	reused, err := q.Env.History.Reused(ctx, q.User.ID, typed, p.Number)
	if err != nil {
		return v, unanswered{cause: err, sentence: noHistory}
	}
	v.Facts["compared"] = true
	if reused {
		return refused(v, "reused", "This password has been used previously. Please choose a different one."), nil
	}
	return v, nil
}
