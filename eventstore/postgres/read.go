package postgres

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore"
)

// Limits of one chunk, in rows and bytes, and the rows of the first chunk of a
// stream. A chunk is read to its end before the first of it is delivered: a
// slow reader holds no connection.
const (
	firstRows  = 32
	chunkRows  = 1000
	chunkBytes = 4 << 20
)

// ReadStream implements [eventstore.Store].
func (s *Store) ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if checkText(string(stream)) != nil {
			return // there is no such stream
		}
		// Many want one event, or the few of a short stream.
		for rows := firstRows; ; rows = min(8*rows, chunkRows) {
			chunk, more, err := s.chunk(ctx, rows, streamChunk, string(stream), int64(from), rows, chunkBytes)
			if err != nil {
				yield(eventstore.Recorded{}, fmt.Errorf("read %s: %w", stream, err))
				return
			}
			if !deliver(ctx, chunk, yield) || !more {
				return
			}
			from = chunk[len(chunk)-1].Revision + 1
		}
	}
}

// ReadAll implements [eventstore.Store]. The end is where it is when the
// reading begins.
func (s *Store) ReadAll(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		end, err := s.Head(ctx)
		for err == nil && after.Compare(end) < 0 {
			var chunk []eventstore.Recorded
			if chunk, err = s.ledgerChunk(ctx, after, end.Value()); err != nil {
				break
			}
			if len(chunk) == 0 {
				// Another server leads, and it does not have the rest.
				err = fmt.Errorf("%w: it has become shorter", eventstore.ErrUnavailable)
				break
			}
			if !deliver(ctx, chunk, yield) {
				return
			}
			after = chunk[len(chunk)-1].Position
		}
		if err != nil {
			yield(eventstore.Recorded{}, fmt.Errorf("read ledger: %w", err))
		}
	}
}

// deliver yields the events of chunk, or the error of ctx, and tells whether
// to go on.
func deliver(ctx context.Context, chunk []eventstore.Recorded, yield func(eventstore.Recorded, error) bool) bool {
	for i := range chunk {
		if err := ctx.Err(); err != nil {
			yield(eventstore.Recorded{}, err)
			return false
		}
		if !yield(chunk[i], nil) {
			return false
		}
	}
	return true
}

// Subscribe implements [eventstore.Store].
func (s *Store) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for ctx.Err() == nil {
			// Looking before reading: what is committed in between has closed
			// moved already.
			_, moved := s.tail.look()
			chunk, err := s.ledgerChunk(ctx, after, math.MaxInt64)
			if err != nil && ctx.Err() == nil {
				yield(eventstore.Recorded{}, fmt.Errorf("follow ledger: %w", err))
			}
			if err != nil {
				return
			}
			for i := range chunk {
				after = chunk[i].Position
				if !yield(chunk[i], nil) || ctx.Err() != nil {
					return
				}
			}
			if len(chunk) > 0 {
				continue
			}
			select {
			case <-moved:
			case <-s.closing: // the next chunk fails
			case <-ctx.Done():
			}
		}
	}
}

// The statements that read a chunk. Bytes are summed up to the row before, so
// that there is always one; the length of a value is known without reading it.
const (
	columns = `position, name, revision, id, type, schema, recorded_at, header, payload, sealed, salt`

	streamChunk = `SELECT ` + columns + ` FROM (
		SELECT *, sum(size) OVER (ORDER BY revision) - size AS before FROM (
			SELECT *, octet_length(header) + octet_length(payload) + octet_length(sealed) AS size, $1 AS name
			FROM flowledger.events WHERE stream = (SELECT id FROM flowledger.streams WHERE name = $1) AND revision >= $2
			ORDER BY revision LIMIT $3) AS chunk) AS fitting
		WHERE before < $4 ORDER BY revision`

	ledgerChunk = `SELECT position, name, e.revision, e.id, type, schema, recorded_at, header, payload, sealed, salt FROM (
		SELECT *, sum(size) OVER (ORDER BY position) - size AS before FROM (
			SELECT *, octet_length(header) + octet_length(payload) + octet_length(sealed) AS size
			FROM flowledger.events WHERE position > $1 AND position <= $2
			ORDER BY position LIMIT $3) AS chunk) AS e
		JOIN flowledger.streams ON streams.id = e.stream
		WHERE before < $4 ORDER BY position`
)

// ledgerChunk reads the next events of the ledger up to end. Every position up
// to the last that can be seen is taken, so they are the next ones.
func (s *Store) ledgerChunk(ctx context.Context, after eventstore.Position, end uint64) ([]eventstore.Recorded, error) {
	if after.Value() >= end {
		return nil, s.ready(ctx)
	}
	chunk, _, err := s.chunk(ctx, chunkRows, ledgerChunk, int64(after.Value()), int64(end), chunkRows, chunkBytes)
	return chunk, err
}

// chunk reads the events that a statement answers, and tells whether there may
// be more.
func (s *Store) chunk(ctx context.Context, rows int, statement string, args ...any) (chunk []eventstore.Recorded, more bool, err error) {
	err = s.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		chunk = nil
		answer, err := conn.Query(ctx, statement, args...)
		if err != nil {
			return err
		}
		chunk, err = pgx.AppendRows(chunk, answer, scan)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	size := 0
	for i := range chunk {
		size += len(chunk[i].Header) + len(chunk[i].Payload) + len(chunk[i].Sealed)
	}
	return chunk, len(chunk) == rows || size >= chunkBytes, nil
}

// scan reads a row.
func scan(row pgx.CollectableRow) (e eventstore.Recorded, err error) {
	var position, recordedAt int64
	var salt []byte
	err = row.Scan(&position, &e.Stream, &e.Revision, (*[16]byte)(&e.ID), &e.Type, &e.Schema, &recordedAt,
		&e.Header, &e.Payload, &e.Sealed, &salt)
	copy(e.Salt[:], salt)
	for _, b := range []*[]byte{&e.Header, &e.Payload, &e.Sealed} {
		if len(*b) == 0 {
			*b = nil
		}
	}
	e.Position, e.RecordedAt = eventstore.PositionOf(uint64(position)), microTime(recordedAt)
	return e, err
}
