package blueprint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/blueprint"
)

func TestReconcile(t *testing.T) {
	file := blueprint.Lying{Path: "a", Hash: "h", Instantiate: true}
	packaged := blueprint.Lying{Path: "a", Hash: "h"}
	hot := blueprint.Lying{Path: "a", Hot: true}
	unreadable := blueprint.Lying{Path: "a"}
	good := blueprint.Holding{ID: "1", Path: "a", Tried: "h", Status: "successful", Enabled: true, Found: true}
	with := func(change func(*blueprint.Holding)) blueprint.Holding {
		h := good
		change(&h)
		return h
	}
	older := with(func(h *blueprint.Holding) { h.Tried = "g" })
	broken := with(func(h *blueprint.Holding) { h.Status = "error" })
	somebodys := with(func(h *blueprint.Holding) { h.Found = false })
	orphan := with(func(h *blueprint.Holding) { h.Found, h.Status, h.Tried = false, "orphaned", "" })
	tests := map[string]struct {
		file  *blueprint.Lying
		cut   bool // not all could be seen
		held  *blueprint.Holding
		again bool
		want  blueprint.StepKind
	}{
		"a new file gets an instance":                    {file: &file, want: "add"},
		"unless its label says no":                       {file: &packaged},
		"or it is being written":                         {file: &hot},
		"what is applied is left alone":                  {file: &file, held: &good, again: true},
		"a changed file is applied":                      {file: &file, held: &older, want: "apply"},
		"but not while it is being written":              {file: &hot, held: &older},
		"nor when the instance is disabled":              {file: &file, held: ptr(with(func(h *blueprint.Holding) { h.Tried, h.Enabled = "g", false }))},
		"a file that its label holds back, too":          {file: &packaged, held: &older, want: "apply"},
		"what failed is not tried every time":            {file: &file, held: &broken},
		"but again when there is a reason":               {file: &file, held: &broken, again: true, want: "apply"},
		"what was never tried is":                        {file: &file, held: ptr(with(func(h *blueprint.Holding) { h.Tried, h.Status = "", "unknown" })), want: "apply"},
		"what cannot be read any more is tried":          {file: &unreadable, held: &good, want: "apply"},
		"an instance goes with its file":                 {held: &good, want: "drop"},
		"one that somebody made is an orphan":            {held: &somebodys, want: "orphan"},
		"and stays one":                                  {held: &orphan},
		"until its file comes back":                      {file: &file, held: &orphan, want: "apply"},
		"nothing is missed where not all can be seen":    {cut: true, held: &good},
		"nor is it an orphan":                            {cut: true, held: &somebodys},
		"what can be seen is applied even then":          {cut: true, file: &file, held: &older, want: "apply"},
		"a disabled instance goes with its file as well": {held: ptr(with(func(h *blueprint.Holding) { h.Enabled = false })), want: "drop"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var files []blueprint.Lying
			var held []blueprint.Holding
			if tt.file != nil {
				files = append(files, *tt.file)
			}
			if tt.held != nil {
				held = append(held, *tt.held)
			}
			var want []blueprint.Step
			if tt.want != "" {
				want = []blueprint.Step{{Do: tt.want, Path: "a"}}
				if tt.held != nil {
					want[0].ID = "1"
				}
			}
			if diff := cmp.Diff(want, blueprint.Reconcile(files, !tt.cut, held, tt.again)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }
