package eventstoretest

import (
	"sync"
	"testing"

	"github.com/flowledger/flowledger/eventstore"
)

// testReplay repeats appends, at once and when others followed.
func testReplay(t *testing.T, s suite) {
	store := s.open(t)
	first, second, third := numbered(3), numbered(2), numbered(1)
	steps := []struct {
		expected eventstore.Expected
		events   []eventstore.NewEvent
		want     eventstore.Revision
	}{
		{eventstore.NoStream, first, 2},
		{eventstore.At(2), second, 4},
		{eventstore.Any, third, 5},
	}
	for i, step := range steps {
		mustAppend(t, store, "a-1", step.expected, step.events...)
		before := readAll(t, store)
		for _, again := range steps[:i+1] {
			if got := mustAppend(t, store, "a-1", again.expected, again.events...); got != again.want {
				t.Errorf("repeated append under %d returns %d, want %d", again.expected, got, again.want)
			}
		}
		same(t, "the ledger after repeated appends", readAll(t, store), before)
	}
}

func testReplayConflicts(t *testing.T, s suite) {
	old := numbered(4) // appended as 0 and 1, then 2 and 3
	x, y := event("x"), event("y")
	list := func(events ...eventstore.NewEvent) []eventstore.NewEvent { return events }
	for name, test := range map[string]struct {
		expected eventstore.Expected
		events   []eventstore.NewEvent
	}{
		"same events, other claim":         {eventstore.At(1), list(old[0], old[1])},
		"same events, the end":             {eventstore.At(3), list(old[2], old[3])},
		"same events, no stream":           {eventstore.NoStream, list(old[2], old[3])},
		"known first, any":                 {eventstore.Any, list(old[3], x)},
		"known first, same claim":          {eventstore.At(1), list(old[2], x)},
		"known first, the end":             {eventstore.At(3), list(old[3], x)},
		"known last, any":                  {eventstore.Any, list(x, old[0])},
		"known last, the end":              {eventstore.At(3), list(x, y, old[3])},
		"known last, old claim":            {eventstore.At(1), list(x, old[3])},
		"other order":                      {eventstore.At(1), list(old[3], old[2])},
		"other order, any":                 {eventstore.Any, list(old[1], old[0])},
		"more than were appended":          {eventstore.At(1), list(old[2], old[3], x)},
		"a gap":                            {eventstore.NoStream, list(old[0], old[2])},
		"one new event twice":              {eventstore.At(3), list(x, x)},
		"one new event twice, any":         {eventstore.Any, list(x, y, x)},
		"one known event twice":            {eventstore.At(1), list(old[2], old[2])},
		"one known event twice, no stream": {eventstore.NoStream, list(old[0], old[0])},
	} {
		t.Run(name, func(t *testing.T) {
			store := s.open(t)
			mustAppend(t, store, "a-1", eventstore.NoStream, old[:2]...)
			mustAppend(t, store, "a-1", eventstore.At(1), old[2:]...)
			before := readAll(t, store)
			mustRefuse(t, store, "a-1", test.expected, test.events...)
			same(t, "the ledger after a conflict", readAll(t, store), before)
			mustAppend(t, store, "a-1", eventstore.At(3), event("after"))
			mustAppend(t, store, "b-1", eventstore.NoStream, event("after"))
			checkLedger(t, readAll(t, store))
		})
	}
}

func testOtherStream(t *testing.T, s suite) {
	if !s.features.UniqueIDs {
		t.Skip("the store compares event IDs within a stream")
	}
	store := s.open(t)
	e := event("x")
	mustAppend(t, store, "a-1", eventstore.NoStream, e)
	before := readAll(t, store)
	for _, expected := range []eventstore.Expected{eventstore.NoStream, eventstore.Any} {
		if wrong := mustRefuse(t, store, "b-1", expected, event("y"), e); wrong.Duplicate != e.ID {
			t.Errorf("duplicate %s, want %s", wrong.Duplicate, e.ID)
		}
	}
	same(t, "the ledger after a conflict", readAll(t, store), before)
	if got := mustAppend(t, store, "b-1", eventstore.NoStream, event("z")); got != 0 {
		t.Errorf("revision %d, want 0", got)
	}
	checkLedger(t, readAll(t, store))
}

// testRacingReplay appends the same events from many writers: all succeed,
// once.
func testRacingReplay(t *testing.T, s suite) {
	store := s.open(t)
	const writers = 16
	for round := range 10 {
		events := numbered(3)
		expected := eventstore.At(eventstore.Revision(round*3 - 1))
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				got, err := store.Append(t.Context(), "a-1", expected, events...)
				if want := eventstore.Revision(round*3 + 2); err != nil || got != want {
					t.Errorf("revision %d, %v, want %d", got, err, want)
				}
			})
		}
		wg.Wait()
	}
	all := readAll(t, store)
	checkLedger(t, all)
	if len(all) != 30 {
		t.Errorf("%d events, want 30", len(all))
	}
}
