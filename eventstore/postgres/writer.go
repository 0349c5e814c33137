package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/flowledger/flowledger/eventstore"
)

// Limits of one transaction, in appends and bytes.
const (
	maxBatch = 256
	maxBytes = 8 << 20
)

// A request is an append on its way through the writer.
type request struct {
	stream   eventstore.StreamID
	expected eventstore.Expected
	events   []eventstore.NewEvent
	restored []eventstore.Recorded // instead of events, from another ledger
	bytes    int
	arrived  time.Time

	// revision and err are the writer's until done is closed, then the
	// caller's.
	revision eventstore.Revision
	err      error
	done     chan struct{}
}

func newRequest(stream eventstore.StreamID, expected eventstore.Expected, events []eventstore.NewEvent) *request {
	r := &request{stream: stream, expected: expected, events: events, done: make(chan struct{})}
	for i := range events {
		r.bytes += len(events[i].Header) + len(events[i].Payload) + len(events[i].Sealed)
	}
	return r
}

// A writer is the only one of its node who writes to the ledger. Its fields
// belong to its goroutine.
type writer struct {
	store  *Store
	config *pgx.ConnConfig
	conn   *pgx.Conn // nil when there is none
}

// run serves the queue until the store closes.
func (w *writer) run() {
	defer func() {
		if w.conn != nil {
			leave(w.conn)
		}
	}()
	for {
		select {
		case <-w.store.closing:
			return
		case first := <-w.store.queue:
			w.commit(gather(first, w.store.queue))
		}
	}
}

// gather takes what is in the queue behind first. It yields the processor
// once, so that callers who are about to append can do so, and never waits
// for a clock: that would cost a lone caller most of its throughput
// (spec/performance.md 2).
func gather(first *request, queue <-chan *request) []*request {
	runtime.Gosched()
	batch, bytes := []*request{first}, first.bytes
	for len(batch) < maxBatch && bytes < maxBytes {
		select {
		case r := <-queue:
			batch, bytes = append(batch, r), bytes+r.bytes
		default:
			return batch
		}
	}
	return batch
}

// commit writes batch and releases those who wait for it. Readers learn of the
// events before the callers do, so that a caller reads what it has appended.
// A crash of the node or of the server leaves nothing of the batch, or all of
// it where COMMIT had reached the log; nobody has been told either way, and
// repeating an append is safe.
func (w *writer) commit(batch []*request) {
	end, err := w.insist(batch)
	if err != nil {
		for _, r := range batch {
			r.revision, r.err = -1, fmt.Errorf("append to %s: %w", r.stream, err)
		}
	} else {
		w.store.tail.advance(uint64(end))
		if uint64(end) > w.store.reached.Load() { // the only one who stores
			w.store.reached.Store(uint64(end))
		}
	}
	for _, r := range batch {
		close(r.done)
	}
}

// insist repeats the transaction until its outcome is known, or those who
// wait for it have waited long enough. To repeat it is safe: what it did before
// is found by its event IDs, and it cannot be still under way, for then it
// holds the lock, which the next one waits for.
func (w *writer) insist(batch []*request) (end int64, err error) {
	p := newPatience(batch[0].arrived)
	doubtful := false // IDs may be known though the claims are true
	for {
		end, err = w.once(batch, p, doubtful)
		if err == nil {
			return end, nil
		}
		if w.conn != nil && w.conn.IsClosed() {
			w.conn = nil
		}
		answer, said := errors.AsType[*pgconn.PgError](err)
		switch {
		case said && answer.Code == uniqueViolation && !doubtful:
			doubtful = true
			continue
		case !passing(err):
			return 0, w.store.final(err)
		case !p.wait(context.Background(), w.store.closing) || w.store.closed():
			return 0, fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
		}
	}
}

// uniqueViolation is what the server says to an ID that is not new.
const uniqueViolation = "23505"

// once runs the transaction once, on a new connection if there is none.
func (w *writer) once(batch []*request, p *patienceLeft, doubtful bool) (end int64, err error) {
	if w.conn == nil {
		if w.conn, err = dial(context.Background(), p.left(), w.config); err != nil {
			w.conn = nil
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.attempt())
	defer cancel()
	end, err = transact(ctx, w.conn, batch, doubtful)
	if err != nil && !w.conn.IsClosed() && w.conn.PgConn().TxStatus() != 'I' {
		if _, rollback := w.conn.Exec(ctx, "ROLLBACK"); rollback != nil {
			leave(w.conn)
		}
	}
	return end, err
}
