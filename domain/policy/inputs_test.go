package policy_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/user"
)

// The digest of the inputs is the same for the same question, another for
// another one, and tells nothing of a secret.
func TestDigestOfInputs(t *testing.T) {
	ask := func(change func(*policy.Request)) string {
		r := asked(ada)
		r.Context = execution.Context{"a": int64(1), "b": map[string]any{"pin": domain.NewSecret("1234"), "x": "y"}}
		r.Pending = &policy.Pending{Person: ada}
		if change != nil {
			change(&r)
		}
		return policy.Evaluate(t.Context(), policy.Question{Bound: []policy.Bound{bound(0, yes, nil), bound(1, yes, nil)}}, r).Inputs
	}
	base := ask(nil)
	if len(base) != 64 || base != ask(nil) {
		t.Fatalf("got %q and %q", base, ask(nil))
	}
	tests := map[string]struct {
		same   bool
		change func(*policy.Request)
	}{
		"another user":                 {false, func(r *policy.Request) { r.User = user.Person{ID: "u2"} }},
		"another pending user":         {false, func(r *policy.Request) { r.Pending = nil }},
		"another target":               {false, func(r *policy.Request) { r.Target.ID = "other" }},
		"another context":              {false, func(r *policy.Request) { r.Context["a"] = int64(2) }},
		"another place":                {false, func(r *policy.Request) { r.Extra = map[string]any{"geoip": map[string]any{"country": "DE"}} }},
		"another address":              {false, func(r *policy.Request) { r.HTTP.Caller.Network.IP = "192.0.2.8" }},
		"another path":                 {false, func(r *policy.Request) { r.HTTP.Path = "/" }},
		"another query":                {false, func(r *policy.Request) { r.HTTP.Query = url.Values{"q": {"1"}} }},
		"no client":                    {false, func(r *policy.Request) { r.HTTP = nil }},
		"another seed":                 {false, func(r *policy.Request) { r.Seed++ }},
		"another time":                 {false, func(r *policy.Request) { r.Clock = func() time.Time { return now.Add(1) } }},
		"another secret":               {true, func(r *policy.Request) { r.Context["b"].(map[string]any)["pin"] = domain.NewSecret("9") }},
		"another text in a known slot": {false, func(r *policy.Request) { r.Context["b"].(map[string]any)["x"] = "z" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ask(tt.change); len(got) != 64 || (got == base) != tt.same {
				t.Errorf("the digest is %s, it was %s", got, base)
			}
		})
	}
	if e := policy.Evaluate(t.Context(), policy.Question{}, asked(ada)); e.Inputs != "" {
		t.Errorf("where nothing is bound, nothing was asked: %q", e.Inputs)
	}
}
