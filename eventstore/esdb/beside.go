package esdb

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// An Entry is an event in a stream beside the ledger. The names of such
// streams begin with "_", and no reading of the ledger shows them.
type Entry struct {
	Stream   string
	Revision eventstore.Revision
	Type     string
	Data     []byte
}

// LastBeside returns the last event of a stream beside the ledger; its
// revision is -1 if there is none.
func (s *Store) LastBeside(ctx context.Context, stream string) (Entry, error) {
	none := Entry{Stream: stream, Revision: -1}
	if err := s.ready(ctx); err != nil {
		return none, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	e, err := s.lastOf(ctx, stream)
	if err != nil || e == nil {
		return none, err
	}
	return entryOf(e), nil
}

func entryOf(e *esdb.RecordedEvent) Entry {
	return Entry{Stream: e.StreamID, Revision: eventstore.Revision(e.EventNumber), Type: e.EventType, Data: e.Data}
}

// lastOf returns the last event of a stream, nil if there is none.
func (s *Store) lastOf(ctx context.Context, stream string) (*esdb.RecordedEvent, error) {
	options := esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}
	p, err := s.page(ctx, 1, func(ctx context.Context, conn *connection, count uint64) (*esdb.ReadStream, error) {
		return conn.client.ReadStream(ctx, stream, options, count)
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	if len(p.events) == 0 {
		return nil, nil
	}
	return p.events[0], nil
}

// AppendBeside appends an event to a stream beside the ledger, and tells
// whether the claim was true. After an [eventstore.ErrUnavailable] it may be
// there or not.
func (s *Store) AppendBeside(ctx context.Context, stream string, expected eventstore.Expected, kind string, data []byte) (bool, error) {
	if err := s.ready(ctx); err != nil {
		return false, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	id, err := uuid.NewRandom()
	if err != nil {
		return false, err
	}
	event := esdb.EventData{EventID: id, EventType: kind, Data: data}
	_, err = retry(ctx, s, func(ctx context.Context, conn *connection) (*esdb.WriteResult, error) {
		return conn.client.AppendToStream(ctx, stream, claim(expected), event)
	})
	if err == nil || codeOf(err) != esdb.ErrorCodeWrongExpectedVersion {
		return err == nil, wrapped("append to", stream, err)
	}
	// An attempt whose answer was lost may have been the one that moved it.
	e, err := s.lastOf(ctx, stream)
	return e != nil && e.EventID == id, err
}

func claim(expected eventstore.Expected) esdb.AppendToStreamOptions {
	switch expected {
	case eventstore.NoStream:
		return esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
	case eventstore.Any:
		return esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}
	default:
		return esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(uint64(expected))}
	}
}

func wrapped(what, stream string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, stream, err)
}

// KeepLast lets the engine forget all but the last event of a stream beside
// the ledger: readings of the stream do not show them any more, and the next
// scavenge removes them. It may be said before the stream has any.
func (s *Store) KeepLast(ctx context.Context, stream string) error {
	var metadata esdb.StreamMetadata
	metadata.SetMaxCount(1)
	return s.limit(ctx, stream, metadata)
}

// KeepFor lets the engine forget the events of a stream beside the ledger
// when they are older than that.
func (s *Store) KeepFor(ctx context.Context, stream string, age time.Duration) error {
	var metadata esdb.StreamMetadata
	metadata.SetMaxAge(age)
	return s.limit(ctx, stream, metadata)
}

// limit says what the engine may forget of a stream, unless somebody has.
func (s *Store) limit(ctx context.Context, stream string, metadata esdb.StreamMetadata) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	_, err := retry(ctx, s, func(ctx context.Context, conn *connection) (*esdb.WriteResult, error) {
		return conn.client.SetStreamMetadata(ctx, stream, claim(eventstore.NoStream), metadata)
	})
	if err != nil && codeOf(err) == esdb.ErrorCodeWrongExpectedVersion {
		return nil
	}
	return wrapped("limit", stream, err)
}

// Beside yields the events of all streams beside the ledger, in the order of
// appending, also those that a stream does not show any more, and stops at
// the end.
func (s *Store) Beside(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := s.ready(ctx); err != nil {
			yield(Entry{}, err)
			return
		}
		ctx, cancel := s.within(ctx)
		defer cancel()
		end, err := s.lastOfAll(ctx)
		if err != nil {
			yield(Entry{}, fmt.Errorf("read beside the ledger: %w", err))
			return
		}
		for e, err := range s.all(ctx, 0, end) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if strings.HasPrefix(e.StreamID, "_") && !yield(entryOf(e), nil) {
				return
			}
		}
	}
}
