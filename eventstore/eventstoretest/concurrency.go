package eventstoretest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

const (
	writers = 16
	rounds  = 20
)

// testOneStream appends batches to one stream from many writers. None is
// lost, and none is torn apart.
func testOneStream(t *testing.T, s suite) {
	store := s.open(t)
	ends := make([][]eventstore.Revision, writers)
	batches := make([][][]eventstore.NewEvent, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range rounds {
				batch := numbered(3)
				end, err := store.Append(t.Context(), "a-1", eventstore.Any, batch...)
				if err != nil {
					t.Errorf("Append: %v", err)
					return
				}
				ends[w] = append(ends[w], end)
				batches[w] = append(batches[w], batch)
			}
		})
	}
	wg.Wait()
	all := readAll(t, store)
	checkLedger(t, all)
	if got, want := len(all), writers*rounds*3; got != want {
		t.Fatalf("%d events, want %d", got, want)
	}
	for w := range ends {
		for i, end := range ends[w] {
			same(t, fmt.Sprintf("events up to revision %d", end), written(all[end-2:end+1]), batches[w][i])
		}
	}
}

// testManyStreams gives each writer a stream, and claims that are true. Some
// of the neighbours in a batch are refused, which must not matter to others.
func testManyStreams(t *testing.T, s suite) {
	store := s.open(t)
	var wg sync.WaitGroup
	for w := range writers {
		stream := eventstore.Stream("a", fmt.Sprint(w))
		wg.Go(func() {
			for i := range eventstore.Revision(rounds) {
				got, err := store.Append(t.Context(), stream, eventstore.At(i-1), event("x"))
				if err != nil || got != i {
					t.Errorf("Append to %s = %d, %v, want %d", stream, got, err, i)
					return
				}
			}
		})
		wg.Go(func() {
			for range rounds {
				if _, err := store.Append(t.Context(), stream, eventstore.At(1000), event("x")); !isWrong(err) {
					t.Errorf("Append to %s: %v, want a WrongExpectedError", stream, err)
					return
				}
			}
		})
	}
	wg.Wait()
	all := readAll(t, store)
	checkLedger(t, all)
	if got, want := len(all), writers*rounds; got != want {
		t.Errorf("%d events, want %d", got, want)
	}
}

func isWrong(err error) bool {
	_, ok := errors.AsType[*eventstore.WrongExpectedError](err)
	return ok
}

// testRacingClaims lets all writers claim the same end, again and again. Each
// time one of them is right.
func testRacingClaims(t *testing.T, s suite) {
	store := s.open(t)
	for round := range eventstore.Revision(rounds) {
		var won atomic.Pointer[uuid.UUID]
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				e := event("x")
				got, err := store.Append(t.Context(), "a-1", eventstore.At(round-1), e)
				if isWrong(err) {
					return
				}
				if err != nil || got != round {
					t.Errorf("Append = %d, %v, want %d", got, err, round)
				}
				if !won.CompareAndSwap(nil, &e.ID) {
					t.Errorf("two winners of revision %d", round)
				}
			})
		}
		wg.Wait()
		last := collect(t, store.ReadStream(t.Context(), "a-1", round))
		if len(last) != 1 || won.Load() == nil || last[0].ID != *won.Load() {
			t.Fatalf("revision %d is not the winner's: %v", round, last)
		}
	}
}

// testOrderOfReading reads while others write, each time from where the last
// reading ended. What it has seen in the end is the ledger: had it seen an
// event before one that precedes it, that one would be missing.
func testOrderOfReading(t *testing.T, s suite) {
	store := s.open(t)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for w := range writers {
		stream := eventstore.Stream("a", fmt.Sprint(w%3))
		wg.Go(func() {
			for range rounds {
				if _, err := store.Append(t.Context(), stream, eventstore.Any, numbered(2)...); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	go func() {
		wg.Wait()
		close(done)
	}()
	var seen []eventstore.Recorded
	for last := false; !last; {
		select {
		case <-done:
			last = true
		default:
		}
		var after eventstore.Position
		if len(seen) > 0 {
			after = seen[len(seen)-1].Position
		}
		seen = append(seen, collect(t, store.ReadAll(t.Context(), after))...)
	}
	checkLedger(t, seen)
	same(t, "what was seen on the way", seen, readAll(t, store))
}
