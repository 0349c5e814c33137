package main

import (
	"path/filepath"
	"testing"

	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

// BenchmarkCopy copies and compares a ledger of 100,000 events.
func BenchmarkCopy(b *testing.B) {
	const n = 100_000
	from := heap(b, n)
	for name, to := range map[string]func() []string{
		"sqlite":   func() []string { return []string{"--to", "sqlite:", "--to-data", filepath.Join(b.TempDir(), "to")} },
		"postgres": func() []string { return []string{"--to", postgrestest.Start(b).Database(b)} },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				does(b, "", append([]string{"copy", "--from", "sqlite:", "--from-data", from}, to()...)...)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
