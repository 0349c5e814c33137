package vault

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// FindCookie implements [Cookies].
func (f *file) FindCookie(ctx context.Context, digest []byte) (found Cookie, ok bool, err error) {
	err = f.read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, `SELECT digest, session, generation, expires FROM cookies WHERE digest = ?`,
			&sqlitex.ExecOptions{
				Args: []any{digest},
				ResultFunc: func(stmt *sqlite.Stmt) error {
					found, ok = scanCookie(stmt), true
					return nil
				},
			})
	})
	return found, ok, err
}

func scanCookie(stmt *sqlite.Stmt) Cookie {
	return Cookie{
		Digest: column(stmt, 0), Session: stmt.ColumnText(1),
		Generation: stmt.ColumnInt(2), Expires: time.UnixMicro(stmt.ColumnInt64(3)).UTC(),
	}
}

// AddCookie implements [Cookies], in one transaction.
func (f *file) AddCookie(ctx context.Context, c Cookie, old []byte, graceUntil time.Time) error {
	return f.do(ctx, job{do: func(conn *sqlite.Conn) error {
		if old != nil {
			err := sqlitex.Execute(conn, `UPDATE cookies SET expires = min(expires, ?) WHERE digest = ?`,
				&sqlitex.ExecOptions{Args: []any{graceUntil.UnixMicro(), old}})
			if err != nil {
				return err
			}
		}
		return insertCookie(conn, c)
	}})
}

func insertCookie(conn *sqlite.Conn, c Cookie) error {
	return sqlitex.Execute(conn,
		`INSERT INTO cookies(digest, session, generation, expires) VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		&sqlitex.ExecOptions{Args: []any{c.Digest, c.Session, c.Generation, c.Expires.UnixMicro()}})
}

// DropCookies implements [Cookies].
func (f *file) DropCookies(ctx context.Context, session string, below int) error {
	return f.do(ctx, job{do: func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, `DELETE FROM cookies WHERE session = ? AND generation < ?`,
			&sqlitex.ExecOptions{Args: []any{session, below}})
	}})
}
