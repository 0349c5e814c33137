package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/user"
)

// A past remembers passwords of ada's, the newest first, and nothing else.
type past struct {
	policy.History
	asked *int
	used  []string
	fault error
}

// Reused implements [policy.History].
func (p past) Reused(_ context.Context, id string, password domain.Secret, n int) (bool, error) {
	*p.asked++
	for _, used := range p.used[:min(n, len(p.used))] {
		if id == ada.ID && used == password.Reveal() {
			return true, p.fault
		}
	}
	return false, p.fault
}

func TestUniquePassword(t *testing.T) {
	type set = map[string]any
	const reused = "This password has been used previously. Please choose a different one."
	tests := map[string]struct {
		set     set
		user    user.Person
		context execution.Context
		passing bool
		says    string
		asked   int // how often somebody compared
	}{
		"a new password":            {set{}, ada, typed("new"), true, "", 1},
		"the present one":           {set{}, ada, typed("now"), false, reused, 1},
		"a secret":                  {set{}, ada, typed(domain.NewSecret("now")), false, reused, 1},
		"one before":                {set{}, ada, typed("before"), true, "", 1},
		"one before, of two":        {set{"num_historical_passwords": 2}, ada, typed("before"), false, reused, 1},
		"in another field":          {set{"password_field": "pw"}, ada, execution.Context{"pw": "now"}, false, reused, 1},
		"none are compared":         {set{"num_historical_passwords": 0}, ada, typed("now"), true, "", 0},
		"no password":               {set{}, ada, nil, false, "Password not set in context", 0},
		"no password, and none ask": {set{"num_historical_passwords": 0}, ada, typed(""), false, "Password not set in context", 0},
		"nobody":                    {set{}, nobody, typed("now"), true, "", 0},
		"somebody who is to be yet": {set{}, user.Person{Username: "new"}, typed("now"), true, "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := 0
			r := asked(tt.user)
			r.Context, r.Env.History = tt.context, past{used: []string{"now", "before"}, asked: &n}
			v, err := fields(t, policy.UniquePasswordModel, tt.set).Passes(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if v.Passing != tt.passing || strings.Join(v.Messages, "|") != tt.says || n != tt.asked {
				t.Errorf("passing %t, asked %d times: %q", v.Passing, n, v.Messages)
			}
		})
	}
}

// What cannot be compared is an error, not a pass.
func TestUniquePasswordUnknown(t *testing.T) {
	n := 0
	for name, history := range map[string]policy.History{"nobody knows": nil, "the store fails": past{asked: &n, fault: errors.New("no disk")}} {
		t.Run(name, func(t *testing.T) {
			r := asked(ada)
			r.Context, r.Env.History = typed("new"), history
			if _, err := fields(t, policy.UniquePasswordModel, nil).Passes(t.Context(), r); err == nil {
				t.Error("no error")
			}
		})
	}
}
