package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

func testClose(t *testing.T, s suite) {
	store := s.open(t)
	mustAppend(t, store, "a-1", eventstore.NoStream, numbered(3)...)
	var followers []*follower
	for range 5 {
		f := follow(t.Context(), store, eventstore.Position{}, 3)
		f.next(t, 3)
		followers = append(followers, f)
	}
	for range 2 {
		if err := store.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	for _, f := range followers {
		within(t, "the end of a subscription", f.done)
		if !errors.Is(f.err, eventstore.ErrClosed) {
			t.Errorf("the subscription ended with %v, want %v", f.err, eventstore.ErrClosed)
		}
	}
	if _, err := store.Append(t.Context(), "a-1", eventstore.Any, event("x")); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("Append: %v, want %v", err, eventstore.ErrClosed)
	}
	for name, seq := range everyReading(t.Context(), store) {
		turns := 0
		for _, err := range seq {
			if turns++; !errors.Is(err, eventstore.ErrClosed) {
				t.Errorf("%s: %v, want %v", name, err, eventstore.ErrClosed)
			}
		}
		if turns != 1 {
			t.Errorf("%s yields %d times, want once", name, turns)
		}
	}
}

// testCloseUnderLoad closes a store that is written to, read and followed.
// Whoever was told that his events are appended finds them when it is open
// again; whoever was not finds all of them or none.
func testCloseUnderLoad(t *testing.T, s suite) {
	dir := t.TempDir()
	store := s.reopen(t, dir, time.Now)
	var acknowledged sync.Map // of the first event's ID, to true
	var count atomic.Int64
	enough := make(chan struct{})
	var wg sync.WaitGroup
	for w := range writers {
		stream := eventstore.Stream("a", fmt.Sprint(w%5))
		wg.Go(func() {
			for {
				batch := numbered(3)
				_, err := store.Append(t.Context(), stream, eventstore.Any, batch...)
				if err != nil {
					if !errors.Is(err, eventstore.ErrClosed) {
						t.Errorf("Append: %v, want %v", err, eventstore.ErrClosed)
					}
					return
				}
				acknowledged.Store(batch[0].ID, true)
				if count.Add(1) == 200 {
					close(enough)
				}
			}
		})
		wg.Go(func() { readUntilClosed(t, store, w) })
	}
	within(t, "writing", enough)
	if err := store.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wg.Wait()
	if !s.features.Durable {
		return
	}
	checkBatches(t, readAll(t, s.reopen(t, dir, time.Now)), &acknowledged, 3)
}

// readUntilClosed reads in the way that n stands for.
func readUntilClosed(t *testing.T, store eventstore.Store, n int) {
	for {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		for _, err := range everyReading(ctx, store)[[]string{"ReadStream", "ReadAll", "Subscribe"}[n%3]] {
			if errors.Is(err, eventstore.ErrClosed) {
				cancel()
				return
			}
			if err != nil {
				t.Errorf("read: %v, want %v", err, eventstore.ErrClosed)
			}
		}
		if ctx.Err() != nil {
			t.Error("the reading does not end")
		}
		cancel()
	}
}

// checkBatches holds that the ledger consists of whole batches of size, and
// that those whose first ID is acknowledged are all there.
func checkBatches(t *testing.T, all []eventstore.Recorded, acknowledged *sync.Map, size int) {
	t.Helper()
	checkLedger(t, all)
	if len(all)%size != 0 {
		t.Fatalf("%d events are no whole batches of %d", len(all), size)
	}
	first := make(map[uuid.UUID]bool)
	for i := 0; i < len(all); i += size {
		first[all[i].ID] = true
		for n, e := range all[i : i+size] {
			if want := event(fmt.Sprint(n)).Payload; e.Stream != all[i].Stream || string(e.Payload) != string(want) {
				t.Fatalf("event %d is %s of %s, want %s of %s", i+n, e.Payload, e.Stream, want, all[i].Stream)
			}
		}
	}
	acknowledged.Range(func(id, _ any) bool {
		if !first[id.(uuid.UUID)] {
			t.Errorf("the acknowledged batch of %s is lost", id)
		}
		return true
	})
}

func testReopen(t *testing.T, s suite) {
	if !s.features.Durable {
		t.Skip("the store forgets")
	}
	dir := t.TempDir()
	store := s.reopen(t, dir, time.Now)
	first := numbered(3)
	mustAppend(t, store, "a-1", eventstore.NoStream, first...)
	mustAppend(t, store, "b-1", eventstore.NoStream, numbered(1)...)
	before := readAll(t, store)
	if err := store.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}

	store = s.reopen(t, dir, time.Now)
	same(t, "the ledger, opened again", readAll(t, store), before)
	if got := mustAppend(t, store, "a-1", eventstore.NoStream, first...); got != 2 {
		t.Errorf("a repeated append returns %d, want 2", got)
	}
	mustRefuse(t, store, "b-1", eventstore.NoStream, event("x"))
	f := follow(t.Context(), store, before[len(before)-1].Position, 10)
	mustAppend(t, store, "a-1", eventstore.At(2), event("x"))
	f.next(t, 1)
	all := readAll(t, store)
	checkLedger(t, all)
	same(t, "the ledger of before, in that of after", all[:len(before)], before)
}

// testReopenClock opens a ledger with a clock that is behind.
func testReopenClock(t *testing.T, s suite) {
	if !s.features.Durable {
		t.Skip("the store forgets")
	}
	dir := t.TempDir()
	start := time.Now()
	for day := range 3 {
		store := s.reopen(t, dir, func() time.Time { return start.AddDate(0, 0, -day) })
		mustAppend(t, store, "a-1", eventstore.Any, event("x"))
		checkLedger(t, readAll(t, store))
		if err := store.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
}
