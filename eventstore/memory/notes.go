package memory

import (
	"bytes"
	"context"
	"fmt"

	"github.com/flowledger/flowledger/eventstore"
)

// A note is a value beside the ledger. Its bytes are never changed in place.
type note struct {
	value   []byte
	version int64
}

var _ eventstore.Notes = (*Store)(nil)

// Note implements [eventstore.Notes].
func (s *Store) Note(ctx context.Context, name string) (value []byte, version int64, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, 0, eventstore.ErrClosed
	}
	n := s.notes[name]
	return bytes.Clone(n.value), n.version, nil
}

// SetNote implements [eventstore.Notes].
func (s *Store) SetNote(ctx context.Context, name string, value []byte, version int64) (next int64, err error) {
	if len(value) > eventstore.MaxNote {
		return 0, fmt.Errorf("note %s is %d bytes, the limit is %d", name, len(value), eventstore.MaxNote)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, eventstore.ErrClosed
	}
	if s.notes[name].version != version {
		return 0, fmt.Errorf("note %s: %w", name, eventstore.ErrNoteMoved)
	}
	s.notes[name] = note{bytes.Clone(value), version + 1}
	return version + 1, nil
}
