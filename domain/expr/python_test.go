package expr

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// reworded are answers of CPython that we give in other words: it counts the
// arguments of functions that are written in C, and we name them.
var reworded = map[string]bool{
	"TypeError: len() takes exactly one argument (0 given)": true,
	"TypeError: len() takes exactly one argument (2 given)": true,
}

// testdata/expected.py wrote the answers.
func TestSnippetsAnswerAsCPython(t *testing.T) {
	raw, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var snippets []struct{ Source, Value, Error string }
	if err := json.Unmarshal(raw, &snippets); err != nil {
		t.Fatal(err)
	}
	if len(snippets) < 150 {
		t.Fatalf("got %d snippets, want at least 150", len(snippets))
	}
	for _, s := range snippets {
		t.Run(s.Source, func(t *testing.T) {
			got, gotErr := answer(t, s.Source)
			if got != s.Value || gotErr != s.Error && !reworded[s.Error] {
				t.Errorf("%s\ngot  %s %s\nwant %s %s", s.Source, got, gotErr, s.Value, s.Error)
			}
		})
	}
}

// answer evaluates a text as testdata/expected.py does.
func answer(t *testing.T, source string) (value, failed string) {
	t.Helper()
	p, err := Compile(source)
	if err != nil {
		return "", err.Error()
	}
	env := Env{Now: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), Seed: 1}
	result, err := p.Eval(t.Context(), env)
	if err != nil {
		e := err.(*Error)
		return "", e.Kind + ": " + e.Message
	}
	text, err := newRun(t.Context(), p, &env).repr(result.Value)
	if err != nil {
		return "", err.Error()
	}
	return text, ""
}
