package esdb

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

// maxKnown bounds the event IDs that are remembered, about 50 bytes each.
const maxKnown = 1 << 19

// known remembers which events stand in which stream. The engine compares IDs
// only where a claim is false, and would take the same event twice; so the
// store looks itself. Streams are never cut or deleted, so what is known is
// true for ever, though there may be more.
type known struct {
	limit int

	mu      sync.Mutex // guards all below
	streams map[eventstore.StreamID]*list.Element
	order   *list.List // of *events, the one in use first
	total   int
}

func newKnown() *known {
	return &known{limit: maxKnown, streams: make(map[eventstore.StreamID]*list.Element), order: list.New()}
}

// events are the first events of one stream, without a gap.
type events struct {
	stream eventstore.StreamID
	known  *known
	turn   chan struct{} // holds one while somebody appends

	mu       sync.Mutex // guards all below
	ids      map[uuid.UUID]eventstore.Revision
	end      eventstore.Revision // the last that is known
	position uint64              // of that
	forgot   bool                // no longer among those that count
}

// of returns what is known of a stream.
func (k *known) of(stream eventstore.StreamID) *events {
	k.mu.Lock()
	defer k.mu.Unlock()
	if element, ok := k.streams[stream]; ok {
		k.order.MoveToFront(element)
		return element.Value.(*events)
	}
	e := &events{stream: stream, known: k, turn: make(chan struct{}, 1), ids: make(map[uuid.UUID]eventstore.Revision), end: -1}
	k.streams[stream] = k.order.PushFront(e)
	k.grow(8) // what a stream takes by itself
	return e
}

// grow counts n more, and forgets the streams that were not used for longest.
// Whoever holds one of those goes on with it. The caller holds the mutex.
func (k *known) grow(n int) {
	k.total += n
	for k.total > k.limit && k.order.Len() > 1 {
		e := k.order.Remove(k.order.Back()).(*events)
		delete(k.streams, e.stream)
		e.mu.Lock()
		e.forgot = true
		k.total -= 8 + len(e.ids)
		e.mu.Unlock()
	}
}

// lock waits for the turn to append. Writers on this node wait for each other
// instead of being refused by the engine; those on other nodes do not. None
// waits for longer than the store has patience: those before it may all have
// to learn that the engine is out of reach.
func (e *events) lock(ctx context.Context, patience time.Duration) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-timer.C:
		return fmt.Errorf("append to %s: %w: others wait for it", e.stream, eventstore.ErrUnavailable)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *events) unlock() { <-e.turn }

// learn adds an event if it is the next one.
func (e *events) learn(revision eventstore.Revision, position uint64, id uuid.UUID) {
	e.known.mu.Lock()
	defer e.known.mu.Unlock()
	if e.add(revision, position, id) {
		e.known.grow(1)
	}
}

// add is learn for one stream, and tells whether the event counts.
func (e *events) add(revision eventstore.Revision, position uint64, id uuid.UUID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if revision != e.end+1 {
		return false
	}
	e.ids[id] = revision
	e.end, e.position = revision, position
	return !e.forgot
}

// last returns the last revision that is known, and its position.
func (e *events) last() (eventstore.Revision, uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.end, e.position
}

// replayed tells whether list was appended before, together and under the
// same claim, and the revision of the last.
func (e *events) replayed(expected eventstore.Expected, list []eventstore.NewEvent) (eventstore.Revision, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(list) == 0 {
		return -1, false
	}
	first, ok := e.ids[list[0].ID]
	if !ok || expected != eventstore.Any && expected != eventstore.At(first-1) {
		return -1, false
	}
	for n, event := range list {
		if at, ok := e.ids[event.ID]; !ok || at != first+eventstore.Revision(n) {
			return -1, false
		}
	}
	return first + eventstore.Revision(len(list)) - 1, true
}

// duplicate returns the first ID of list that is not new, or none.
func (e *events) duplicate(list []eventstore.NewEvent) uuid.UUID {
	e.mu.Lock()
	defer e.mu.Unlock()
	seen := make(map[uuid.UUID]bool, len(list))
	for _, event := range list {
		if _, ok := e.ids[event.ID]; ok || seen[event.ID] {
			return event.ID
		}
		seen[event.ID] = true
	}
	return uuid.Nil
}
