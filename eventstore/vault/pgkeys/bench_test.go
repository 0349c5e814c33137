package pgkeys_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/eventstore/vault/pgkeys"
)

// BenchmarkMake makes the two secrets that an execution needs when it starts.
func BenchmarkMake(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			engine, err := pgkeys.Open(b.Context(), database(b), time.Now)
			if err != nil {
				b.Fatal(err)
			}
			v, err := vault.New(b.Context(), engine, kek, time.Now)
			if err != nil {
				b.Fatal(err)
			}
			defer v.Close()
			var n atomic.Int64
			b.SetParallelism(callers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					owner := fmt.Sprintf("execution:%d", n.Add(1))
					if _, err := v.Make(b.Context(), vault.ID('T', owner), vault.ID('N', owner)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
