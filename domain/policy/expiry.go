package policy

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_policies_expiry.passwordexpirypolicy", Path: "password_expiry", Name: "Password Expiry Policy",
		Form:   "ak-policy-password-expiry-form",
		About:  "Refuses a password that is too old, and takes it away unless told only to refuse.",
		Config: func() Policy { return &PasswordExpiry{} },
	})
}

// PasswordExpiry refuses a password that is too old (spec/flows.md 8.8).
type PasswordExpiry struct {
	Named
	Days     int  `json:"days" catalog:"required,min=-2147483648,max=2147483647"`
	DenyOnly bool `json:"deny_only"`
}

// Passes implements [Policy]. Whoever is not there, or is not there yet, has
// no password that could have grown old. A password is only taken away from
// who has one: it is named, so that a new one that was set meanwhile stays.
func (p *PasswordExpiry) Passes(_ context.Context, q Request) (Verdict, error) {
	v := Verdict{Passing: true, Facts: map[string]any{"known": q.User.Exists()}}
	if !q.User.Exists() {
		return v, nil
	}
	age := days(q.Clock().Sub(q.User.PasswordChanged))
	v.Facts["days"], v.Facts["expired"] = age, age >= p.Days
	if age < p.Days {
		return v, nil
	}
	v.Passing, v.Reasons = false, []string{"password.expired"}
	if p.DenyOnly {
		v.Messages = []string{"Password has expired."}
		return v, nil
	}
	v.Messages = []string{fmt.Sprintf("Password expired %d days ago. Please update your password.", age-p.Days)}
	if q.User.Usable {
		v.Effects = []execution.Effect{{
			RemovePassword: &execution.RemovePassword{User: q.User.ID, Credential: q.User.Credential},
		}}
	}
	return v, nil
}

// days counts whole days, rounding down for what lies ahead, too.
func days(d time.Duration) int { return int(math.Floor(d.Hours() / 24)) }
