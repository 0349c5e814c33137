package vault

import (
	"context"
	"runtime"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// maxBatch bounds how many jobs share one transaction.
const maxBatch = 256

// tidyEvery is the longest time for which destroyed rows stay in the WAL and
// expired cookies in their table.
const tidyEvery = time.Minute

// A job is one caller's part of a transaction. An error of do fails the whole
// batch; what concerns the caller alone it keeps to itself.
type job struct {
	do    func(*sqlite.Conn) error
	scrub bool // answer only when what do deleted is gone from the WAL, too
	stale bool // what do deleted must be gone from the WAL soon
	done  chan error
}

// do hands j to the writer and waits until it is durable. Once the writer has
// it, ctx no longer counts: the caller learns what became of it.
func (f *file) do(ctx context.Context, j job) error {
	j.done = make(chan error, 1)
	select {
	case f.jobs <- j:
		return <-j.done
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-f.quit:
		return ErrClosed
	}
}

// write is the one goroutine that changes the file.
func (f *file) write() {
	defer close(f.stopped)
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		select {
		case first := <-f.jobs:
			f.commit(f.gather(first))
		case <-ticker.C:
			f.tidy()
		case <-f.quit:
			f.tidy()
			return
		}
	}
}

// gather takes the jobs that are waiting already. One yield lets callers who
// are about to ask come along; waiting for them would cost more than it gains
// (spec/performance.md 2).
func (f *file) gather(first job) []job {
	batch := []job{first}
	runtime.Gosched()
	for len(batch) < maxBatch {
		select {
		case j := <-f.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (f *file) commit(batch []job) {
	err := f.transact(batch)
	for _, j := range batch {
		if err == nil && j.scrub {
			err = f.scrub()
		}
	}
	for _, j := range batch {
		j.done <- err
	}
}

func (f *file) transact(batch []job) (err error) {
	end, err := sqlitex.ImmediateTransaction(f.conn)
	if err != nil {
		return err
	}
	defer end(&err)
	for _, j := range batch {
		if err = j.do(f.conn); err != nil {
			return err
		}
		f.stale = f.stale || j.stale || j.scrub
	}
	return nil
}

// tidy does what nobody waits for. Its errors have no one to go to and repeat
// with the next job.
func (f *file) tidy() {
	_ = sqlitex.Execute(f.conn, `DELETE FROM cookies WHERE expires <= ?`,
		&sqlitex.ExecOptions{Args: []any{f.now().UnixMicro()}})
	_ = f.scrub()
}

// scrub empties the WAL, which else would hold deleted rows until it is
// written over. A reader in the middle can prevent it; then the next tidying
// does it.
func (f *file) scrub() error {
	if !f.stale || f.reader == nil {
		return nil
	}
	return sqlitex.Execute(f.conn, `PRAGMA wal_checkpoint(TRUNCATE)`, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			f.stale = stmt.ColumnInt(0) != 0
			return nil
		},
	})
}
