package story

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// What a verdict rests on is told, whatever the kind of policy.
func TestFactsAreTold(t *testing.T) {
	r := execution.PolicyResult{
		Binding: &execution.BindingRef{ID: "b"}, TargetType: "policy", Policy: &domain.Ref{Name: "bad"}, Outcome: "ok", Passing: true,
		Facts: map[string]any{"score": -3.0, "threshold": -3.0, "check_ip": false, "line": 1},
	}
	want := []string{
		"binding b (order 0), policy bad revision 0: passes, decided in line 1", "  took 0 ms; an error counts as not passing",
		"  rests on check_ip = false, score = -3, threshold = -3",
	}
	if diff := cmp.Diff(want, (&tale{Teller: &Teller{}}).result(execution.Evaluation{}, r)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	r.Facts = map[string]any{"line": 1}
	if got := (&tale{Teller: &Teller{}}).result(execution.Evaluation{}, r); len(got) != 2 {
		t.Errorf("no facts: %q", got)
	}
}
