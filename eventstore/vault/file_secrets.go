package vault

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// FindSecret implements [Secrets].
func (f *file) FindSecret(ctx context.Context, id string) (found Secret, err error) {
	err = f.read(ctx, func(conn *sqlite.Conn) (err error) {
		found, err = findSecret(conn, id)
		return err
	})
	return found, err
}

// AddSecrets implements [Secrets], all in one transaction.
func (f *file) AddSecrets(ctx context.Context, offered ...Secret) ([]Secret, error) {
	rows := make([]Secret, len(offered))
	err := f.do(ctx, job{do: func(conn *sqlite.Conn) (err error) {
		for i, o := range offered {
			if rows[i], err = findOrAdd(conn, o); err != nil {
				return err
			}
		}
		return nil
	}})
	return rows, err
}

func findOrAdd(conn *sqlite.Conn, offered Secret) (Secret, error) {
	found, err := findSecret(conn, offered.ID)
	if err != nil || found.Wrapped != nil || !found.Since.IsZero() {
		return found, err
	}
	return offered, insertSecret(conn, offered)
}

func insertSecret(conn *sqlite.Conn, s Secret) error {
	return sqlitex.Execute(conn, `INSERT INTO secrets(id, wrapped) VALUES(?, ?)`,
		&sqlitex.ExecOptions{Args: []any{s.ID, s.Wrapped}})
}

func findSecret(conn *sqlite.Conn, id string) (Secret, error) {
	found := Secret{ID: id}
	err := sqlitex.Execute(conn, `SELECT wrapped FROM secrets WHERE id = ?`, &sqlitex.ExecOptions{
		Args: []any{id},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			found.Wrapped = column(stmt, 0)
			return nil
		},
	})
	if err != nil || found.Wrapped != nil {
		return found, err
	}
	err = sqlitex.Execute(conn, `SELECT since FROM destroyed WHERE id = ?`, &sqlitex.ExecOptions{
		Args: []any{id},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			found.Since = time.UnixMicro(stmt.ColumnInt64(0)).UTC()
			return nil
		},
	})
	return found, err
}

// column returns the bytes of a column, which are never nil.
func column(stmt *sqlite.Stmt, n int) []byte {
	value := make([]byte, stmt.ColumnLen(n))
	stmt.ColumnBytes(n, value)
	return value
}

// DestroySecrets implements [Secrets]. The rows are gone from the file and its
// log when it returns, except for class X, which has another minute: emptying
// the log at the end of every execution would cost more than it gains.
func (f *file) DestroySecrets(ctx context.Context, since time.Time, ids ...string) error {
	j := job{stale: true}
	for _, id := range ids {
		j.scrub = j.scrub || !strings.HasPrefix(id, "X/")
	}
	j.do = func(conn *sqlite.Conn) error {
		for _, id := range ids {
			if err := destroy(conn, since, id); err != nil {
				return err
			}
		}
		return nil
	}
	return f.do(ctx, j)
}

func destroy(conn *sqlite.Conn, since time.Time, id string) error {
	err := sqlitex.Execute(conn, `INSERT INTO destroyed(id, since) VALUES(?, ?) ON CONFLICT DO NOTHING`,
		&sqlitex.ExecOptions{Args: []any{id, since.UnixMicro()}})
	if err != nil {
		return err
	}
	return sqlitex.Execute(conn, `DELETE FROM secrets WHERE id = ?`, &sqlitex.ExecOptions{Args: []any{id}})
}
