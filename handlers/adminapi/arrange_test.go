package adminapi

import (
	"fmt"
	"testing"

	"github.com/flowledger/flowledger/domain/object"
)

func TestArrangementsAreOfOneList(t *testing.T) {
	var a arrangements
	list := func(names ...string) (out []object.Thing) {
		for _, name := range names {
			out = append(out, object.Thing{Name: name})
		}
		return out
	}
	made := 0
	last := func(list []object.Thing) func() []object.Thing {
		return func() []object.Thing { made++; return list[len(list)-1:] }
	}
	before, after := list("a", "b"), list("a", "c")
	for _, step := range []struct {
		name string
		of   []object.Thing
		how  string
		want string
		made int
	}{
		{"the first time", before, "last", "b", 1}, {"again", before, "last", "b", 1}, {"another way", before, "other", "b", 2},
		{"another list", after, "last", "c", 3}, {"a part of it", after[:1], "last", "a", 4}, {"the old one, which somebody still has", before, "last", "b", 4},
	} {
		got, ok := a.of(step.of, step.how, last(step.of))
		if !ok || got[0].Name != step.want || made != step.made {
			t.Errorf("%s: %v, made %d times, want %s and %d", step.name, got, made, step.want, step.made)
		}
	}
	if got, ok := a.of(before, "unknown", nil); ok {
		t.Errorf("what was never made is %v", got)
	}
	if got, ok := a.of(nil, "last", nil); !ok || got != nil {
		t.Errorf("nothing, arranged, is %v", got)
	}
	for n := range 100 {
		a.of(before, fmt.Sprint(n), last(before))
		if len(a.lists) > maxArranged {
			t.Fatalf("%d arrangements are kept", len(a.lists))
		}
	}
}
