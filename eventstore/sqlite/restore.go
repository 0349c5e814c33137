package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowledger/flowledger/eventstore"
)

var _ eventstore.Restorer = (*Store)(nil)

// Restore implements [eventstore.Restorer]. It goes through the writer like an
// append, in one transaction: a crash leaves all of a call or nothing.
func (s *Store) Restore(ctx context.Context, events ...eventstore.Recorded) error {
	if len(events) == 0 {
		return s.ready(ctx)
	}
	size := 0
	for i := range events {
		e := &events[i]
		if err := eventstore.Check(e.Stream, []eventstore.NewEvent{e.NewEvent}); err != nil {
			return err
		}
		size += len(e.Header) + len(e.Payload) + len(e.Sealed)
	}
	r := &request{stream: "the ledger", restored: events, bytes: size, done: make(chan struct{})}
	_, err := s.submit(ctx, r)
	return err
}

// A place is a stream as a restoring sees it: its key, and its end in the open
// transaction and in the table.
type place struct {
	key           int64
	head, written eventstore.Revision
}

// A misfitError says which event cannot be restored where it is to stand.
type misfitError struct{ text string }

// Error implements error.
func (e *misfitError) Error() string { return e.text }

func unlike(e *eventstore.Recorded, format string, args ...any) error {
	return &misfitError{fmt.Sprintf("restore revision %d of %s: %s", e.Revision, e.Stream, fmt.Sprintf(format, args...))}
}

// restore carries out r in the open transaction. What is refused leaves no
// trace. The error that it returns is about the database.
func (w *writer) restore(r *request) error {
	position, recordedAt := w.position, w.recordedAt
	if err := w.exec("SAVEPOINT restoring"); err != nil {
		return err
	}
	err := w.restoreAll(r.restored)
	if refusal, ok := errors.AsType[*misfitError](err); ok {
		r.err, err = refusal, nil
		w.position, w.recordedAt = position, recordedAt
		err = w.exec("ROLLBACK TO restoring")
	}
	if err != nil {
		return err
	}
	return w.exec("RELEASE restoring")
}

func (w *writer) restoreAll(events []eventstore.Recorded) error {
	places := make(map[eventstore.StreamID]*place)
	written := -1 // index of the event that the ledger ends with, if any of these
	for i := range events {
		e := &events[i]
		p, err := w.placeOf(places, e.Stream)
		if err != nil {
			return err
		}
		passed, err := w.fits(p, e)
		if err != nil {
			return err
		}
		if passed {
			continue
		}
		repeats := written >= 0 && bytes.Equal(e.Header, events[written].Header)
		if err := w.put(p, e, repeats); err != nil {
			return err
		}
		written = i
	}
	for name, p := range places {
		if p.head == p.written {
			continue
		}
		if _, err := w.setHead(p.key, p.written, p.head, name); err != nil {
			return err
		}
	}
	return nil
}

// placeOf looks up a stream once.
func (w *writer) placeOf(places map[eventstore.StreamID]*place, name eventstore.StreamID) (*place, error) {
	if p, ok := places[name]; ok {
		return p, nil
	}
	key, head, err := w.head(name)
	if err != nil {
		return nil, err
	}
	places[name] = &place{key: key, head: head, written: head}
	return places[name], nil
}

// fits tells whether e stands at its place already, or else may be put there.
func (w *writer) fits(p *place, e *eventstore.Recorded) (passed bool, err error) {
	if e.Revision >= 0 && e.Revision <= p.head {
		if passed, err = w.stands(p.key, e.Revision, e.ID); err == nil && !passed {
			err = unlike(e, "another event stands there")
		}
		return passed, err
	}
	if e.Revision != p.head+1 {
		return false, unlike(e, "the stream is at revision %d", p.head)
	}
	if e.RecordedAt.Before(w.recordedAt) {
		return false, unlike(e, "it is older than the end of the ledger")
	}
	return false, nil
}

// put writes e at the end of its stream and of the ledger.
func (w *writer) put(p *place, e *eventstore.Recorded, repeats bool) (err error) {
	if p.head < 0 {
		if p.key, err = w.setHead(0, -1, e.Revision, e.Stream); err != nil {
			return err
		}
		p.written = e.Revision
	}
	w.recordedAt = e.RecordedAt.UTC().Truncate(time.Microsecond)
	fresh, err := w.insert(p.key, e.Revision, &e.NewEvent, repeats)
	if err != nil {
		return err
	}
	if !fresh {
		return unlike(e, "event %s stands elsewhere", e.ID)
	}
	p.head = e.Revision
	return nil
}
