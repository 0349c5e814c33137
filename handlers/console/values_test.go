package console

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFieldChanges(t *testing.T) {
	long := strings.Repeat("x", longText+1)
	type fields = map[string]any
	for name, c := range map[string]struct {
		ChangeContent
		want []fieldChange
	}{
		"what stayed is left out": {ChangeContent{Before: fields{"a": 1.0, "b": "x"}, After: fields{"a": 1.0, "b": "y"}}, []fieldChange{{Name: "b", How: "changed", Old: "x", New: "y"}}},
		"a new thing has no past": {ChangeContent{After: fields{"on": true}}, []fieldChange{{Name: "on", How: "set", New: "true"}}},
		"a thing that is gone":    {ChangeContent{Before: fields{"on": true}}, []fieldChange{{Name: "on", How: "taken away", Old: "true"}}},
		"nothing is a value, too": {ChangeContent{Before: fields{"flow": nil}, After: fields{"flow": "f"}}, []fieldChange{{Name: "flow", How: "changed", New: "f"}}},
		"lists are JSON":          {ChangeContent{Before: fields{"l": []any{"a"}}, After: fields{"l": []any{"a", 2.0}}}, []fieldChange{{Name: "l", How: "changed", Old: `["a"]`, New: `["a",2]`}}},
		"nobody sees a secret":    {ChangeContent{Secrets: []string{"private_key"}}, []fieldChange{{Name: "private_key", How: "set", Secret: true}}},
		"what is sealed is named": {ChangeContent{Sealed: []string{"email"}}, []fieldChange{{Name: "email", How: "changed", Sealed: true}}},
		"lines are compared": {ChangeContent{Before: fields{"e": "a\nb"}, After: fields{"e": "a\nc"}}, []fieldChange{{
			Name: "e", How: "changed", Old: "a\nb", New: "a\nc",
			Lines: []diffLine{{Old: 1, New: 1, Text: "a"}, {Sign: "−", Old: 2, Text: "b"}, {Sign: "+", New: 2, Text: "c"}},
		}}},
		"so is what is long": {ChangeContent{After: fields{"e": long}}, []fieldChange{{
			Name: "e", How: "set", New: long, Lines: []diffLine{{Sign: "+", New: 1, Text: long}},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, fieldChanges(c.ChangeContent)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}
