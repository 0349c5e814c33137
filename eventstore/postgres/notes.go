package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore"
)

// Note implements [eventstore.Notes].
func (s *Store) Note(ctx context.Context, name string) (value []byte, version int64, err error) {
	err = s.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		err := conn.QueryRow(ctx, `SELECT value, version FROM flowledger.notes WHERE name = $1`, name).Scan(&value, &version)
		if errors.Is(err, pgx.ErrNoRows) {
			value, version = nil, 0
			return nil
		}
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("note %s: %w", name, err)
	}
	return value, version, nil
}

// SetNote implements [eventstore.Notes]. It is one statement, of which a crash
// leaves all or nothing. When the answer was lost, the note itself tells
// whether this call has written it.
func (s *Store) SetNote(ctx context.Context, name string, value []byte, version int64) (next int64, err error) {
	if len(value) > eventstore.MaxNote {
		return 0, fmt.Errorf("note %s is %d bytes, the limit is %d", name, len(value), eventstore.MaxNote)
	}
	call, err := uuid.NewRandom()
	if err != nil {
		return 0, err
	}
	err = s.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		next, err = setNote(ctx, conn, name, some(value), version, call)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("note %s: %w", name, err)
	}
	return next, nil
}

// The statements that write a note, over none and over one. Two that meet
// wait for each other, and the second finds another version.
const (
	newNote = `INSERT INTO flowledger.notes (name, value, version, written) VALUES ($1, $2, $3 + 1, $4)
		ON CONFLICT (name) DO NOTHING RETURNING version`
	nextNote = `UPDATE flowledger.notes SET value = $2, version = version + 1, written = $4
		WHERE name = $1 AND version = $3 RETURNING version`
)

func setNote(ctx context.Context, conn *pgx.Conn, name string, value []byte, version int64, call uuid.UUID) (next int64, err error) {
	write := nextNote
	if version == 0 {
		write = newNote
	}
	err = conn.QueryRow(ctx, write, name, value, version, [16]byte(call)).Scan(&next)
	if !errors.Is(err, pgx.ErrNoRows) {
		return next, err
	}
	err = conn.QueryRow(ctx, `SELECT version FROM flowledger.notes WHERE name = $1 AND written = $2`, name, [16]byte(call)).Scan(&next)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, eventstore.ErrNoteMoved
	}
	return next, err
}
