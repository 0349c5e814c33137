package esdb

import (
	"context"

	"github.com/flowledger/flowledger/eventstore"
)

// Note implements [eventstore.Notes]. A note is a stream of its own beside
// the ledger, and its version is the number of events that the stream has had.
func (s *Store) Note(ctx context.Context, name string) ([]byte, int64, error) {
	e, err := s.LastBeside(ctx, noteStream(name))
	if err != nil || e.Revision < 0 {
		return nil, 0, err
	}
	return e.Data, int64(e.Revision) + 1, nil
}

func noteStream(name string) string { return "_note-" + name }

// SetNote implements [eventstore.Notes].
func (s *Store) SetNote(ctx context.Context, name string, value []byte, version int64) (int64, error) {
	if len(value) > eventstore.MaxNote {
		return 0, &eventstore.LimitError{Stream: eventstore.StreamID(noteStream(name)), What: "note", Size: len(value), Limit: eventstore.MaxNote}
	}
	if version < 0 {
		return 0, eventstore.ErrNoteMoved
	}
	if version == 0 {
		// A crash behind this leaves a limit for a note that nobody has
		// written yet, which harms nobody.
		if err := s.KeepLast(ctx, noteStream(name)); err != nil {
			return 0, err
		}
	}
	written, err := s.AppendBeside(ctx, noteStream(name), eventstore.At(eventstore.Revision(version-1)), "NoteWritten", value)
	if err != nil {
		return 0, err
	}
	if !written {
		return 0, eventstore.ErrNoteMoved
	}
	return version + 1, nil
}
