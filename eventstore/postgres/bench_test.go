package postgres_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/postgres"
	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

// threeEvents are of the size that spec/performance.md measures with.
func threeEvents() []eventstore.NewEvent {
	events := []eventstore.NewEvent{event(), event(), event()}
	for i := range events {
		events[i].Header = make([]byte, 200)
		events[i].Payload = make([]byte, 500)
	}
	return events
}

func BenchmarkAppend(b *testing.B) {
	server := postgrestest.Alone(b)
	for _, nodes := range []int{1, 2, 4} {
		for _, callers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%d nodes, %d callers", nodes, callers), func(b *testing.B) {
				url := server.Database(b)
				stores := make([]*postgres.Store, nodes)
				for i := range stores {
					stores[i] = open(b, url)
				}
				var next atomic.Int64
				var wg sync.WaitGroup
				b.ResetTimer()
				for c := range callers {
					wg.Go(func() { appendLogins(b, stores[c%nodes], func() bool { return next.Add(1) <= int64(b.N) }) })
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			})
		}
	}
}

// appendLogins appends to one stream after the other, six times each, which is
// about a login.
func appendLogins(b *testing.B, store eventstore.Store, more func() bool) {
	stream, end := eventstore.StreamID(""), eventstore.Revision(-1)
	for more() {
		if (end+1)%18 == 0 {
			stream, end = eventstore.Stream("execution", uuid.Must(uuid.NewV7()).String()), -1
		}
		var err error
		if end, err = store.Append(b.Context(), stream, eventstore.At(end), threeEvents()...); err != nil {
			b.Error(err)
			return
		}
	}
}

func BenchmarkRead(b *testing.B) {
	store := open(b, postgrestest.Alone(b).Database(b))
	const streams, length = 3000, 20
	for i := range streams * length / 4 {
		stream := eventstore.Stream("execution", fmt.Sprint(i%streams))
		if _, err := store.Append(b.Context(), stream, eventstore.Any, append(threeEvents(), event())...); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("all", func(b *testing.B) {
		events := 0
		for b.Loop() {
			for _, err := range store.ReadAll(b.Context(), eventstore.Position{}) {
				if events++; err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("stream of 20", func(b *testing.B) {
		for b.Loop() {
			for _, err := range store.ReadStream(b.Context(), "execution-7", 0) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
