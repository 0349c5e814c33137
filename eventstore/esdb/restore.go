package esdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// Restore implements [eventstore.Restorer]. All is checked before anything is
// written. It is then written append by append, in order: a crash leaves the
// first of them, and the same call writes the rest.
func (s *Store) Restore(ctx context.Context, list ...eventstore.Recorded) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	fresh, err := s.missing(ctx, list)
	if err != nil {
		return err
	}
	for len(fresh) > 0 {
		n := together(fresh)
		if err := s.restore(ctx, fresh[:n]); err != nil {
			return fmt.Errorf("restore %s: %w", fresh[0].Stream, err)
		}
		fresh = fresh[n:]
	}
	return nil
}

// missing returns the events that are not in the ledger yet, or why they
// cannot be added.
func (s *Store) missing(ctx context.Context, list []eventstore.Recorded) ([]eventstore.Recorded, error) {
	end, err := s.head(ctx)
	if err != nil {
		return nil, err
	}
	var fresh []eventstore.Recorded
	next := make(map[eventstore.StreamID]eventstore.Revision)
	ids := make(map[uuid.UUID]bool)
	for _, e := range list {
		if err := check(e.Stream, []eventstore.NewEvent{e.NewEvent}); err != nil {
			return nil, err
		}
		known := s.known.of(e.Stream)
		if _, ok := next[e.Stream]; !ok {
			if err := s.catchUp(ctx, known); err != nil {
				return nil, err
			}
			last, _ := known.last()
			next[e.Stream] = last + 1
		}
		if known.stands(e.Revision, e.ID) {
			continue
		}
		switch {
		case e.Revision != next[e.Stream]:
			return nil, fmt.Errorf("restore %s: revision %d does not follow %d", e.Stream, e.Revision, next[e.Stream]-1)
		case ids[e.ID] || known.duplicate([]eventstore.NewEvent{e.NewEvent}) != uuid.Nil:
			return nil, fmt.Errorf("restore %s: event %s stands elsewhere in it", e.Stream, e.ID)
		case e.RecordedAt.Before(end.at):
			return nil, fmt.Errorf("restore %s: revision %d is older than the end of the ledger", e.Stream, e.Revision)
		}
		next[e.Stream]++
		ids[e.ID], end.at = true, e.RecordedAt
		fresh = append(fresh, e)
	}
	return fresh, nil
}

// together returns how many of list one append can hold: those of one stream
// that stand next to each other, up to the limit.
func together(list []eventstore.Recorded) int {
	n, size := 0, 0
	for ; n < len(list) && n < eventstore.MaxEvents && list[n].Stream == list[0].Stream; n++ {
		if size += sizeOf(&list[n].NewEvent) + len(time.RFC3339Nano); size > MaxAppend && n > 0 {
			break
		}
	}
	return n
}

func (s *Store) restore(ctx context.Context, list []eventstore.Recorded) error {
	known := s.known.of(list[0].Stream)
	if err := known.lock(ctx, s.waits.patience); err != nil {
		return s.closedOr(err)
	}
	defer known.unlock()
	batch := make([]esdb.EventData, len(list))
	for i := range list {
		data, err := encode(&list[i].NewEvent, list[i].RecordedAt.UTC().Format(time.RFC3339Nano))
		if err != nil {
			return err
		}
		batch[i] = data
	}
	written, err := s.writeBatch(ctx, known, list[0].Revision-1, batch)
	if err != nil {
		return err
	}
	if !written {
		return fmt.Errorf("somebody else writes to the ledger at revision %d", list[0].Revision)
	}
	_, position := known.last()
	s.reach(position)
	return nil
}

// stands tells whether the event at revision has this ID.
func (e *events) stands(revision eventstore.Revision, id uuid.UUID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok := e.ids[id]
	return ok && at == revision
}
