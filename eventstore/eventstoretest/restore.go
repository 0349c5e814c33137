package eventstoretest

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

// RunRestore holds the stores that open makes to the contract of
// [eventstore.Restorer].
func RunRestore(t *testing.T, open Open) {
	s := suite{openIn: open}
	for name, test := range map[string]func(*testing.T, suite){
		"all in calls of any size":     testRestoreAll,
		"what is there is passed over": testRestoreAgain,
		"refused":                      testRestoreRefused,
		"nothing":                      testRestoreNothing,
		"subscribers see it":           testRestoreSeen,
		"appends go on after it":       testRestoreThenAppend,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// foreign makes a ledger of n events as another store recorded it, days ago:
// streams take turns, events of one append share header and time.
func foreign(n int) []eventstore.Recorded {
	all := make([]eventstore.Recorded, n)
	next := make(map[eventstore.StreamID]eventstore.Revision)
	day := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	for i := range all {
		stream := eventstore.Stream("a", fmt.Sprint(i/3%4))
		e := event(fmt.Sprint(i))
		e.Header = fmt.Appendf(nil, `{"append":%d}`, i/3)
		if i%5 == 0 {
			e.Sealed = bytes.Repeat([]byte{byte(i), 0, 0xff}, 40)
		}
		all[i] = eventstore.Recorded{
			NewEvent: e, Stream: stream, Revision: next[stream],
			Position:   eventstore.PositionOf(uint64(1000 + 7*i)),
			RecordedAt: day.Add(time.Duration(i/3) * time.Minute),
		}
		next[stream]++
	}
	return all
}

func mustRestore(t *testing.T, store eventstore.Store, events ...eventstore.Recorded) {
	t.Helper()
	if err := store.(eventstore.Restorer).Restore(t.Context(), events...); err != nil {
		t.Fatalf("Restore of %d events: %v", len(events), err)
	}
}

// restored compares a ledger with events of another, but for the positions.
func restored(t *testing.T, store eventstore.Store, want []eventstore.Recorded) {
	t.Helper()
	got := readAll(t, store)
	checkLedger(t, got)
	same(t, "the restored ledger", placeless(got), placeless(want))
}

func placeless(events []eventstore.Recorded) []eventstore.Recorded {
	events = slices.Clone(events)
	for i := range events {
		events[i].Position = eventstore.Position{}
	}
	return events
}

func testRestoreAll(t *testing.T, s suite) {
	want := foreign(60)
	for _, size := range []int{1, 7, 60} {
		store := s.open(t)
		for chunk := range slices.Chunk(want, size) {
			mustRestore(t, store, chunk...)
		}
		restored(t, store, want)
		for _, e := range want[:4] {
			found := readStream(t, store, e.Stream)
			if len(found) <= int(e.Revision) || found[e.Revision].ID != e.ID {
				t.Errorf("revision %d of %s is not %s", e.Revision, e.Stream, e.ID)
			}
		}
	}
}

func testRestoreAgain(t *testing.T, s suite) {
	want := foreign(30)
	store := s.open(t)
	mustRestore(t, store, want[:12]...)
	mustRestore(t, store, want[:12]...)
	mustRestore(t, store, want[4:9]...)
	mustRestore(t, store, want[5:20]...)
	mustRestore(t, store, want...)
	restored(t, store, want)
}

func testRestoreRefused(t *testing.T, s suite) {
	want := foreign(24)
	const there = 9
	changed := func(i int, change func(*eventstore.Recorded)) eventstore.Recorded {
		e := want[i]
		change(&e)
		return e
	}
	list := func(events ...eventstore.Recorded) []eventstore.Recorded { return events }
	for name, events := range map[string][]eventstore.Recorded{
		"a gap in a stream":            list(want[9], want[11]),
		"a stream that begins late":    list(want[9], changed(10, func(e *eventstore.Recorded) { e.Stream = "b-1" })),
		"a negative revision":          list(want[9], changed(10, func(e *eventstore.Recorded) { e.Revision = -1 })),
		"another event at a place":     list(changed(3, func(e *eventstore.Recorded) { e.ID = uuid.New() })),
		"an event that stands before":  list(changed(9, func(e *eventstore.Recorded) { e.ID = want[11].ID }), want[10], want[11]),
		"older than the end":           list(changed(9, func(e *eventstore.Recorded) { e.RecordedAt = want[0].RecordedAt })),
		"older than the event before":  list(want[9], want[10], changed(11, func(e *eventstore.Recorded) { e.RecordedAt = want[0].RecordedAt })),
		"an event without an id":       list(want[9], changed(10, func(e *eventstore.Recorded) { e.ID = uuid.Nil })),
		"a payload that is too large":  list(want[9], changed(10, func(e *eventstore.Recorded) { e.Payload = make([]byte, eventstore.MaxPayload+1) })),
		"a stream without a name":      list(want[9], changed(10, func(e *eventstore.Recorded) { e.Stream = "" })),
		"known events, then a bad one": append(slices.Clone(want[:9]), want[11]),
	} {
		t.Run(name, func(t *testing.T) {
			store := s.open(t)
			mustRestore(t, store, want[:there]...)
			if err := store.(eventstore.Restorer).Restore(t.Context(), events...); err == nil {
				t.Error("no error")
			}
			restored(t, store, want[:there])
			mustRestore(t, store, want...)
			restored(t, store, want)
		})
	}
}

func testRestoreNothing(t *testing.T, s suite) {
	store := s.open(t)
	mustRestore(t, store)
	restored(t, store, nil)
}

// testRestoreSeen follows a ledger that grows by restoring, one event after
// the other has been seen.
func testRestoreSeen(t *testing.T, s suite) {
	want := foreign(30)
	store := s.open(t)
	seen, done := make(chan struct{}, len(want)), make(chan struct{})
	go func() {
		defer close(done)
		n := 0
		for e, err := range store.Subscribe(t.Context(), eventstore.Position{}) {
			if err != nil || e.ID != want[n].ID {
				t.Errorf("event %d is %s, error %v, want %s", n, e.ID, err, want[n].ID)
				return
			}
			seen <- struct{}{}
			if n++; n == len(want) {
				return
			}
		}
	}()
	for i := range want {
		mustRestore(t, store, want[i])
		select {
		case <-seen:
			runtime.Gosched() // so that the subscription mostly waits
		case <-done:
			return
		case <-time.After(patience):
			t.Fatalf("event %d is not seen", i)
		}
	}
	within(t, "the subscription", done)
}

func testRestoreThenAppend(t *testing.T, s suite) {
	want := foreign(10)
	store := s.open(t)
	mustRestore(t, store, want...)
	last := want[len(want)-1]
	if got := mustAppend(t, store, last.Stream, eventstore.At(last.Revision), event("new")); got != last.Revision+1 {
		t.Errorf("the next revision is %d, want %d", got, last.Revision+1)
	}
	mustAppend(t, store, "b-1", eventstore.NoStream, event("new"))
	all := readAll(t, store)
	checkLedger(t, all)
	if len(all) != 12 {
		t.Errorf("%d events, want 12", len(all))
	}
}
