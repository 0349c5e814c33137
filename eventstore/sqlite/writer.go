package sqlite

import (
	"fmt"
	"runtime"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

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

// A writer is the only one who writes. Its fields belong to its goroutine.
type writer struct {
	conn *sqlite.Conn
	now  func() time.Time
	tail *tail

	// position and recordedAt are those of the last event, as the open
	// transaction sees it. started is when that began.
	position   int64
	recordedAt time.Time
	started    time.Time
}

// run serves the queue until closing.
func (w *writer) run(queue <-chan *request, closing <-chan struct{}) {
	for {
		select {
		case <-closing:
			return
		case first := <-queue:
			w.commit(gather(first, queue))
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

// commit writes batch in one transaction and releases those who wait for it.
// Readers learn of the events before the callers do, so that a caller reads
// what it has appended. A crash before COMMIT returns leaves nothing of the
// batch, or all of it where the log had reached the disk; nobody has been
// told either way, and repeating an append is safe.
func (w *writer) commit(batch []*request) {
	if err := w.transact(batch); err != nil {
		for _, r := range batch {
			r.revision, r.err = -1, fmt.Errorf("append to %s: %w", r.stream, err)
		}
	} else {
		w.tail.advance(w.position)
	}
	for _, r := range batch {
		close(r.done)
	}
}

// transact runs the transaction. If it fails, what the writer knows is taken
// from the database again, which then says what became of it.
func (w *writer) transact(batch []*request) error {
	err := w.exec("BEGIN IMMEDIATE")
	if err == nil {
		w.started = w.now().UTC().Truncate(time.Microsecond)
		err = w.apply(batch)
	}
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err == nil {
		return nil
	}
	// SQLite ends the transaction by itself after some errors, and not after
	// others: a full disk at COMMIT leaves it open.
	if !w.conn.AutocommitEnabled() {
		if rollback := w.exec("ROLLBACK"); rollback != nil {
			return fmt.Errorf("%w; roll back: %w", err, rollback)
		}
	}
	if load := w.load(); load != nil {
		return fmt.Errorf("%w; read the end again: %w", err, load)
	}
	return err
}

// apply puts each append of batch into the open transaction, where it sees
// those before it. An append that is refused leaves no trace and does not
// hinder its neighbours; the error it returns ends the whole transaction.
func (w *writer) apply(batch []*request) error {
	for _, r := range batch {
		carryOut := w.append
		if r.restored != nil {
			carryOut = w.restore
		}
		if err := carryOut(r); err != nil {
			return err
		}
	}
	return nil
}

func laterOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return a // the clock stepped back
	}
	return b
}

// load reads the end of the ledger.
func (w *writer) load() error {
	w.position, w.recordedAt = 0, time.Time{}
	err := sqlitex.Execute(w.conn, "SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1",
		&sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			w.position, w.recordedAt = stmt.ColumnInt64(0), microTime(stmt.ColumnInt64(1))
			return nil
		}})
	if err != nil {
		return err
	}
	w.tail.advance(w.position)
	return nil
}

// exec runs a statement that answers nothing.
func (w *writer) exec(query string) error {
	stmt, err := w.conn.Prepare(query)
	if err != nil {
		return err
	}
	_, err = stmt.Step()
	return err
}

func microTime(n int64) time.Time { return time.UnixMicro(n).UTC() }
