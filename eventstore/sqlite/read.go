package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
)

// Limits of one chunk, in rows and bytes, and the rows of the first chunk of a
// stream. A chunk is read to its end before
// the first of it is delivered: a slow reader holds no connection, and pins
// no part of the log.
const (
	firstRows  = 32
	chunkRows  = 1000
	chunkBytes = 4 << 20
)

// ReadStream implements [eventstore.Store].
func (s *Store) ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		// Many want one event, or the few of a short stream.
		for rows := firstRows; ; rows = min(8*rows, chunkRows) {
			chunk, more, err := s.streamChunk(ctx, stream, from, rows)
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
		end, _ := s.tail.look()
		for {
			chunk, more, err := s.ledgerChunk(ctx, after, end)
			if err != nil {
				yield(eventstore.Recorded{}, fmt.Errorf("read ledger: %w", err))
				return
			}
			if !deliver(ctx, chunk, yield) || !more {
				return
			}
			after = chunk[len(chunk)-1].Position
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
			// Looking before reading: what is committed in between has
			// closed moved already.
			end, moved := s.tail.look()
			chunk, more, err := s.ledgerChunk(ctx, after, end)
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
			if more {
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

const columns = "position, stream, revision, id, type, schema, recorded_at, header, payload, sealed, salt"

// streamChunk reads the next events of a stream, and tells whether there may
// be more.
func (s *Store) streamChunk(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision, rows int) ([]eventstore.Recorded, bool, error) {
	conn, err := s.take(ctx)
	if err != nil {
		return nil, false, err
	}
	defer s.put(conn)
	// (SELECT ?) hides the value from the planner, which would prepare the
	// statement anew for each one.
	stmt, err := conn.Prepare("SELECT " + columns + ` FROM events
		WHERE stream = (SELECT id FROM streams WHERE name = ?) AND revision >= (SELECT ?)
		ORDER BY revision LIMIT ?`)
	if err != nil {
		return nil, false, err
	}
	stmt.BindText(1, string(stream))
	stmt.BindInt64(2, int64(from))
	stmt.BindInt64(3, int64(rows))
	return collect(conn, stmt, rows, func(int64) (eventstore.StreamID, error) { return stream, nil })
}

// ledgerChunk reads the next events of the ledger up to end, and tells
// whether there may be more.
func (s *Store) ledgerChunk(ctx context.Context, after eventstore.Position, end int64) ([]eventstore.Recorded, bool, error) {
	conn, err := s.take(ctx)
	if err != nil {
		return nil, false, err
	}
	defer s.put(conn)
	if after.Value() >= uint64(end) {
		return nil, false, nil
	}
	stmt, err := conn.Prepare("SELECT " + columns + " FROM events WHERE position > (SELECT ?) AND position <= (SELECT ?) ORDER BY position LIMIT ?")
	if err != nil {
		return nil, false, err
	}
	stmt.BindInt64(1, int64(after.Value()))
	stmt.BindInt64(2, end)
	stmt.BindInt64(3, chunkRows)
	return collect(conn, stmt, chunkRows, names(conn))
}

// names returns a function that knows the names of streams. Neighbours are
// mostly of few streams, so remembering beats a join.
func names(conn *sqlite.Conn) func(int64) (eventstore.StreamID, error) {
	known := make(map[int64]eventstore.StreamID)
	return func(key int64) (eventstore.StreamID, error) {
		if name, ok := known[key]; ok {
			return name, nil
		}
		stmt, err := conn.Prepare("SELECT name FROM streams WHERE id = ?")
		if err != nil {
			return "", err
		}
		stmt.BindInt64(1, key)
		found, err := stmt.Step()
		if err == nil && !found {
			err = fmt.Errorf("stream %d has no name", key)
		}
		if err != nil {
			return "", err
		}
		known[key] = eventstore.StreamID(stmt.ColumnText(0))
		return known[key], stmt.Reset()
	}
}

// collect reads the rows of stmt, as many as fit into a chunk.
func collect(
	conn *sqlite.Conn, stmt *sqlite.Stmt, rows int, name func(int64) (eventstore.StreamID, error),
) (chunk []eventstore.Recorded, more bool, err error) {
	total := 0
	for len(chunk) < rows && total < chunkBytes {
		found, err := stmt.Step()
		if err != nil {
			return nil, false, err
		}
		if !found {
			return chunk, false, nil
		}
		e, size := scan(stmt)
		e.Stream, err = name(stmt.ColumnInt64(1))
		if err == nil && stmt.ColumnType(7) == sqlite.TypeNull {
			e.Header, err = repeated(conn, chunk, e.Position)
		}
		if err != nil {
			stmt.Reset()
			return nil, false, err
		}
		chunk, total = append(chunk, e), total+size
	}
	return chunk, true, stmt.Reset()
}

// repeated returns the header of an event that shares it with the one before:
// the last of the chunk, or, where a chunk begins within an append, one that
// has to be looked up. The rows of an append stand together in either order.
func repeated(conn *sqlite.Conn, chunk []eventstore.Recorded, at eventstore.Position) ([]byte, error) {
	if len(chunk) > 0 {
		return bytes.Clone(chunk[len(chunk)-1].Header), nil
	}
	stmt, err := conn.Prepare(`SELECT header FROM events
		WHERE position < (SELECT ?) AND header IS NOT NULL ORDER BY position DESC LIMIT 1`)
	if err != nil {
		return nil, err
	}
	stmt.BindInt64(1, int64(at.Value()))
	found, err := stmt.Step()
	if err == nil && !found {
		err = fmt.Errorf("position %s has no header", at)
	}
	if err != nil {
		return nil, err
	}
	return bytesOf(stmt, 0), stmt.Reset()
}

// scan reads the row that stmt stands on, but for the stream, and tells the
// size of its bytes.
func scan(stmt *sqlite.Stmt) (e eventstore.Recorded, size int) {
	e.Position = eventstore.PositionOf(uint64(stmt.ColumnInt64(0)))
	e.Revision = eventstore.Revision(stmt.ColumnInt64(2))
	stmt.ColumnBytes(3, e.ID[:])
	e.Type = stmt.ColumnText(4)
	e.Schema = int(stmt.ColumnInt64(5))
	e.RecordedAt = microTime(stmt.ColumnInt64(6))
	e.Header, e.Payload, e.Sealed = bytesOf(stmt, 7), bytesOf(stmt, 8), bytesOf(stmt, 9)
	stmt.ColumnBytes(10, e.Salt[:])
	return e, len(e.Header) + len(e.Payload) + len(e.Sealed)
}

func bytesOf(stmt *sqlite.Stmt, column int) []byte {
	n := stmt.ColumnLen(column)
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	stmt.ColumnBytes(column, b)
	return b
}

// take returns a connection to read with, which must be put back. It waits
// while all are in use; each is, for one chunk.
func (s *Store) take(ctx context.Context) (*sqlite.Conn, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	select {
	case conn := <-s.idle:
		return conn, nil
	case <-s.closing:
		return nil, eventstore.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) put(conn *sqlite.Conn) { s.idle <- conn }
