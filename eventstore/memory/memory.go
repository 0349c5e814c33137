// Package memory is a store that forgets: the ledger as a slice. It keeps the
// whole contract of [eventstore.Store] but for durability, and serves tests
// and trials.
package memory

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

// A Store is an [eventstore.Store] in memory.
type Store struct {
	now func() time.Time

	mu sync.Mutex // guards all below
	// events holds the event of position p at p-1. What is in it is never
	// changed, so a slice of it may be read without the mutex.
	events  []eventstore.Recorded
	streams map[eventstore.StreamID][]int // indices into events
	ids     map[uuid.UUID]int             // index into events
	notes   map[string]note
	grown   chan struct{} // closed and replaced when events grows
	closed  bool
	closing chan struct{} // closed with closed
}

var _ eventstore.Store = (*Store)(nil)

// New makes an empty store that takes its times from now.
func New(now func() time.Time) *Store {
	return &Store{
		now:     now,
		streams: make(map[eventstore.StreamID][]int),
		ids:     make(map[uuid.UUID]int),
		notes:   make(map[string]note),
		grown:   make(chan struct{}),
		closing: make(chan struct{}),
	}
}

// Append implements [eventstore.Store].
func (s *Store) Append(ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent) (eventstore.Revision, error) {
	if err := eventstore.Check(stream, events); err != nil {
		return -1, err
	}
	if err := ctx.Err(); err != nil {
		return -1, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return -1, eventstore.ErrClosed
	}
	if last, ok := s.replayed(stream, expected, events); ok {
		return last, nil
	}
	head := eventstore.Revision(len(s.streams[stream])) - 1
	if err := s.refuse(stream, expected, head, events); err != nil {
		return -1, err
	}
	s.record(stream, head, events)
	return head + eventstore.Revision(len(events)), nil
}

// replayed tells whether events were appended before, together and under the
// same claim, and the revision of the last.
func (s *Store) replayed(stream eventstore.StreamID, expected eventstore.Expected, events []eventstore.NewEvent) (eventstore.Revision, bool) {
	if len(events) == 0 {
		return 0, false
	}
	i, ok := s.ids[events[0].ID]
	if !ok || s.events[i].Stream != stream {
		return 0, false
	}
	first := s.events[i].Revision
	if expected != eventstore.Any && expected != eventstore.At(first-1) {
		return 0, false
	}
	places := s.streams[stream][first:]
	if len(places) < len(events) {
		return 0, false
	}
	for n := range events {
		if s.events[places[n]].ID != events[n].ID {
			return 0, false
		}
	}
	return first + eventstore.Revision(len(events)) - 1, true
}

// refuse returns the error for a false claim, or for an ID that is not new.
func (s *Store) refuse(stream eventstore.StreamID, expected eventstore.Expected, head eventstore.Revision, events []eventstore.NewEvent) error {
	wrong := &eventstore.WrongExpectedError{Stream: stream, Expected: expected, Actual: head}
	if expected != eventstore.Any && expected != eventstore.At(head) {
		return wrong
	}
	seen := make(map[uuid.UUID]bool, len(events))
	for _, e := range events {
		if _, known := s.ids[e.ID]; known || seen[e.ID] {
			wrong.Duplicate = e.ID
			return wrong
		}
		seen[e.ID] = true
	}
	return nil
}

// record adds events after head. The caller holds the mutex.
func (s *Store) record(stream eventstore.StreamID, head eventstore.Revision, events []eventstore.NewEvent) {
	if len(events) == 0 {
		return
	}
	at := s.now().UTC().Truncate(time.Microsecond)
	if n := len(s.events); n > 0 && at.Before(s.events[n-1].RecordedAt) {
		at = s.events[n-1].RecordedAt // the clock stepped back
	}
	for n, e := range events {
		i := len(s.events)
		s.events = append(s.events, eventstore.Recorded{
			NewEvent:   clone(e),
			Stream:     stream,
			Revision:   head + 1 + eventstore.Revision(n),
			Position:   eventstore.PositionOf(uint64(i) + 1),
			RecordedAt: at,
		})
		s.streams[stream] = append(s.streams[stream], i)
		s.ids[e.ID] = i
	}
	s.wake()
}

// wake tells those who wait that there are more events. The caller holds the
// mutex.
func (s *Store) wake() {
	close(s.grown)
	s.grown = make(chan struct{})
}

// clone copies the bytes of e, so that the writer may reuse his and no reader
// sees another's changes.
func clone(e eventstore.NewEvent) eventstore.NewEvent {
	e.Header, e.Payload, e.Sealed = bytes.Clone(e.Header), bytes.Clone(e.Payload), bytes.Clone(e.Sealed)
	return e
}

// Reached returns a position at or after every append that was acknowledged.
func (s *Store) Reached() eventstore.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return eventstore.PositionOf(uint64(len(s.events)))
}

// Head returns the position of the last event.
func (s *Store) Head(context.Context) (eventstore.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return eventstore.Position{}, eventstore.ErrClosed
	}
	return eventstore.PositionOf(uint64(len(s.events))), nil
}

// Close implements [eventstore.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	return nil
}
