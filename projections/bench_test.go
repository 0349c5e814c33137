package projections_test

import (
	"fmt"
	"testing"
)

// BenchmarkRebuild rebuilds all read models from logins of 15 events each.
func BenchmarkRebuild(b *testing.B) {
	w := newWorld(b)
	const logins = 1000
	for i := range logins {
		loginAs(w, fmt.Sprint("x", i), fmt.Sprint("s", i), fmt.Sprint("u", i%100))
	}
	events := 0
	for b.Loop() {
		if err := w.runner.Rebuild(b.Context(), func(n int) { events = n }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkFollow shows logins of 15 events as they come, one after the other.
func BenchmarkFollow(b *testing.B) {
	w := newWorld(b)
	w.run()
	n := 0
	for b.Loop() {
		loginAs(w, fmt.Sprint("x", n), fmt.Sprint("s", n), fmt.Sprint("u", n%100))
		w.settle()
		n++
	}
}
