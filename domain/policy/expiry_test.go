package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
)

func TestPasswordExpiry(t *testing.T) {
	type set = map[string]any
	const day = 24 * time.Hour
	taken := []execution.Effect{{RemovePassword: &execution.RemovePassword{User: "u1", Credential: "c1"}}}
	aged := func(age time.Duration) user.Person {
		u := ada
		u.PasswordChanged, u.Credential = now.Add(-age), "c1"
		return u
	}
	unusable := aged(31 * day)
	unusable.Usable, unusable.Credential = false, ""
	tests := map[string]struct {
		set     set
		user    user.Person
		passing bool
		says    []string
		effects []execution.Effect
	}{
		"a fresh password":          {set{"days": 30}, aged(30*day - time.Second), true, nil, nil},
		"one that expires today":    {set{"days": 30}, aged(30 * day), false, []string{"Password expired 0 days ago. Please update your password."}, taken},
		"one that expired":          {set{"days": 30}, aged(32*day + 23*time.Hour), false, []string{"Password expired 2 days ago. Please update your password."}, taken},
		"one that lasts no day":     {set{"days": 0}, aged(0), false, []string{"Password expired 0 days ago. Please update your password."}, taken},
		"a clock that goes wrong":   {set{"days": 0}, aged(-time.Hour), true, nil, nil},
		"one that is only refused":  {set{"days": 30, "deny_only": true}, aged(31 * day), false, []string{"Password has expired."}, nil},
		"no password to take away":  {set{"days": 30}, unusable, false, []string{"Password expired 1 days ago. Please update your password."}, nil},
		"nobody":                    {set{"days": 0}, nobody, true, nil, nil},
		"somebody who is to be yet": {set{"days": 0}, user.Person{Username: "new"}, true, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := fields(t, "authentik_policies_expiry.passwordexpirypolicy", tt.set).Passes(t.Context(), asked(tt.user))
			if err != nil {
				t.Fatal(err)
			}
			if v.Passing != tt.passing {
				t.Errorf("passing %t", v.Passing)
			}
			if diff := cmp.Diff(tt.says, v.Messages); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.effects, v.Effects, alike); diff != "" {
				t.Errorf("effects (-want +got):\n%s", diff)
			}
		})
	}
}
