package vault

import (
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// CacheLen tells how many secrets and cookies are in memory.
func (v *Vault) CacheLen() (secrets, cookies int) {
	return v.secrets.recent.Len(), v.cookies.recent.Len()
}

// WrappedRows reads the secrets of a file past its vault, as they stand there.
func WrappedRows(t *testing.T, path string) map[string][]byte {
	t.Helper()
	rows := map[string][]byte{}
	run(t, path, `SELECT id, wrapped FROM secrets`, func(stmt *sqlite.Stmt) error {
		row := make([]byte, stmt.ColumnLen(1))
		stmt.ColumnBytes(1, row)
		rows[stmt.ColumnText(0)] = row
		return nil
	})
	return rows
}

// Exec changes a file past its vault.
func Exec(t *testing.T, path, query string) {
	t.Helper()
	run(t, path, query, nil)
}

func run(t *testing.T, path, query string, row func(*sqlite.Stmt) error) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{ResultFunc: row}); err != nil {
		t.Fatal(err)
	}
}

// CookieRows counts the cookies of a file past its vault.
func CookieRows(t *testing.T, path string) (n int) {
	t.Helper()
	run(t, path, `SELECT count(*) FROM cookies`, func(stmt *sqlite.Stmt) error {
		n = stmt.ColumnInt(0)
		return nil
	})
	return n
}

// Shrink makes both caches smaller, before they are used.
func (v *Vault) Shrink(size int) { v.secrets.size, v.cookies.size = size, size }

// OwnKeys returns the keys of codes and digests.
func (v *Vault) OwnKeys() [][]byte { return [][]byte{v.pepper, v.digests} }
