package pgkeys

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore/vault"
)

// movePage is how many rows are read at once.
const movePage = 1000

const (
	pageSecrets = `SELECT id, wrapped, since FROM flowledger_keys.secrets WHERE id > $1 ORDER BY id LIMIT $2`
	pageCookies = `SELECT digest, session, generation, expires FROM flowledger_keys.cookies WHERE digest > $1 ORDER BY digest LIMIT $2`

	conflictingSecret = `SELECT s.id FROM unnest($1::text[], $2::bytea[]) AS put(id, wrapped)
		JOIN flowledger_keys.secrets s USING (id) WHERE s.wrapped <> put.wrapped LIMIT 1`
)

// Rows implements [vault.Moves].
func (e *Engine) Rows(ctx context.Context) iter.Seq2[vault.Row, error] {
	return func(yield func(vault.Row, error) bool) {
		lastID, lastDigest := "", []byte{}
		secrets := func() ([]vault.Row, error) {
			page, err := e.secretsAfter(ctx, lastID)
			if len(page) > 0 {
				lastID = page[len(page)-1].Secret.ID
			}
			return page, err
		}
		cookies := func() ([]vault.Row, error) {
			page, err := e.cookiesAfter(ctx, lastDigest)
			if len(page) > 0 {
				lastDigest = page[len(page)-1].Cookie.Digest
			}
			return page, err
		}
		_ = yieldPages(secrets, yield) && yieldPages(cookies, yield)
	}
}

// yieldPages yields page after page, and tells whether there is to be more.
func yieldPages(next func() ([]vault.Row, error), yield func(vault.Row, error) bool) bool {
	for {
		page, err := next()
		if err != nil {
			yield(vault.Row{}, err)
			return false
		}
		for _, row := range page {
			if !yield(row, nil) {
				return false
			}
		}
		if len(page) < movePage {
			return true
		}
	}
}

func (e *Engine) secretsAfter(ctx context.Context, id string) (page []vault.Row, err error) {
	err = e.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		rows, _ := conn.Query(ctx, pageSecrets, id, movePage) // its error is in rows, too
		byID, err := secretsByID(rows)
		page = page[:0]
		for _, s := range byID {
			page = append(page, vault.Row{Secret: s})
		}
		return err
	})
	slices.SortFunc(page, func(a, b vault.Row) int { return strings.Compare(a.Secret.ID, b.Secret.ID) })
	return page, err
}

func (e *Engine) cookiesAfter(ctx context.Context, digest []byte) (page []vault.Row, err error) {
	err = e.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		page = page[:0]
		var c vault.Cookie
		var expires int64
		rows, _ := conn.Query(ctx, pageCookies, digest, movePage) // its error is in rows, too
		_, err := pgx.ForEachRow(rows, []any{&c.Digest, &c.Session, &c.Generation, &expires}, func() error {
			c.Expires = time.UnixMicro(expires).UTC()
			page = append(page, vault.Row{Cookie: c})
			return nil
		})
		return err
	})
	return page, err
}

// PutRows implements [vault.Moves], in one transaction: a crash leaves all of
// the rows or none.
func (e *Engine) PutRows(ctx context.Context, rows ...vault.Row) error {
	c := columnsOfRows(rows)
	return e.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			batch := &pgx.Batch{}
			batch.Queue(putSecrets, c.ids, c.wrapped, c.since)
			batch.Queue(addCookies, c.digests, c.sessions, c.generations, c.expires)
			if err := tx.SendBatch(ctx, batch).Close(); err != nil {
				return err
			}
			conflicts, _ := tx.Query(ctx, conflictingSecret, c.ids, c.wrapped) // its error is in conflicts, too
			ids, err := pgx.CollectRows(conflicts, pgx.RowTo[string])
			if err == nil && len(ids) > 0 {
				err = &vault.ConflictError{ID: ids[0]}
			}
			return err
		})
	})
}

func columnsOfRows(rows []vault.Row) columns {
	changes := make([]*change, len(rows))
	for i, row := range rows {
		if row.Cookie.Digest != nil {
			changes[i] = &change{cookie: &row.Cookie}
		} else {
			changes[i] = &change{secrets: []vault.Secret{row.Secret}}
		}
	}
	return columnsOf(changes)
}
