// Package postgres keeps the ledger in PostgreSQL, for several nodes.
//
// All appends of all nodes take turns at one row: a transaction locks it before
// it does anything else, and lets go of it after what it wrote can be seen. So positions are given in the order of commits,
// without gaps, and whoever reads up to a position has missed nothing. Each
// node gathers the appends that arrive meanwhile into one transaction.
//
// The tables are in the schema flowledger of the database, whatever the
// search path. Whatever happens to the server, an append is answered when its
// outcome is known, or with [eventstore.ErrUnavailable] after seconds: after a
// connection that was lost at COMMIT, the event IDs tell. What has been
// acknowledged is as safe as the server's disk, and its synchronous standbys
// if it has any; an operator who lets an asynchronous standby take over gives
// up what that had not received.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flowledger/flowledger/eventstore"
)

// A Store is an [eventstore.Store] in a database that nodes share. It also
// refuses an event ID that is known from another stream.
type Store struct {
	pool    *pgxpool.Pool // to read with
	dialed  dialed
	queue   chan *request // to the writer
	tail    *tail
	reached atomic.Uint64 // position up to which appends were acknowledged
	opened  bool          // the address was good when the store was opened

	life    context.Context
	end     context.CancelFunc
	closing <-chan struct{} // closed when Close begins: life's
	stopped chan struct{}   // closed when nobody writes any more
	running sync.WaitGroup
	leaving sync.Once
}

var (
	_ eventstore.Store    = (*Store)(nil)
	_ eventstore.Notes    = (*Store)(nil)
	_ eventstore.Restorer = (*Store)(nil)
)

// Open opens the ledger in the database at url, and makes its tables or brings
// them to the shape that this program knows. Times come from the server's
// clock. It fails with [eventstore.ErrUnavailable] if no server can be reached
// that takes writing.
func Open(ctx context.Context, url string) (*Store, error) {
	s := &Store{
		queue:   make(chan *request, maxBatch),
		tail:    newTail(),
		stopped: make(chan struct{}),
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.closing = s.life.Done()
	config, err := s.configure(url)
	if err != nil {
		return nil, err
	}
	if s.pool, err = pgxpool.NewWithConfig(s.life, config); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	err = s.try(ctx, migrate)
	if err == nil {
		var head eventstore.Position
		head, err = s.Head(ctx)
		s.tail.advance(head.Value())
	}
	if err != nil {
		s.end()
		s.disconnect()
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	s.opened = true
	w := &writer{store: s, config: config.ConnConfig}
	s.running.Go(func() {
		defer close(s.stopped)
		w.run()
	})
	s.running.Go(func() { s.listenAlways(config.ConnConfig) })
	s.running.Go(s.pollAlways)
	return s, nil
}

// Append implements [eventstore.Store].
func (s *Store) Append(ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent) (eventstore.Revision, error) {
	if err := check(stream, events); err != nil {
		return -1, err
	}
	return s.submit(ctx, newRequest(stream, expected, events))
}

// submit hands r to the writer. Once it is in the queue, submit waits for the
// outcome whatever becomes of ctx: the writer gives up after seconds, and the
// caller is spared a guess.
func (s *Store) submit(ctx context.Context, r *request) (eventstore.Revision, error) {
	if err := s.ready(ctx); err != nil {
		return -1, err
	}
	r.arrived = time.Now()
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
	if s.closed() {
		return eventstore.ErrClosed
	}
	return ctx.Err()
}

func (s *Store) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// findHead asks for the position of the last event.
const findHead = `SELECT coalesce(max(position), 0) FROM flowledger.events`

// Head returns the position of the last event, which it asks the server for.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	var end int64
	err := s.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, findHead).Scan(&end)
	})
	if err != nil {
		return eventstore.Position{}, err
	}
	return eventstore.PositionOf(uint64(end)), nil
}

// Reached returns a position at or after every append that this store has
// acknowledged. It asks nobody.
func (s *Store) Reached() eventstore.Position { return eventstore.PositionOf(s.reached.Load()) }

// Close implements [eventstore.Store]. A batch that is being written is
// finished if the server can be reached, and its appends are acknowledged;
// what waits behind it fails with [eventstore.ErrClosed].
func (s *Store) Close() error {
	s.leaving.Do(func() {
		s.end()
		s.running.Wait()
		s.disconnect()
	})
	return nil
}

// disconnect takes leave of the server, and does not wait for one that is
// silent.
func (s *Store) disconnect() {
	leave := time.AfterFunc(time.Second, s.dialed.cut)
	defer leave.Stop()
	s.pool.Close()
}

// errAddress says that an address cannot be read. What the driver says would
// quote it, and with it perhaps a password.
var errAddress = errors.New("open ledger: the address of PostgreSQL cannot be read")
