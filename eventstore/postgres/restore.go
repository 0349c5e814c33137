package postgres

import (
	"context"
	"fmt"
	"maps"

	"github.com/flowledger/flowledger/eventstore"
)

// Restore implements [eventstore.Restorer]. It goes through the writer like an
// append, in one transaction: a crash leaves all of a call or nothing.
func (s *Store) Restore(ctx context.Context, events ...eventstore.Recorded) error {
	if len(events) == 0 {
		return s.ready(ctx)
	}
	size := 0
	for i := range events {
		e := &events[i]
		if err := check(e.Stream, []eventstore.NewEvent{e.NewEvent}); err != nil {
			return err
		}
		size += len(e.Header) + len(e.Payload) + len(e.Sealed)
	}
	r := &request{stream: "the ledger", restored: events, bytes: size, done: make(chan struct{})}
	_, err := s.submit(ctx, r)
	return err
}

// restore plans all events that do not stand in the ledger already, or none:
// what is refused leaves no trace in the plan.
func (p *plan) restore(events []eventstore.Recorded) error {
	before := p.clone()
	for i := range events {
		if err := p.takeOver(&events[i]); err != nil {
			*p = *before
			return err
		}
	}
	return nil
}

// clone copies what planning changes in place. New rows are appended, and are
// gone with the lengths of the slices.
func (p *plan) clone() *plan {
	c := *p
	c.known = maps.Clone(p.known)
	c.endings = make(map[eventstore.StreamID]*ending, len(p.endings))
	for name, e := range p.endings {
		end := *e
		c.endings[name] = &end
	}
	return &c
}

func (p *plan) takeOver(e *eventstore.Recorded) error {
	unlike := func(format string, args ...any) error {
		return fmt.Errorf("restore revision %d of %s: %s", e.Revision, e.Stream, fmt.Sprintf(format, args...))
	}
	end := p.ending(e.Stream)
	at, known := p.known[e.ID]
	recordedAt := e.RecordedAt.UnixMicro()
	switch {
	case known && at == (place{end.key, e.Revision}):
		return nil
	case e.Revision >= 0 && e.Revision <= end.revision:
		return unlike("another event stands there")
	case known:
		return unlike("event %s stands elsewhere", e.ID)
	case e.Revision != end.revision+1:
		return unlike("the stream is at revision %d", end.revision)
	case recordedAt < p.recordedAt:
		return unlike("it is older than the end of the ledger")
	}
	p.recordedAt = recordedAt
	p.put(e.Stream, end, &e.NewEvent)
	return nil
}
