// Package eventstoretest is the contract of [eventstore.Store] as tests: what
// its comments promise is held here, and a store that passes may replace
// another.
package eventstoretest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

// Features says what a store can do beyond the contract.
type Features struct {
	// Durable stores keep what was appended when they are opened again on
	// the same folder.
	Durable bool
	// Clocked stores take their times from the function given to open.
	Clocked bool
	// UniqueIDs are refused when another stream holds them.
	UniqueIDs bool
}

// Open opens a store that keeps its data in dir, if it keeps any.
type Open func(t *testing.T, dir string, now func() time.Time) eventstore.Store

// Run holds the stores that open makes to the contract.
func Run(t *testing.T, features Features, open Open) {
	s := suite{features, open}
	for name, test := range map[string]func(*testing.T, suite){
		"append/claims":                 testClaims,
		"append/batches":                testBatches,
		"append/nothing":                testAppendNothing,
		"append/done context":           testAppendDone,
		"append/round trip":             testRoundTrip,
		"append/limits":                 testLimits,
		"append/slices stay apart":      testSlices,
		"append/clock":                  testClock,
		"replay/same claim":             testReplay,
		"replay/conflicts":              testReplayConflicts,
		"replay/other stream":           testOtherStream,
		"replay/racing":                 testRacingReplay,
		"concurrency/one stream":        testOneStream,
		"concurrency/many streams":      testManyStreams,
		"concurrency/racing claims":     testRacingClaims,
		"concurrency/order of reading":  testOrderOfReading,
		"read/stream":                   testReadStream,
		"read/all":                      testReadAll,
		"read/long":                     testReadLong,
		"read/early end":                testEarlyEnd,
		"read/append between":           testAppendBetween,
		"read/done context":             testReadDone,
		"read/head":                     testHead,
		"subscribe/late":                testSubscribeLate,
		"subscribe/wakes":               testSubscribeWakes,
		"subscribe/under writers":       testSubscribeUnderWriters,
		"subscribe/context":             testSubscribeContext,
		"subscribe/cancelled anywhere":  testSubscribeCancelled,
		"subscribe/position to come":    testSubscribeAhead,
		"close/everything ends":         testClose,
		"close/under load":              testCloseUnderLoad,
		"close/reopening":               testReopen,
		"close/reopening, clock behind": testReopenClock,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// patience bounds a wait that ends at once in a store that works.
const patience = 20 * time.Second

type suite struct {
	features Features
	openIn   Open
}

// open opens a store that is closed with the test.
func (s suite) open(t *testing.T) eventstore.Store {
	t.Helper()
	return s.reopen(t, t.TempDir(), time.Now)
}

func (s suite) reopen(t *testing.T, dir string, now func() time.Time) eventstore.Store {
	t.Helper()
	store := s.openIn(t, dir, now)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return store
}

// event makes an event with an ID of its own and a payload that says text.
func event(text string) eventstore.NewEvent {
	id := uuid.Must(uuid.NewV7())
	return eventstore.NewEvent{
		ID:      id,
		Type:    "TestHappened",
		Schema:  1,
		Header:  []byte(`{"writer":"test"}`),
		Payload: fmt.Appendf(nil, "{%q:%q}", "text", text),
		Salt:    id,
	}
}

// numbered makes n events.
func numbered(n int) []eventstore.NewEvent {
	events := make([]eventstore.NewEvent, n)
	for i := range events {
		events[i] = event(fmt.Sprint(i))
	}
	return events
}

func mustAppend(t *testing.T, store eventstore.Store, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent) eventstore.Revision {
	t.Helper()
	revision, err := store.Append(t.Context(), stream, expected, events...)
	if err != nil {
		t.Fatalf("Append(%s, %d): %v", stream, expected, err)
	}
	return revision
}

// mustRefuse appends under a claim that is false, or events that are a
// conflict.
func mustRefuse(t *testing.T, store eventstore.Store, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent) *eventstore.WrongExpectedError {
	t.Helper()
	revision, err := store.Append(t.Context(), stream, expected, events...)
	wrong, ok := errors.AsType[*eventstore.WrongExpectedError](err)
	if !ok {
		t.Fatalf("Append(%s, %d) = %d, %v, want a WrongExpectedError", stream, expected, revision, err)
	}
	return wrong
}

// collect reads seq to its end.
func collect(t *testing.T, seq iter.Seq2[eventstore.Recorded, error]) []eventstore.Recorded {
	t.Helper()
	var all []eventstore.Recorded
	for e, err := range seq {
		if err != nil {
			t.Fatalf("after %d events: %v", len(all), err)
		}
		all = append(all, e)
	}
	return all
}

func readAll(t *testing.T, store eventstore.Store) []eventstore.Recorded {
	t.Helper()
	return collect(t, store.ReadAll(t.Context(), eventstore.Position{}))
}

func readStream(t *testing.T, store eventstore.Store, stream eventstore.StreamID) []eventstore.Recorded {
	t.Helper()
	return collect(t, store.ReadStream(t.Context(), stream, 0))
}

// same compares what was read with what is wanted. No bytes and nil are one.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return // cmp takes seconds for a long ledger under the race detector
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(samePosition)); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func samePosition(p, q eventstore.Position) bool { return p.Compare(q) == 0 }

// written returns what the writers of events said.
func written(events []eventstore.Recorded) []eventstore.NewEvent {
	all := make([]eventstore.NewEvent, len(events))
	for i, e := range events {
		all[i] = e.NewEvent
	}
	return all
}

// checkLedger holds the invariants of any ledger: positions ascend, times do
// not descend and are UTC microseconds, revisions are dense in each stream,
// and no ID stands twice.
func checkLedger(t *testing.T, all []eventstore.Recorded) {
	t.Helper()
	var last eventstore.Recorded
	next := make(map[eventstore.StreamID]eventstore.Revision)
	ids := make(map[uuid.UUID]bool)
	for i, e := range all {
		switch {
		case e.Position.Compare(last.Position) <= 0:
			t.Fatalf("event %d at position %v, after %v", i, e.Position, last.Position)
		case e.RecordedAt.Before(last.RecordedAt):
			t.Fatalf("event %d of %v, after %v", i, e.RecordedAt, last.RecordedAt)
		case e.RecordedAt.Location() != time.UTC || e.RecordedAt.Nanosecond()%1000 != 0:
			t.Fatalf("event %d of %v, want UTC and whole microseconds", i, e.RecordedAt)
		case e.Revision != next[e.Stream]:
			t.Fatalf("event %d is revision %d of %s, want %d", i, e.Revision, e.Stream, next[e.Stream])
		case ids[e.ID]:
			t.Fatalf("event %d: %s stands twice", i, e.ID)
		}
		next[e.Stream]++
		ids[e.ID] = true
		last = e
	}
}

// within fails the test if done is not closed in time.
func within(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatalf("%s takes too long", what)
	}
}
