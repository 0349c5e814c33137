// Package sqlite is the embedded store, the default: the ledger in one SQLite
// file, owned by one process. A single goroutine writes. It gathers the
// appends that arrive meanwhile into one transaction, so that many callers
// share one sync of the disk; readers see what is committed and nothing else.
package sqlite

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
)

// readers is the number of connections to read with. None is held for longer
// than a chunk takes.
const readers = 4

// A Store is an [eventstore.Store] in a file. It also refuses an event ID
// that is known from another stream.
type Store struct {
	queue   chan *request     // to the writer
	closing chan struct{}     // closed when Close begins
	stopped chan struct{}     // closed when the writer has returned
	idle    chan *sqlite.Conn // readers' connections that nobody uses
	tail    *tail
	writer  *writer  // owned by the writer's goroutine until stopped
	lock    *os.File // until Close ends

	once     sync.Once
	closeErr error // written in once
}

var _ eventstore.Store = (*Store)(nil)

// Open opens the ledger in the file at path, which is made if it is missing,
// with times from now. It fails with [ErrLocked] if somebody has it open.
func Open(path string, now func() time.Time) (*Store, error) {
	held, err := lock(path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		queue:   make(chan *request, maxBatch),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
		idle:    make(chan *sqlite.Conn, readers),
		tail:    newTail(),
		lock:    held,
	}
	if err := s.connect(path, now); err != nil {
		s.disconnect()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	go func() {
		defer close(s.stopped)
		s.writer.run(s.queue, s.closing)
	}()
	return s, nil
}

// connect opens all connections, the writer's first: it makes what readers
// need.
func (s *Store) connect(path string, now func() time.Time) error {
	conn, err := openWriter(path)
	if err != nil {
		return err
	}
	s.writer = &writer{conn: conn, now: now, tail: s.tail}
	if err := s.writer.load(); err != nil {
		return err
	}
	for range readers {
		conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
		if err != nil {
			return err
		}
		s.idle <- conn
	}
	return nil
}

// Append implements [eventstore.Store].
func (s *Store) Append(ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent) (eventstore.Revision, error) {
	if err := eventstore.Check(stream, events); err != nil {
		return -1, err
	}
	return s.submit(ctx, newRequest(stream, expected, events))
}

// submit hands r to the writer. Once it is in the queue, submit waits for the
// outcome whatever becomes of ctx: that takes milliseconds, and spares the
// caller a guess.
func (s *Store) submit(ctx context.Context, r *request) (eventstore.Revision, error) {
	if err := s.ready(ctx); err != nil {
		return -1, err
	}
	select {
	case s.queue <- r:
	case <-s.closing:
		return -1, eventstore.ErrClosed
	case <-ctx.Done():
		return -1, ctx.Err()
	}
	select {
	case <-r.done:
	case <-s.stopped:
		// Nobody writes to r from here on: it was answered, or never taken
		// from the queue.
		select {
		case <-r.done:
		default:
			return -1, eventstore.ErrClosed
		}
	}
	return r.revision, r.err
}

// ready returns an error if the store is closed or ctx is done. It is asked
// first because select picks at random among what is possible.
func (s *Store) ready(ctx context.Context) error {
	select {
	case <-s.closing:
		return eventstore.ErrClosed
	default:
		return ctx.Err()
	}
}

// Head returns the position of the last event.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	if err := s.ready(ctx); err != nil {
		return eventstore.Position{}, err
	}
	end, _ := s.tail.look()
	return eventstore.PositionOf(uint64(end)), nil
}

// Close implements [eventstore.Store]. A batch that is being written is
// finished, and its appends are acknowledged; what waits behind it fails with
// [eventstore.ErrClosed].
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closing)
		<-s.stopped
		for range readers {
			if err := (<-s.idle).Close(); err != nil && s.closeErr == nil {
				s.closeErr = err
			}
		}
		if err := s.disconnect(); err != nil {
			s.closeErr = fmt.Errorf("close ledger: %w", err)
		}
	})
	return s.closeErr
}

// disconnect closes what is open and idle. The writer's connection is the
// last, for the last one moves the log into the database; a crash before
// that leaves it to the next Open. The lock goes when nothing can write.
func (s *Store) disconnect() error {
	defer s.lock.Close()
	for len(s.idle) > 0 {
		(<-s.idle).Close()
	}
	if s.writer == nil {
		return nil
	}
	return s.writer.conn.Close()
}
