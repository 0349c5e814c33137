package execution

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
)

// Whoever goes on with a plan goes on with what it pins, but is judged by the
// policies of that day.
func TestLeftoverPins(t *testing.T) {
	s := State{
		Plan: []Entry{{Binding: domain.Ref{ID: "b", Revision: 1}, Marker: Reevaluate, Policies: []string{"p"}}}, Pins: Pins{"prompt": 3},
	}
	text, err := s.Leftover()
	if err != nil {
		t.Fatal(err)
	}
	resumed, _, err := Resumed(text)
	if err != nil {
		t.Fatal(err)
	}
	after := resumed.Evolve(State{})
	if diff := cmp.Diff(Pins{"prompt": 3}, after.Pins); diff != "" {
		t.Errorf("pins (-want +got):\n%s", diff)
	}
	if got := after.Plan[0]; got.Policies != nil || got.Passed || got.Marker != Reevaluate {
		t.Errorf("the entry is %+v", got)
	}
	if s.Plan[0].Policies == nil {
		t.Error("the plan itself was written")
	}
}

// A plan of a time before anything was pinned goes by the present.
func TestPlanWithoutPins(t *testing.T) {
	after := PlanCreated{Entries: []Entry{{Marker: Reevaluate}}}.Evolve(State{Pins: Pins{"x": 1}})
	if after.Pins != nil || after.Plan[0].Passed {
		t.Errorf("after the plan: %+v", after)
	}
}
