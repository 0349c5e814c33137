package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// format is the number of the layout below, kept as user_version.
const format = 2

// layout names streams by integers, which halves the cost of an append over
// repeating the name (spec/performance.md 2). Positions are dense, from 1. A
// header that is null is that of the position before: the events of one append
// mostly share theirs, and it is the largest part of most.
const layout = `
CREATE TABLE streams (
	id       INTEGER PRIMARY KEY,
	name     TEXT NOT NULL UNIQUE,
	revision INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
	position    INTEGER PRIMARY KEY,
	stream      INTEGER NOT NULL REFERENCES streams (id),
	revision    INTEGER NOT NULL,
	id          BLOB NOT NULL UNIQUE,
	type        TEXT NOT NULL,
	schema      INTEGER NOT NULL,
	recorded_at INTEGER NOT NULL,
	header      BLOB,
	payload     BLOB NOT NULL,
	sealed      BLOB NOT NULL,
	salt        BLOB NOT NULL,
	UNIQUE (stream, revision)
) STRICT;
PRAGMA user_version = 2;
`

// settings of the writer. FULL makes a commit durable before it returns; with
// NORMAL it would be so only at the next checkpoint.
var settings = []string{
	"PRAGMA journal_mode = wal",
	"PRAGMA synchronous = full",
	"PRAGMA wal_autocheckpoint = 1000",
	"PRAGMA cache_size = -16384",
}

// openWriter opens the database at path for the one writer, and makes it if
// there is none.
func openWriter(path string) (*sqlite.Conn, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	if err := prepare(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// create makes an empty file that only its owner can read; the files that
// SQLite puts beside it take over its mode. The folder is synced, for a
// ledger whose name is lost in a crash is lost. A crash before that leaves
// nothing, or an empty file, which is a new ledger.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// prepare applies the settings and lays out a new database. The layout is one
// transaction: a crash leaves all of it or an empty database.
func prepare(conn *sqlite.Conn) error {
	for _, s := range settings {
		if err := sqlitex.ExecuteTransient(conn, s, nil); err != nil {
			return err
		}
	}
	// SQLite stays in another mode where it cannot do this one, and says so
	// only in the answer. Readers would then stop the writer.
	wal, err := queryInt(conn, "SELECT journal_mode = 'wal' FROM pragma_journal_mode")
	if err != nil {
		return err
	}
	if wal == 0 {
		return errors.New("the file system does not allow a write-ahead log")
	}
	found, err := queryInt(conn, "PRAGMA user_version")
	if err != nil {
		return err
	}
	switch found {
	case format:
		return nil
	case 0:
		return sqlitex.ExecuteScript(conn, layout, nil)
	default:
		return fmt.Errorf("the ledger has format %d, this program knows %d", found, format)
	}
}

// queryInt returns the number that query answers.
func queryInt(conn *sqlite.Conn, query string) (int64, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return 0, err
	}
	return sqlitex.ResultInt64(stmt)
}
