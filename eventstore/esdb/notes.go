package esdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// noteKept is how many versions of a note the engine keeps. The others go when
// the server is scavenged.
const noteKept = 1

// Note implements [eventstore.Notes]. A note is a stream of its own beside
// the ledger, and its version is the number of events that the stream has had.
func (s *Store) Note(ctx context.Context, name string) ([]byte, int64, error) {
	if err := s.ready(ctx); err != nil {
		return nil, 0, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	e, err := s.note(ctx, name)
	if err != nil || e == nil {
		return nil, 0, err
	}
	return e.Data, int64(e.EventNumber) + 1, nil
}

// note returns the last event of a note, nil if there is none.
func (s *Store) note(ctx context.Context, name string) (*esdb.RecordedEvent, error) {
	options := esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}
	p, err := s.page(ctx, 1, func(ctx context.Context, conn *connection, count uint64) (*esdb.ReadStream, error) {
		return conn.client.ReadStream(ctx, noteStream(name), options, count)
	})
	if err != nil {
		return nil, fmt.Errorf("read note %s: %w", name, err)
	}
	if len(p.events) == 0 {
		return nil, nil
	}
	return p.events[0], nil
}

func noteStream(name string) string { return "_note-" + name }

// SetNote implements [eventstore.Notes].
func (s *Store) SetNote(ctx context.Context, name string, value []byte, version int64) (int64, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	if len(value) > eventstore.MaxNote {
		return 0, &eventstore.LimitError{Stream: eventstore.StreamID(noteStream(name)), What: "note", Size: len(value), Limit: eventstore.MaxNote}
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	if version == 0 {
		// A crash behind this leaves a limit for a note that nobody has
		// written yet, which harms nobody.
		if err := s.limitNote(ctx, name); err != nil {
			return 0, err
		}
	}
	if version < 0 {
		return 0, eventstore.ErrNoteMoved
	}
	written, err := s.writeNote(ctx, name, value, version)
	if err != nil {
		return 0, fmt.Errorf("write note %s: %w", name, err)
	}
	if !written {
		return 0, eventstore.ErrNoteMoved
	}
	return version + 1, nil
}

// writeNote appends one event behind version, and tells whether that was the
// version.
func (s *Store) writeNote(ctx context.Context, name string, value []byte, version int64) (bool, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return false, err
	}
	options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
	if version > 0 {
		options.ExpectedRevision = esdb.Revision(uint64(version) - 1)
	}
	event := esdb.EventData{EventID: id, EventType: "NoteWritten", Data: value}
	_, err = retry(ctx, s, func(ctx context.Context, conn *connection) (*esdb.WriteResult, error) {
		return conn.client.AppendToStream(ctx, noteStream(name), options, event)
	})
	if err == nil || codeOf(err) != esdb.ErrorCodeWrongExpectedVersion {
		return err == nil, err
	}
	// An attempt whose answer was lost may have been the one that moved it.
	e, err := s.note(ctx, name)
	return e != nil && e.EventID == id, err
}

// limitNote lets the engine forget all but the last versions of a note.
func (s *Store) limitNote(ctx context.Context, name string) error {
	var metadata esdb.StreamMetadata
	metadata.SetMaxCount(noteKept)
	_, err := retry(ctx, s, func(ctx context.Context, conn *connection) (*esdb.WriteResult, error) {
		return conn.client.SetStreamMetadata(ctx, noteStream(name), esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, metadata)
	})
	if err != nil && codeOf(err) != esdb.ErrorCodeWrongExpectedVersion { // somebody has
		return fmt.Errorf("limit note %s: %w", name, err)
	}
	return nil
}
