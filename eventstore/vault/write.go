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
func (v *Vault) do(ctx context.Context, j job) error {
	j.done = make(chan error, 1)
	select {
	case v.jobs <- j:
		return <-j.done
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-v.quit:
		return ErrClosed
	}
}

// write is the one goroutine that changes the file.
func (v *Vault) write() {
	defer close(v.stopped)
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		select {
		case first := <-v.jobs:
			v.commit(v.gather(first))
		case <-ticker.C:
			v.tidy()
		case <-v.quit:
			v.tidy()
			return
		}
	}
}

// gather takes the jobs that are waiting already. One yield lets callers who
// are about to ask come along; waiting for them would cost more than it gains
// (spec/performance.md 2).
func (v *Vault) gather(first job) []job {
	batch := []job{first}
	runtime.Gosched()
	for len(batch) < maxBatch {
		select {
		case j := <-v.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (v *Vault) commit(batch []job) {
	err := v.transact(batch)
	for _, j := range batch {
		if err == nil && j.scrub {
			err = v.scrub()
		}
	}
	for _, j := range batch {
		j.done <- err
	}
}

func (v *Vault) transact(batch []job) (err error) {
	end, err := sqlitex.ImmediateTransaction(v.conn)
	if err != nil {
		return err
	}
	defer end(&err)
	for _, j := range batch {
		if err = j.do(v.conn); err != nil {
			return err
		}
		v.stale = v.stale || j.stale || j.scrub
	}
	return nil
}

// tidy does what nobody waits for. Its errors have no one to go to and repeat
// with the next job.
func (v *Vault) tidy() {
	_ = sqlitex.Execute(v.conn, `DELETE FROM cookies WHERE expires <= ?`,
		&sqlitex.ExecOptions{Args: []any{v.now().UnixMicro()}})
	_ = v.scrub()
}

// scrub empties the WAL, which else would hold deleted rows until it is
// written over. A reader in the middle can prevent it; then the next tidying
// does it.
func (v *Vault) scrub() error {
	if !v.stale || v.reader == nil {
		return nil
	}
	return sqlitex.Execute(v.conn, `PRAGMA wal_checkpoint(TRUNCATE)`, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			v.stale = stmt.ColumnInt(0) != 0
			return nil
		},
	})
}
