package memory

import (
	"context"
	"iter"

	"github.com/flowledger/flowledger/eventstore"
)

// ReadStream implements [eventstore.Store].
func (s *Store) ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		s.mu.Lock()
		closed, places, events := s.closed, s.streams[stream], s.events
		s.mu.Unlock()
		if closed {
			yield(eventstore.Recorded{}, eventstore.ErrClosed)
			return
		}
		for n := max(from, 0); n < eventstore.Revision(len(places)); n++ {
			if !deliver(ctx, events[places[n]], yield) {
				return
			}
		}
	}
}

// ReadAll implements [eventstore.Store].
func (s *Store) ReadAll(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		events, _, err := s.after(after)
		if err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		for _, e := range events {
			if !deliver(ctx, e, yield) {
				return
			}
		}
	}
}

// deliver yields e, or the error of ctx, and tells whether to go on.
func deliver(ctx context.Context, e eventstore.Recorded, yield func(eventstore.Recorded, error) bool) bool {
	if err := ctx.Err(); err != nil {
		yield(eventstore.Recorded{}, err)
		return false
	}
	e.NewEvent = clone(e.NewEvent)
	return yield(e, nil)
}

// Subscribe implements [eventstore.Store].
func (s *Store) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for ctx.Err() == nil {
			events, grown, err := s.after(after)
			if err != nil {
				yield(eventstore.Recorded{}, err)
				return
			}
			for _, e := range events {
				after = e.Position
				e.NewEvent = clone(e.NewEvent)
				if !yield(e, nil) || ctx.Err() != nil {
					return
				}
			}
			if len(events) > 0 {
				continue
			}
			select {
			case <-grown:
			case <-s.closing:
			case <-ctx.Done():
			}
		}
	}
}

// after returns the events after position, and a channel that is closed when
// there are more.
func (s *Store) after(position eventstore.Position) ([]eventstore.Recorded, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, eventstore.ErrClosed
	}
	n := min(position.Value(), uint64(len(s.events)))
	return s.events[n:], s.grown, nil
}
