package auditapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/story"
)

// past tells of executions that have a revision for each thing learned.
type past struct{}

func (past) State(_ context.Context, _ string, at eventstore.Revision) (story.Snapshot, error) {
	if at > 9 && at < 1<<60 {
		return story.Snapshot{}, domain.Errorf(domain.Invalid, "The execution ends at revision 9.")
	}
	at = min(at, 9)
	s := story.Snapshot{Revision: at, Context: execution.Context{}}
	for i := range at {
		s.Context[strings.Repeat("a", int(i+1))] = "learned"
	}
	return s, nil
}

func (past) Decisions(context.Context, string) ([]story.Decision, error) {
	return []story.Decision{{
		Event: "e", Revision: 4, Kind: "flow", Target: domain.Ref{ID: "f"}, Mode: "any", MS: 3,
		Sentence: "said of ann", Because: "of what ann did", Messages: []string{"ann@example.org is not welcome"},
		Reasons: []story.Reason{{Kind: "policy", Verdict: "failed"}},
	}}, nil
}

func TestDecisions(t *testing.T) {
	h := newHouse(t)
	if status, _, text := h.get("flows/executions/x1/decisions/"); status != 200 || !strings.Contains(text, "ann@example.org is not welcome") {
		t.Errorf("the why: %d %s", status, text)
	}
	// Who may not look into executions sees that there was a decision, and not
	// what was said about people.
	_, _, text := h.get("flows/executions/x1/")
	want := `"decisions":[{"event":"e","revision":4,"time":"0001-01-01T00:00:00Z","target_type":"flow","target":{"id":"f","revision":0},` +
		`"phase":"","mode":"any","passing":false,"policies":1,"ms":3}]`
	if !strings.Contains(text, want) || strings.Contains(text, "example.org") {
		t.Errorf("summary: %s", text)
	}
}

func TestDifferences(t *testing.T) {
	h := newHouse(t)
	for query, want := range map[string]string{
		"":              `{"from":8,"results":[{"path":"context.aaaaaaaaa","how":"added","new":"learned"}],"to":9}`,
		"?to=3":         `{"from":2,"results":[{"path":"context.aaa","how":"added","new":"learned"}],"to":3}`,
		"?from=3&to=2":  `{"from":3,"results":[{"path":"context.aaa","how":"removed","old":"learned"}],"to":2}`,
		"?to=0":         `{"from":0,"results":[],"to":0}`,
		"?to=10":        `{"detail":"The execution ends at revision 9."}`,
		"?from=10":      `{"detail":"The execution ends at revision 9."}`,
		"?from=-1&to=x": `{"from":["Ensure this value is greater than or equal to 0."],"to":["Enter a number."]}`,
	} {
		if _, _, text := h.get("flows/executions/x1/differences/" + query); strings.TrimSpace(text) != want {
			t.Errorf("%s: %s, want %s", query, text, want)
		}
	}
	if want := []string{"inspected x1 live false"}; len(h.looks.told) != 5-1 || h.looks.told[0] != want[0] {
		t.Errorf("told %q", h.looks.told)
	}
}
