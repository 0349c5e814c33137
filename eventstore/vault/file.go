package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Memory is the path of a file that is none and forgets when it is closed.
const Memory = ":memory:"

const schema = `
CREATE TABLE IF NOT EXISTS secrets(
	id      TEXT PRIMARY KEY,
	wrapped BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS destroyed(
	id    TEXT PRIMARY KEY,
	since INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cookies(
	digest     BLOB PRIMARY KEY,
	session    TEXT NOT NULL,
	generation INTEGER NOT NULL,
	expires    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cookies_by_session ON cookies(session);
CREATE INDEX IF NOT EXISTS cookies_by_expires ON cookies(expires);
`

// A file is the engine of one machine. What is destroyed in it is gone from
// the disk when DestroySecrets returns, except that class X, of which every
// finished execution has one, may stay in the file's log, wrapped, for
// another minute.
type file struct {
	now func() time.Time

	jobs    chan job
	quit    chan struct{}
	stopped chan struct{} // closed when the writer has ended
	close   sync.Once
	conn    *sqlite.Conn // the writer's own, once it runs
	stale   bool         // the writer's own: the WAL may still hold destroyed rows

	reading sync.Mutex
	// reading is held by whoever uses reader, which is nil in a file that is
	// none.
	reader *sqlite.Conn
}

// OpenFile opens or makes the file of keys at path. Several processes may have
// it open.
func OpenFile(path string, now func() time.Time) (Engine, error) {
	f := &file{
		now:     now,
		jobs:    make(chan job),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	if err := f.open(path); err != nil {
		return nil, errors.Join(fmt.Errorf("open keys %s: %w", path, err), f.closeConns())
	}
	go f.write()
	return f, nil
}

func (f *file) open(path string) error {
	var err error
	if path == Memory {
		if f.conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate); err != nil {
			return err
		}
	} else {
		if err := reserve(path); err != nil {
			return err
		}
		if f.conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenWAL); err != nil {
			return err
		}
	}
	f.conn.SetBusyTimeout(5 * time.Second)
	for _, pragma := range []string{"synchronous = FULL", "secure_delete = ON", "wal_autocheckpoint = 1000"} {
		if err := sqlitex.ExecuteTransient(f.conn, "PRAGMA "+pragma, nil); err != nil {
			return err
		}
	}
	if err := sqlitex.ExecuteScript(f.conn, schema, nil); err != nil {
		return err
	}
	if path == Memory {
		return nil
	}
	f.stale = true // whatever a crash left in the WAL goes with the first tidying
	f.reader, err = sqlite.OpenConn(path, sqlite.OpenReadOnly)
	return err
}

// reserve makes the file, so that SQLite finds it with the mode that it then
// gives the files beside it.
func reserve(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// Close implements [Engine].
func (f *file) Close() error {
	var err error
	f.close.Do(func() {
		close(f.quit)
		<-f.stopped
		err = f.closeConns()
	})
	return err
}

func (f *file) closeConns() error {
	f.reading.Lock()
	defer f.reading.Unlock()
	var errs []error
	if f.reader != nil {
		errs = append(errs, f.reader.Close())
	}
	if f.conn != nil {
		errs = append(errs, f.conn.Close())
	}
	return errors.Join(errs...)
}

// read runs do beside the writer where there is a file to read, so that a
// look-up does not wait for a commit.
func (f *file) read(ctx context.Context, do func(*sqlite.Conn) error) error {
	if f.reader == nil {
		return f.do(ctx, job{do: do})
	}
	f.reading.Lock()
	defer f.reading.Unlock()
	select {
	case <-f.quit:
		return ErrClosed
	default:
		return do(f.reader)
	}
}
