// Package vault keeps the data keys, apart from the events that are sealed
// with them, and the verifiers of what bearers present. It does not know what
// is sealed: a secret is 32 random bytes with an id, made once and destroyed
// for ever.
package vault

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Memory is the path of a vault that forgets when it is closed.
const Memory = ":memory:"

// ErrClosed is what the methods return after [Vault.Close].
var ErrClosed = errors.New("the vault is closed")

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

// A Vault is an open file of keys. Its methods may be called concurrently.
// Other processes may have the file open, too; what they destroy stays
// readable here as long as it is in memory, five minutes at most.
type Vault struct {
	now     func() time.Time
	wrapper cipher.AEAD
	pepper  []byte
	digests []byte
	secrets *cache[[]byte]
	cookies *cache[cookie]

	jobs    chan job
	quit    chan struct{}
	stopped chan struct{} // closed when the writer has ended
	close   sync.Once
	conn    *sqlite.Conn // the writer's own, from Open on
	stale   bool         // the writer's own: the WAL may still hold destroyed rows

	reading sync.Mutex
	// reading is held by whoever uses reader, which is nil in a vault that has
	// no file.
	reader *sqlite.Conn
}

// Open opens or makes the file at path, whose secrets are wrapped by kek.
// With another kek than the file was made with, it fails.
func Open(path string, kek [32]byte, now func() time.Time) (*Vault, error) {
	v := &Vault{
		now:     now,
		wrapper: newWrapper(kek),
		secrets: newCache[[]byte](now, 16384),
		cookies: newCache[cookie](now, 8192),
		jobs:    make(chan job),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	if err := v.open(path); err != nil {
		v.closeConns()
		return nil, fmt.Errorf("open keys %s: %w", path, err)
	}
	go v.write()
	return v, nil
}

func (v *Vault) open(path string) error {
	var err error
	if path == Memory {
		if v.conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate); err != nil {
			return err
		}
	} else {
		if err := reserve(path); err != nil {
			return err
		}
		if v.conn, err = sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenWAL); err != nil {
			return err
		}
	}
	v.conn.SetBusyTimeout(5 * time.Second)
	for _, pragma := range []string{"synchronous = FULL", "secure_delete = ON", "wal_autocheckpoint = 1000"} {
		if err := sqlitex.ExecuteTransient(v.conn, "PRAGMA "+pragma, nil); err != nil {
			return err
		}
	}
	if err := sqlitex.ExecuteScript(v.conn, schema, nil); err != nil {
		return err
	}
	if err := v.openOwnKeys(); err != nil {
		return err
	}
	if path == Memory {
		return nil
	}
	v.stale = true // whatever a crash left in the WAL goes with the first tidying
	v.reader, err = sqlite.OpenConn(path, sqlite.OpenReadOnly)
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

// Close ends the vault. What was acknowledged is on disk.
func (v *Vault) Close() error {
	var err error
	v.close.Do(func() {
		close(v.quit)
		<-v.stopped
		err = v.closeConns()
	})
	return err
}

func (v *Vault) closeConns() error {
	v.reading.Lock()
	defer v.reading.Unlock()
	var errs []error
	if v.reader != nil {
		errs = append(errs, v.reader.Close())
	}
	if v.conn != nil {
		errs = append(errs, v.conn.Close())
	}
	return errors.Join(errs...)
}

// read runs do beside the writer where there is a file to read, so that a
// look-up does not wait for a commit.
func (v *Vault) read(ctx context.Context, do func(*sqlite.Conn) error) error {
	if v.reader == nil {
		return v.do(ctx, job{do: do})
	}
	v.reading.Lock()
	defer v.reading.Unlock()
	select {
	case <-v.quit:
		return ErrClosed
	default:
		return do(v.reader)
	}
}
