package group

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A roll is like a list, and those that were made from it go their own ways.
func TestRollIsAList(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type pair struct {
		roll Roll
		list []string
	}
	var many []string
	for n := range 3 * chunk {
		many = append(many, fmt.Sprint("m", n))
	}
	kept := []pair{{}, {RollOf(many...), many}}
	for n := range 4000 {
		at := kept[random.IntN(len(kept))]
		name := fmt.Sprint(random.IntN(500))
		if random.IntN(8) == 0 {
			at = pair{at.roll.without(name), slices.DeleteFunc(slices.Clone(at.list), func(other string) bool { return other == name })}
		} else {
			at = pair{at.roll.with(name), append(slices.Clone(at.list), name)}
		}
		if len(kept) < 20 {
			kept = append(kept, at)
		} else {
			kept[2+random.IntN(len(kept)-2)] = at
		}
		if at.roll.Has(name) != slices.Contains(at.list, name) || !at.roll.Equal(RollOf(at.list...)) {
			t.Fatalf("step %d: %v, want %v", n, at.roll.List(), at.list)
		}
	}
	longest := 0
	for _, p := range kept {
		longest = max(longest, len(p.list))
		if !slices.Equal(p.roll.List(), p.list) {
			t.Errorf("a roll was written in place: %v, want %v", p.roll.List(), p.list)
		}
	}
	if longest < 2*chunk {
		t.Errorf("the longest roll has %d names only", longest)
	}
}

// Ten thousand members come to be one at a time.
func BenchmarkRoll(b *testing.B) {
	for b.Loop() {
		var r Roll
		for range 10_000 {
			r = r.with("5c6f4a8e-8a7c-4b57-9a2d-3a0e6f1f0b7a")
		}
	}
}
