package memory

import (
	"context"
	"fmt"
	"time"

	"github.com/flowledger/flowledger/eventstore"
)

var _ eventstore.Restorer = (*Store)(nil)

// Restore implements [eventstore.Restorer].
func (s *Store) Restore(ctx context.Context, events ...eventstore.Recorded) error {
	for _, e := range events {
		if err := eventstore.Check(e.Stream, []eventstore.NewEvent{e.NewEvent}); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return eventstore.ErrClosed
	}
	before := len(s.events)
	for _, e := range events {
		if err := s.restore(e); err != nil {
			s.takeBack(before)
			return err
		}
	}
	if len(s.events) > before {
		s.wake()
	}
	return nil
}

// restore adds one event, or passes it over. The caller holds the mutex.
func (s *Store) restore(e eventstore.Recorded) error {
	places := s.streams[e.Stream]
	next := eventstore.Revision(len(places))
	known, isKnown := s.ids[e.ID]
	switch {
	case e.Revision >= 0 && e.Revision < next && s.events[places[e.Revision]].ID == e.ID:
		return nil
	case e.Revision != next:
		return fmt.Errorf("restore revision %d of %s, which has %d events", e.Revision, e.Stream, next)
	case isKnown:
		return fmt.Errorf("restore revision %d of %s: event %s is in %s already", e.Revision, e.Stream, e.ID, s.events[known].Stream)
	}
	i, at := len(s.events), e.RecordedAt.UTC().Truncate(time.Microsecond)
	if i > 0 && at.Before(s.events[i-1].RecordedAt) {
		return fmt.Errorf("restore revision %d of %s: it is older than the end of the ledger", e.Revision, e.Stream)
	}
	e.NewEvent, e.Position, e.RecordedAt = clone(e.NewEvent), eventstore.PositionOf(uint64(i)+1), at
	s.events = append(s.events, e)
	s.streams[e.Stream], s.ids[e.ID] = append(places, i), i
	return nil
}

// takeBack removes the events from the index before on, which nobody has seen:
// the mutex has been held since they were added. What readers hold ends before
// them, so their places in the slice may be written again.
func (s *Store) takeBack(before int) {
	for i := len(s.events) - 1; i >= before; i-- {
		e := s.events[i]
		delete(s.ids, e.ID)
		if s.streams[e.Stream] = s.streams[e.Stream][:e.Revision]; e.Revision == 0 {
			delete(s.streams, e.Stream)
		}
	}
	s.events = s.events[:before]
}
