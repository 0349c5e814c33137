package esdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// A page is what one call reads. It is held in memory before anybody sees it,
// so that the call has a deadline whatever the reader does meanwhile.
const (
	pageEvents = 500
	pageBytes  = 4 << 20
)

// A page is a part of a stream or of the ledger.
type page struct {
	events []*esdb.RecordedEvent
	more   bool // there may be more behind it
}

// opening begins a reading of count events.
type opening func(ctx context.Context, conn *connection, count uint64) (*esdb.ReadStream, error)

// readPage reads count events, or as many as fit. A stream that does not
// exist has none.
func readPage(ctx context.Context, conn *connection, count uint64, open opening) (page, error) {
	reading, err := open(ctx, conn, count)
	if err != nil {
		return page{}, err
	}
	defer reading.Close()
	var p page
	size := 0
	for n := uint64(0); ; n++ {
		resolved, err := reading.Recv()
		switch {
		case errors.Is(err, io.EOF):
			p.more = n >= count
			return p, nil
		case err != nil && codeOf(err) == esdb.ErrorCodeResourceNotFound:
			return page{}, nil
		case err != nil:
			return page{}, err
		}
		// A link whose target is gone comes without an event.
		e := resolved.OriginalEvent()
		if e == nil {
			continue
		}
		p.events = append(p.events, e)
		if size += len(e.Data) + len(e.UserMetadata); size > pageBytes {
			p.more = true
			return p, nil
		}
	}
}

func (s *Store) page(ctx context.Context, count uint64, open opening) (page, error) {
	return retry(ctx, s, func(ctx context.Context, conn *connection) (page, error) {
		return readPage(ctx, conn, count, open)
	})
}

// ReadStream implements [eventstore.Store].
func (s *Store) ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if err := s.ready(ctx); err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		within, cancel := s.within(ctx)
		defer cancel()
		known := s.known.of(stream)
		for e, err := range s.pages(within, stream, max(from, 0)) {
			if err == nil {
				// Who decides on a stream reads it first, and the append then
				// need not.
				known.learn(eventstore.Revision(e.EventNumber), e.Position.Commit, e.EventID)
			}
			if !s.deliver(ctx, e, err, yield) {
				return
			}
		}
	}
}

// pages yields the events of a stream, page by page.
func (s *Store) pages(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[*esdb.RecordedEvent, error] {
	return func(yield func(*esdb.RecordedEvent, error) bool) {
		for more := true; more; {
			options := esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(uint64(from))}
			p, err := s.page(ctx, pageEvents, func(ctx context.Context, conn *connection, count uint64) (*esdb.ReadStream, error) {
				return conn.client.ReadStream(ctx, string(stream), options, count)
			})
			if err != nil {
				yield(nil, fmt.Errorf("read %s: %w", stream, err))
				return
			}
			for _, e := range p.events {
				if !yield(e, nil) {
					return
				}
				from = eventstore.Revision(e.EventNumber) + 1
			}
			more = p.more && len(p.events) > 0
		}
	}
}

// ReadAll implements [eventstore.Store]. The end is the one at the beginning
// of the reading.
func (s *Store) ReadAll(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if err := s.ready(ctx); err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		within, cancel := s.within(ctx)
		defer cancel()
		end, err := s.lastOfAll(within)
		if err != nil {
			s.deliver(ctx, nil, fmt.Errorf("read ledger: %w", err), yield)
			return
		}
		for e, err := range s.all(within, after.Value(), end) {
			if err == nil && outside(e.StreamID) {
				continue
			}
			if !s.deliver(ctx, e, err, yield) {
				return
			}
		}
	}
}

// all yields the events of all streams behind after, up to end.
func (s *Store) all(ctx context.Context, after, end uint64) iter.Seq2[*esdb.RecordedEvent, error] {
	return func(yield func(*esdb.RecordedEvent, error) bool) {
		for after < end {
			from := after
			p, err := s.page(ctx, pageEvents, func(ctx context.Context, conn *connection, count uint64) (*esdb.ReadStream, error) {
				return conn.client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Forwards, From: allFrom(from)}, count)
			})
			if err != nil {
				yield(nil, fmt.Errorf("read ledger: %w", err))
				return
			}
			for _, e := range p.events {
				// The first of a page is the last of the page before.
				if e.Position.Commit <= after {
					continue
				}
				if e.Position.Commit > end || !yield(e, nil) {
					return
				}
				after = e.Position.Commit
			}
			if after == from {
				return
			}
		}
	}
}

// allFrom is the engine's word for a position. Nothing stands at zero.
func allFrom(position uint64) esdb.AllPosition {
	if position == 0 {
		return esdb.Start{}
	}
	return esdb.Position{Commit: position, Prepare: position}
}

// deliver yields e or err, or the error of a caller who is gone or of a store
// that is closed, and tells whether to go on.
func (s *Store) deliver(ctx context.Context, e *esdb.RecordedEvent, err error, yield func(eventstore.Recorded, error) bool) bool {
	if gone := s.ready(ctx); gone != nil {
		err = gone
	}
	var recorded eventstore.Recorded
	if err == nil {
		recorded, err = decode(e)
	}
	if err != nil {
		yield(eventstore.Recorded{}, err)
		return false
	}
	return yield(recorded, nil)
}

// positionOf returns the place in the ledger of one event.
func (s *Store) positionOf(ctx context.Context, stream eventstore.StreamID, revision eventstore.Revision) (uint64, error) {
	for e, err := range s.pages(ctx, stream, revision) {
		if err != nil {
			return 0, err
		}
		return e.Position.Commit, nil
	}
	return 0, fmt.Errorf("read %s: revision %d is gone", stream, revision)
}
