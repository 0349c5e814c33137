package postgres_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

// TestOtherNode appends at one node and follows at another. What it hears of
// comes at once; without hearing, it comes in time.
func TestOtherNode(t *testing.T) {
	const rounds = 40
	for name, test := range map[string]struct {
		fault  fault // of listening
		within time.Duration
	}{
		"hears of it":                        {none, 4 * time.Second}, // polling would take ten
		"hears of it later, after a failure": {silence, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			url := postgrestest.Start(t).Database(t)
			p, there := behind(t, url)
			p.fail(test.fault, "LISTEN")
			one, other := open(t, url), open(t, there)
			ctx, cancel := context.WithTimeout(t.Context(), bound+test.within)
			defer cancel()
			seen := make(chan error, 1)
			go func() {
				for _, err := range other.Subscribe(ctx, eventstore.Position{}) {
					seen <- err
				}
				close(seen)
			}()
			var began time.Time
			for n := range eventstore.Revision(rounds) {
				mustAppend(t, one, "a-1", eventstore.Any, n, event())
				if err, ok := <-seen; err != nil || !ok {
					t.Fatalf("event %d: seen %v, error %v", n, ok, err)
				}
				if n == 0 {
					began = time.Now() // all is connected now
				}
			}
			if took := time.Since(began); took > test.within {
				t.Errorf("%d events took %v, want %v at most", rounds, took, test.within)
			}
		})
	}
}

// TestLargeEvents reads more than fits into a chunk, in every way.
func TestLargeEvents(t *testing.T) {
	s := open(t, postgrestest.Start(t).Database(t))
	const count = 50
	for i := range count {
		e := event()
		e.Sealed = bytes.Repeat([]byte{byte(i)}, eventstore.MaxSealed)
		mustAppend(t, s, "a-1", eventstore.Any, eventstore.Revision(i), e)
	}
	checkDense(t, s, count)
	n := 0
	for e, err := range s.ReadStream(t.Context(), "a-1", 0) {
		if err != nil || e.Revision != eventstore.Revision(n) || len(e.Sealed) != eventstore.MaxSealed || e.Sealed[0] != byte(n) {
			t.Fatalf("revision %d has %d bytes, error %v, want revision %d", e.Revision, len(e.Sealed), err, n)
		}
		n++
	}
	if n != count {
		t.Errorf("the stream has %d events, want %d", n, count)
	}
}
