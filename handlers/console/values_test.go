package console

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFieldChanges(t *testing.T) {
	long := strings.Repeat("x", longText+1)
	for name, c := range map[string]struct {
		before, after map[string]any
		secrets       []string
		want          []fieldChange
	}{
		"what stayed is left out": {map[string]any{"a": 1.0, "b": "x"}, map[string]any{"a": 1.0, "b": "y"}, nil, []fieldChange{{Name: "b", How: "changed", Old: "x", New: "y"}}},
		"a new thing has no past": {nil, map[string]any{"on": true}, nil, []fieldChange{{Name: "on", How: "set", New: "true"}}},
		"a thing that is gone":    {map[string]any{"on": true}, nil, nil, []fieldChange{{Name: "on", How: "taken away", Old: "true"}}},
		"nothing is a value, too": {map[string]any{"flow": nil}, map[string]any{"flow": "f"}, nil, []fieldChange{{Name: "flow", How: "changed", New: "f"}}},
		"lists are JSON":          {map[string]any{"l": []any{"a"}}, map[string]any{"l": []any{"a", 2.0}}, nil, []fieldChange{{Name: "l", How: "changed", Old: `["a"]`, New: `["a",2]`}}},
		"nobody sees a secret":    {nil, nil, []string{"private_key"}, []fieldChange{{Name: "private_key", How: "set", Secret: true}}},
		"lines are compared": {map[string]any{"e": "a\nb"}, map[string]any{"e": "a\nc"}, nil, []fieldChange{{
			Name: "e", How: "changed", Old: "a\nb", New: "a\nc",
			Lines: []diffLine{{Old: 1, New: 1, Text: "a"}, {Sign: "−", Old: 2, Text: "b"}, {Sign: "+", New: 2, Text: "c"}},
		}}},
		"so is what is long": {nil, map[string]any{"e": long}, nil, []fieldChange{{
			Name: "e", How: "set", New: long, Lines: []diffLine{{Sign: "+", New: 1, Text: long}},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, fieldChanges(c.before, c.after, c.secrets)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}
