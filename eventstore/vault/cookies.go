package vault

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// cookieLength is that of 32 bytes in base64url without padding.
const cookieLength = 43

// A cookie is what the vault knows of a session cookie. The value that the
// browser has is nowhere stored.
type cookie struct {
	session    string
	generation int
	expires    time.Time
}

// AddCookie makes a cookie that leads to session until expires. The
// generation tells cookies from before a login from those after it.
func (v *Vault) AddCookie(ctx context.Context, session string, generation int, expires time.Time) (string, error) {
	value, digest := v.newCookie()
	err := v.do(ctx, job{do: func(conn *sqlite.Conn) error {
		return insertCookie(conn, digest, cookie{session, generation, expires})
	}})
	if err != nil {
		return "", fmt.Errorf("add cookie: %w", err)
	}
	return value, nil
}

// Replace makes a cookie as [Vault.AddCookie] does. In the same transaction it
// limits the life of the old one to graceUntil, for answers that are still on
// their way. An old value that is unknown does not matter.
func (v *Vault) Replace(
	ctx context.Context, oldValue, session string, generation int, expires, graceUntil time.Time,
) (string, error) {
	value, digest := v.newCookie()
	old := v.Digest("cookie", oldValue)
	err := v.do(ctx, job{do: func(conn *sqlite.Conn) error {
		err := sqlitex.Execute(conn,
			`UPDATE cookies SET expires = min(expires, ?) WHERE digest = ?`,
			&sqlitex.ExecOptions{Args: []any{graceUntil.UnixMicro(), old}})
		if err != nil {
			return err
		}
		return insertCookie(conn, digest, cookie{session, generation, expires})
	}})
	v.cookies.drop(string(old))
	if err != nil {
		return "", fmt.Errorf("replace cookie: %w", err)
	}
	return value, nil
}

// Cookie tells where a cookie's value leads to. It is not ok when the value
// was never given out, is over its time, or was dropped.
func (v *Vault) Cookie(ctx context.Context, value string) (session string, generation int, ok bool, err error) {
	if len(value) != cookieLength {
		return "", 0, false, nil
	}
	digest := v.Digest("cookie", value)
	drops := v.cookies.drops()
	found, ok := v.cookies.get(string(digest))
	if !ok {
		err = v.read(ctx, func(conn *sqlite.Conn) (err error) {
			found, ok, err = findCookie(conn, digest)
			return err
		})
		if err != nil {
			return "", 0, false, fmt.Errorf("look up cookie: %w", err)
		}
		if ok {
			v.cookies.put(string(digest), found, drops)
		}
	}
	if !ok || !v.now().Before(found.expires) {
		return "", 0, false, nil
	}
	return found.session, found.generation, true, nil
}

// DropSession removes all cookies of a session.
func (v *Vault) DropSession(ctx context.Context, session string) error {
	return v.dropCookies(ctx, func(c cookie) bool { return c.session == session },
		`DELETE FROM cookies WHERE session = ?`, session)
}

// DropOlder removes the cookies of a session that are of an older generation.
func (v *Vault) DropOlder(ctx context.Context, session string, generation int) error {
	return v.dropCookies(ctx, func(c cookie) bool { return c.session == session && c.generation < generation },
		`DELETE FROM cookies WHERE session = ? AND generation < ?`, session, generation)
}

func (v *Vault) dropCookies(ctx context.Context, match func(cookie) bool, query string, args ...any) error {
	err := v.do(ctx, job{do: func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args})
	}})
	v.cookies.dropIf(match)
	if err != nil {
		return fmt.Errorf("drop cookies: %w", err)
	}
	return nil
}

// newCookie returns 256 random bits as a value, and what is stored of them.
func (v *Vault) newCookie() (value string, digest []byte) {
	value = base64.RawURLEncoding.EncodeToString(newSecret())
	return value, v.Digest("cookie", value)
}

func insertCookie(conn *sqlite.Conn, digest []byte, c cookie) error {
	return sqlitex.Execute(conn, `INSERT INTO cookies(digest, session, generation, expires) VALUES(?, ?, ?, ?)`,
		&sqlitex.ExecOptions{Args: []any{digest, c.session, c.generation, c.expires.UnixMicro()}})
}

func findCookie(conn *sqlite.Conn, digest []byte) (found cookie, ok bool, err error) {
	err = sqlitex.Execute(conn, `SELECT session, generation, expires FROM cookies WHERE digest = ?`,
		&sqlitex.ExecOptions{
			Args: []any{digest},
			ResultFunc: func(stmt *sqlite.Stmt) error {
				ok = true
				found = cookie{stmt.ColumnText(0), stmt.ColumnInt(1), time.UnixMicro(stmt.ColumnInt64(2))}
				return nil
			},
		})
	return found, ok, err
}
