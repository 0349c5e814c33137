package sqlite

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/eventstore"
)

// TestRestoreHeaders takes over events whose headers are mostly those of the
// event before, in calls that begin and end anywhere, and overlap.
func TestRestoreHeaders(t *testing.T) {
	day := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	from := openAt(t, func() time.Time { return day })
	for i := range 20 {
		events := someEvents("X", "Y", "Z")
		for n := range events {
			events[n].Header = fmt.Appendf(nil, `{"writer":%d}`, i/3)
		}
		if _, err := from.Append(t.Context(), eventstore.Stream("a", fmt.Sprint(i%4)), eventstore.Any, events...); err != nil {
			t.Fatal(err)
		}
	}
	want := all(t, from)
	for size := 1; size < len(want); size += 7 {
		to := openAt(t, time.Now)
		for begin := 0; begin < len(want); begin += size {
			chunk := want[max(begin-2, 0):min(begin+size, len(want))]
			if err := to.Restore(t.Context(), chunk...); err != nil {
				t.Fatalf("calls of %d: %v", size, err)
			}
		}
		if diff := cmp.Diff(want, all(t, to), cmpopts.EquateEmpty(), cmp.Comparer(samePlace)); diff != "" {
			t.Fatalf("calls of %d (-want +got):\n%s", size, diff)
		}
	}
}

func samePlace(p, q eventstore.Position) bool { return p.Compare(q) == 0 }

// TestRestoreRefused has a call that fails in its middle share a transaction
// with appends, which must not notice.
func TestRestoreRefused(t *testing.T) {
	from := openAt(t, func() time.Time { return time.Unix(1, 0) })
	if _, err := from.Append(t.Context(), "a-1", eventstore.NoStream, someEvents("X", "Y", "Z")...); err != nil {
		t.Fatal(err)
	}
	good := all(t, from)
	gap := slices.Concat(good[:1], good[2:])
	w := newWriter(t)
	w.now = func() time.Time { return time.Unix(2, 0) }
	batch := []*request{
		{restored: gap, done: make(chan struct{})},
		newRequest("b-1", eventstore.NoStream, someEvents("N")),
		{restored: good, done: make(chan struct{})}, // older than b-1 by now
		newRequest("a-1", eventstore.NoStream, someEvents("N")),
	}
	w.commit(batch)
	for i, refused := range []bool{true, false, true, false} {
		if got := batch[i].err != nil; got != refused {
			t.Errorf("request %d: error %v, want one: %v", i, batch[i].err, refused)
		}
	}
	w.check(t, 2)
}

func openAt(t *testing.T, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "events.db"), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func all(t *testing.T, s *Store) (events []eventstore.Recorded) {
	t.Helper()
	for e, err := range s.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}
