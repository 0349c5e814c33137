package eventstoretest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

func testClaims(t *testing.T, s suite) {
	const end = 2 // of the stream that exists
	for name, test := range map[string]struct {
		stream   eventstore.StreamID
		expected eventstore.Expected
		actual   eventstore.Revision // when refused, else the wanted revision
		refused  bool
	}{
		"new stream, NoStream": {"new-1", eventstore.NoStream, 0, false},
		"new stream, At(-1)":   {"new-1", eventstore.At(-1), 0, false},
		"new stream, Any":      {"new-1", eventstore.Any, 0, false},
		"new stream, At(0)":    {"new-1", eventstore.At(0), -1, true},
		"old stream, NoStream": {"old-1", eventstore.NoStream, end, true},
		"old stream, Any":      {"old-1", eventstore.Any, end + 1, false},
		"old stream, end":      {"old-1", eventstore.At(end), end + 1, false},
		"old stream, before":   {"old-1", eventstore.At(end - 1), end, true},
		"old stream, beyond":   {"old-1", eventstore.At(end + 1), end, true},
		"a prefix of its name": {"old-", eventstore.NoStream, 0, false},
		"its name, upper case": {"OLD-1", eventstore.NoStream, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			store := s.open(t)
			mustAppend(t, store, "old-1", eventstore.NoStream, numbered(end+1)...)
			before := readAll(t, store)
			if !test.refused {
				if got := mustAppend(t, store, test.stream, test.expected, event("x")); got != test.actual {
					t.Errorf("revision %d, want %d", got, test.actual)
				}
				return
			}
			wrong := mustRefuse(t, store, test.stream, test.expected, event("x"))
			want := &eventstore.WrongExpectedError{Stream: test.stream, Expected: test.expected, Actual: test.actual}
			same(t, "the error", wrong, want)
			same(t, "the ledger after a refusal", readAll(t, store), before)
		})
	}
}

func testBatches(t *testing.T, s suite) {
	store := s.open(t)
	a, b, c := numbered(3), numbered(1), numbered(eventstore.MaxEvents)
	steps := []struct {
		stream   eventstore.StreamID
		expected eventstore.Expected
		events   []eventstore.NewEvent
		want     eventstore.Revision
	}{
		{"a-1", eventstore.NoStream, a, 2},
		{"b-1", eventstore.NoStream, b, 0},
		{"a-1", eventstore.At(2), c, 2 + eventstore.MaxEvents},
	}
	var want []eventstore.NewEvent
	for _, step := range steps {
		if got := mustAppend(t, store, step.stream, step.expected, step.events...); got != step.want {
			t.Errorf("revision %d of %s, want %d", got, step.stream, step.want)
		}
		want = append(want, step.events...)
	}
	all := readAll(t, store)
	checkLedger(t, all)
	same(t, "the ledger", written(all), want)
	same(t, "stream a-1", written(readStream(t, store, "a-1")), append(a, c...))
	same(t, "stream b-1", written(readStream(t, store, "b-1")), b)
}

func testAppendNothing(t *testing.T, s suite) {
	store := s.open(t)
	if got := mustAppend(t, store, "a-1", eventstore.NoStream); got != -1 {
		t.Errorf("revision %d of no stream, want -1", got)
	}
	mustAppend(t, store, "a-1", eventstore.NoStream, numbered(2)...)
	if got := mustAppend(t, store, "a-1", eventstore.Any); got != 1 {
		t.Errorf("revision %d, want 1", got)
	}
	mustRefuse(t, store, "a-1", eventstore.NoStream)
	if got := len(readAll(t, store)); got != 2 {
		t.Errorf("%d events, want 2", got)
	}
}

func testAppendDone(t *testing.T, s suite) {
	store := s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Append(ctx, "a-1", eventstore.Any, event("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if got := readAll(t, store); len(got) != 0 {
		t.Errorf("%d events, want none", len(got))
	}
}

// testRoundTrip appends bytes that a store could not reproduce if it parsed
// or normalized them.
func testRoundTrip(t *testing.T, s suite) {
	store := s.open(t)
	odd := event("odd")
	odd.Schema = 65535
	odd.Header = []byte("{ \"b\":1,\"a\":1e400 ,\"a\":\"\\u00e9\" }\n")
	odd.Payload = []byte("{\"text\":\"\u00e9\u2028\U0001F600\\u0000\"}\x00\xff\xfe")
	odd.Sealed = []byte{0, 1, 0xff, 0, '\'', 0x80}
	odd.Salt = [16]byte{0, 0xff, 0x80, 15: 1}
	odd.Type = "\u00c9v\u00e9nement'; --"
	bare := eventstore.NewEvent{ID: event("").ID, Type: "Bare"}
	full := event("full")
	full.Header = make([]byte, eventstore.MaxHeader)
	full.Payload = make([]byte, eventstore.MaxPayload)
	full.Sealed = make([]byte, eventstore.MaxSealed)
	for i := range full.Sealed {
		full.Sealed[i] = byte(i * 7)
	}
	want := []eventstore.NewEvent{odd, bare, full}
	mustAppend(t, store, "a-\u00fc/%'-b c", eventstore.NoStream, want...)
	same(t, "the stream", written(readStream(t, store, "a-\u00fc/%'-b c")), want)
	all := readAll(t, store)
	same(t, "the ledger", written(all), want)
	if got := all[0].Stream; got != "a-\u00fc/%'-b c" {
		t.Errorf("stream %q", got)
	}
}

// testSlices changes bytes on both sides of the store.
func testSlices(t *testing.T, s suite) {
	store := s.open(t)
	mine := func() eventstore.NewEvent {
		return eventstore.NewEvent{
			ID: uuid.UUID{1}, Type: "TestHappened",
			Header: []byte("right"), Payload: []byte("right"), Sealed: []byte("right"),
		}
	}
	spoil := func(e eventstore.NewEvent) {
		_ = append(e.Header, "wrong"...)
		_ = append(e.Payload, "wrong"...)
		copy(e.Header, "wrong")
		copy(e.Payload, "wrong")
		copy(e.Sealed, "wrong")
	}
	e, want := mine(), []eventstore.NewEvent{mine()}
	mustAppend(t, store, "a-1", eventstore.NoStream, e)
	spoil(e)
	same(t, "after the writer reused its bytes", written(readAll(t, store)), want)
	f := follow(t.Context(), store, eventstore.Position{}, 1)
	spoil(readAll(t, store)[0].NewEvent)
	spoil(readStream(t, store, "a-1")[0].NewEvent)
	spoil(f.next(t, 1)[0].NewEvent)
	same(t, "after readers changed their bytes", written(readStream(t, store, "a-1")), want)
}

// testClock turns the clock back. The time of the event before is held.
func testClock(t *testing.T, s suite) {
	start := time.Date(2026, 3, 29, 1, 59, 59, 123456789, time.FixedZone("CET", 3600))
	var offset atomic.Int64
	store := s.reopen(t, t.TempDir(), func() time.Time { return start.Add(time.Duration(offset.Load())) })
	var want []time.Time
	for _, step := range []struct{ clock, recorded time.Duration }{
		{0, 0}, {-time.Hour, 0}, {time.Microsecond, time.Microsecond}, {-time.Nanosecond, time.Microsecond}, {time.Hour, time.Hour},
	} {
		offset.Store(int64(step.clock))
		mustAppend(t, store, "a-1", eventstore.Any, numbered(2)...)
		at := start.Add(step.recorded).UTC().Truncate(time.Microsecond)
		want = append(want, at, at)
	}
	all := readAll(t, store)
	checkLedger(t, all)
	if !s.features.Clocked {
		return
	}
	got := make([]time.Time, len(all))
	for i, e := range all {
		got[i] = e.RecordedAt
	}
	same(t, "times", got, want)
}
