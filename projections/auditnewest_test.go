package projections_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/projections"
)

// The newest events come first, and a category leaves all others out.
func TestNewest(t *testing.T) {
	w := newWorld(t)
	login(w)
	w.run()
	w.settle()
	types := func(f projections.AuditFilter, limit int) (out []string) {
		t.Helper()
		for _, e := range must[[]projections.Entry](t)(w.audit.Newest(t.Context(), f, limit)) {
			out = append(out, e.Type)
		}
		return out
	}
	if diff := cmp.Diff([]string{"SessionAuthenticated", "ExecutionCompleted"}, types(projections.AuditFilter{}, 2)); diff != "" {
		t.Errorf("the newest (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"SessionAuthenticated", "SessionExecutionAttached", "SessionBegun"}, types(projections.AuditFilter{Category: "session"}, 9)); diff != "" {
		t.Errorf("of sessions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"LoginFailed"}, types(projections.AuditFilter{Types: []string{"LoginFailed"}}, 9)); diff != "" {
		t.Errorf("of a type (-want +got):\n%s", diff)
	}
}
