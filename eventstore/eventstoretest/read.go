package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/flowledger/flowledger/eventstore"
)

func testReadStream(t *testing.T, s suite) {
	store := s.open(t)
	events := numbered(5)
	mustAppend(t, store, "a-1", eventstore.NoStream, events[:2]...)
	mustAppend(t, store, "a-12", eventstore.NoStream, event("other"))
	mustAppend(t, store, "a-1", eventstore.At(1), events[2:]...)
	for from, want := range map[eventstore.Revision][]eventstore.NewEvent{
		-1: events, 0: events, 1: events[1:], 4: events[4:], 5: nil, 100: nil,
	} {
		got := collect(t, store.ReadStream(t.Context(), "a-1", from))
		same(t, fmt.Sprintf("the stream from %d", from), written(got), want)
		for i, e := range got {
			if want := max(from, 0) + eventstore.Revision(i); e.Revision != want || e.Stream != "a-1" {
				t.Errorf("from %d: event %d is revision %d of %s, want %d", from, i, e.Revision, e.Stream, want)
			}
		}
	}
	for _, stream := range []eventstore.StreamID{"a", "a-", "a-2", ""} {
		if got := readStream(t, store, stream); len(got) != 0 {
			t.Errorf("%d events of stream %q, want none", len(got), stream)
		}
	}
}

func testReadAll(t *testing.T, s suite) {
	store := s.open(t)
	if got := readAll(t, store); len(got) != 0 {
		t.Fatalf("%d events in an empty ledger", len(got))
	}
	for i, stream := range []eventstore.StreamID{"a-1", "b-1", "a-1", "c-1"} {
		mustAppend(t, store, stream, eventstore.Any, numbered(i+1)...)
	}
	all := readAll(t, store)
	checkLedger(t, all)
	for i, e := range all {
		got := collect(t, store.ReadAll(t.Context(), e.Position))
		same(t, fmt.Sprintf("the ledger after event %d", i), got, all[i+1:])
		text, err := eventstore.ParsePosition(e.Position.String())
		if err != nil || text != e.Position {
			t.Errorf("position %v comes back as %v, %v", e.Position, text, err)
		}
	}
	for _, e := range all {
		got := collect(t, store.ReadStream(t.Context(), e.Stream, e.Revision))
		same(t, "an event of the ledger, in its stream", got[0], e)
	}
}

// testReadLong reads more than a store takes at a time.
func testReadLong(t *testing.T, s suite) {
	store := s.open(t)
	var want []eventstore.NewEvent
	for i := range 3 {
		events := numbered(eventstore.MaxEvents)
		mustAppend(t, store, "a-1", eventstore.At(eventstore.Revision(i*eventstore.MaxEvents-1)), events...)
		mustAppend(t, store, "b-1", eventstore.Any, event("between"))
		want = append(want, events...)
	}
	same(t, "the stream", written(readStream(t, store, "a-1")), want)
	all := readAll(t, store)
	checkLedger(t, all)
	if got := len(all); got != len(want)+3 {
		t.Errorf("%d events, want %d", got, len(want)+3)
	}
}

// testEarlyEnd leaves many readings in the middle, which must hold nothing
// that writers or other readers need.
func testEarlyEnd(t *testing.T, s suite) {
	store := s.open(t)
	mustAppend(t, store, "a-1", eventstore.NoStream, numbered(10)...)
	for range 50 {
		for _, seq := range everyReading(t.Context(), store) {
			for range seq {
				break
			}
		}
	}
	mustAppend(t, store, "a-1", eventstore.At(9), event("x"))
	if got := len(readAll(t, store)); got != 11 {
		t.Errorf("%d events, want 11", got)
	}
}

func everyReading(ctx context.Context, store eventstore.Store) map[string]iter.Seq2[eventstore.Recorded, error] {
	return map[string]iter.Seq2[eventstore.Recorded, error]{
		"ReadStream": store.ReadStream(ctx, "a-1", 0),
		"ReadAll":    store.ReadAll(ctx, eventstore.Position{}),
		"Subscribe":  store.Subscribe(ctx, eventstore.Position{}),
	}
}

// testAppendBetween appends and reads in the midst of many readings. ReadAll
// ends although there is always more.
func testAppendBetween(t *testing.T, s suite) {
	store := s.open(t)
	mustAppend(t, store, "a-1", eventstore.NoStream, numbered(3)...)
	var nest func(depth int)
	nest = func(depth int) {
		for e, err := range store.ReadAll(t.Context(), eventstore.Position{}) {
			if err != nil {
				t.Fatalf("ReadAll: %v", err)
			}
			mustAppend(t, store, "b-1", eventstore.Any, event("x"))
			if got := readStream(t, store, e.Stream); len(got) == 0 {
				t.Fatalf("stream %s is empty", e.Stream)
			}
			if depth > 0 {
				nest(0)
				depth--
			}
		}
	}
	nest(10)
	checkLedger(t, readAll(t, store))
}

func testReadDone(t *testing.T, s suite) {
	store := s.open(t)
	mustAppend(t, store, "a-1", eventstore.NoStream, numbered(10)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, seq := range everyReading(ctx, store) {
		if name == "Subscribe" {
			continue
		}
		events, failures := 0, 0
		for _, err := range seq {
			switch {
			case err == nil && failures == 0:
				events++
				cancel()
			case errors.Is(err, context.Canceled) && failures == 0:
				failures++
			default:
				t.Fatalf("%s: %v after %d events and %d errors", name, err, events, failures)
			}
		}
		if failures != 1 || events > 1 {
			t.Errorf("%s: %d errors and %d events, want an error, and no event after cancel", name, failures, events)
		}
	}
}

// testHead is for stores that tell where the ledger ends.
func testHead(t *testing.T, s suite) {
	store := s.open(t)
	header, ok := store.(interface {
		Head(context.Context) (eventstore.Position, error)
	})
	if !ok {
		t.Skip("the store does not tell where the ledger ends")
	}
	var want eventstore.Position
	for range 3 {
		if got, err := header.Head(t.Context()); err != nil || got != want {
			t.Fatalf("head %v, %v, want %v", got, err, want)
		}
		mustAppend(t, store, "a-1", eventstore.Any, numbered(2)...)
		all := readAll(t, store)
		want = all[len(all)-1].Position
	}
	if err := store.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if _, err := header.Head(t.Context()); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("head of a closed store: %v, want %v", err, eventstore.ErrClosed)
	}
}
