package policy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/user"
)

// scores is a history of reputation alone: what there is by address, and by
// user name, and in all.
type scores struct {
	ip, name map[string]int64
	all      int64
}

// Score implements [policy.History].
func (s scores) Score(_ context.Context, ip, username string) (int64, error) {
	switch {
	case username == "fault":
		return -9, errors.New("the store does not answer")
	case ip == "" && username == "":
		return s.all, nil
	}
	return s.ip[ip] + s.name[username], nil
}

// Logins implements [policy.History].
func (scores) Logins(context.Context, string, int) ([]policy.Login, error) { return nil, nil }

// Reused implements [policy.History].
func (scores) Reused(context.Context, string, domain.Secret, int) (bool, error) { return false, nil }

func TestReputation(t *testing.T) {
	known := scores{ip: map[string]int64{"192.0.2.7": -3}, name: map[string]int64{"ada": -2, "ghost": -5}, all: -50}
	both := policy.Reputation{CheckIP: true, CheckUsername: true, Threshold: -5}
	name, ip := policy.Reputation{CheckUsername: true, Threshold: -2}, policy.Reputation{CheckIP: true, Threshold: -3}
	for sentence, tt := range map[string]struct {
		policy policy.Reputation
		who    user.Person
		noHTTP bool
		score  int64
		want   bool
	}{
		"a bad reputation passes":                      {both, ada, false, -5, true},
		"a better one does not":                        {policy.Reputation{CheckIP: true, CheckUsername: true, Threshold: -6}, ada, false, -5, false},
		"the name alone":                               {name, ada, false, -2, true},
		"the address alone":                            {ip, ada, false, -3, true},
		"one who does not exist has a name, too":       {name, user.Person{Username: "ghost"}, false, -5, true},
		"nobody has no name that could match":          {name, nobody, false, 0, false},
		"nobody has an address":                        {ip, nobody, false, -3, true},
		"nobody with both checks has the address":      {policy.Reputation{CheckIP: true, CheckUsername: true, Threshold: -3}, nobody, false, -3, true},
		"without a client there is no address":         {ip, ada, true, 0, false},
		"no score at all passes the threshold of zero": {policy.Reputation{CheckUsername: true}, user.Person{Username: "new"}, false, 0, true},
		"without checks it is the sum of all":          {policy.Reputation{Threshold: -50}, ada, false, -50, true},
	} {
		t.Run(sentence, func(t *testing.T) {
			q := asked(tt.who)
			q.Env.History = known
			if tt.noHTTP {
				q.HTTP = nil
			}
			v, err := tt.policy.Passes(t.Context(), q)
			want := map[string]any{
				"score": tt.score, "threshold": tt.policy.Threshold, "check_ip": tt.policy.CheckIP, "check_username": tt.policy.CheckUsername,
			}
			if diff := cmp.Diff(want, v.Facts); diff != "" || v.Passing != tt.want || err != nil || len(v.Messages) > 0 {
				t.Errorf("passing %t, want %t; %v; facts (-want +got):\n%s", v.Passing, tt.want, err, diff)
			}
		})
	}
	q := asked(user.Person{Username: "fault"})
	q.Env.History = known
	if _, err := name.Passes(t.Context(), q); err == nil {
		t.Error("a fault of the store is a verdict")
	}
}

func TestReputationIsValidated(t *testing.T) {
	k, _ := catalog.Lookup("authentik_policies_reputation.reputationpolicy")
	refused := catalog.Problems{catalog.NonField: {"Either IP or Username must be checked"}}
	for sentence, tt := range map[string]struct {
		given    map[string]any
		onCreate catalog.Problems
		later    catalog.Problems
	}{
		"a new one says what it checks":  {map[string]any{"threshold": -5}, refused, nil},
		"one check is enough":            {map[string]any{"check_username": true}, nil, nil},
		"the other one is, too":          {map[string]any{"check_ip": true, "check_username": false}, nil, nil},
		"none is too little":             {map[string]any{"check_ip": false, "check_username": false}, refused, refused},
		"one taken away says not enough": {map[string]any{"check_ip": false}, refused, nil},
	} {
		if diff := cmp.Diff(tt.onCreate, k.ValidateNew(tt.given)); diff != "" {
			t.Errorf("%s, on create (-want +got):\n%s", sentence, diff)
		}
		if diff := cmp.Diff(tt.later, k.Validate(tt.given)); diff != "" {
			t.Errorf("%s, later (-want +got):\n%s", sentence, diff)
		}
	}
}
