package pgkeys

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore/vault"
)

const (
	findCookie  = `SELECT digest, session, generation, expires FROM flowledger_keys.cookies WHERE digest = $1`
	dropCookies = `DELETE FROM flowledger_keys.cookies WHERE session = $1 AND generation < $2`
)

// FindCookie implements [vault.Cookies].
func (e *Engine) FindCookie(ctx context.Context, digest []byte) (found vault.Cookie, ok bool, err error) {
	err = e.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		var expires int64
		err := conn.QueryRow(ctx, findCookie, digest).Scan(&found.Digest, &found.Session, &found.Generation, &expires)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		found.Expires, ok = time.UnixMicro(expires).UTC(), err == nil
		return err
	})
	return found, ok, err
}

// AddCookie implements [vault.Cookies], in one transaction.
func (e *Engine) AddCookie(ctx context.Context, c vault.Cookie, old []byte, graceUntil time.Time) error {
	return e.put(ctx, &change{cookie: &c, old: old, grace: graceUntil})
}

// DropCookies implements [vault.Cookies].
func (e *Engine) DropCookies(ctx context.Context, session string, below int) error {
	return e.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, dropCookies, session, below)
		return err
	})
}
