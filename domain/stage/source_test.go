package stage_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain/stage"
)

// Whatever it names, there is no source, and nobody gets past it.
func TestSourceStage(t *testing.T) {
	in := at(world(), nobody)
	s, err := stage.Load("authentik_stages_source.sourcestage", map[string]any{
		"name": "elsewhere", "source": "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10", "resume_on_match_failures": []any{"missing_property"},
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Enter(t.Context(), in)
	compare(t, told{Deny: ": Source does not exist"}, o, err)
	o, err = s.Respond(t.Context(), in, nil)
	compare(t, told{Deny: ": Source does not exist"}, o, err)
}
