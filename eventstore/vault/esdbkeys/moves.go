package esdbkeys

import (
	"bytes"
	"context"
	"iter"
	"strings"

	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/vault"
)

// movePage is how many rows are looked up together.
const movePage = 256

// Rows implements [vault.Moves]. It reads all streams there are, the ledger's
// as well. What an event says is not a row: the stream may have gone on.
func (e *Engine) Rows(ctx context.Context) iter.Seq2[vault.Row, error] {
	return func(yield func(vault.Row, error) bool) {
		var page []esdb.Entry
		for entry, err := range e.store.Beside(ctx) {
			if err != nil {
				yield(vault.Row{}, closedOr(err))
				return
			}
			if rowTypes[entry.Type] && strings.HasPrefix(entry.Stream, e.within) {
				page = append(page, entry)
			}
			if len(page) == movePage {
				if !e.yieldRows(ctx, page, yield) {
					return
				}
				page = page[:0]
			}
		}
		e.yieldRows(ctx, page, yield)
	}
}

// rowTypes are the events with which a row begins, or is another one.
var rowTypes = map[string]bool{secretMade: true, secretDestroyed: true, cookieAdded: true}

// yieldRows yields the rows that these events have led to, and tells whether
// there is to be more.
func (e *Engine) yieldRows(ctx context.Context, entries []esdb.Entry, yield func(vault.Row, error) bool) bool {
	rows := make([]vault.Row, len(entries))
	err := each(ctx, len(entries), func(ctx context.Context, i int) (err error) {
		rows[i], err = e.rowOf(ctx, entries[i])
		return err
	})
	if err != nil {
		yield(vault.Row{}, err)
		return false
	}
	for _, row := range rows {
		if (row.Secret.ID != "" || row.Cookie.Digest != nil) && !yield(row, nil) {
			return false
		}
	}
	return true
}

// rowOf returns the row that an event has led to, or none where it leads to
// none any more, or where a later event will.
func (e *Engine) rowOf(ctx context.Context, entry esdb.Entry) (vault.Row, error) {
	if entry.Type == cookieAdded {
		c, err := e.cookieOf(entry)
		if err != nil {
			return vault.Row{}, err
		}
		found, _, err := e.FindCookie(ctx, c.Digest)
		return vault.Row{Cookie: found}, err
	}
	s, err := e.secretOf(entry)
	if err != nil || entry.Type == secretDestroyed {
		return vault.Row{Secret: s}, err
	}
	found, err := e.FindSecret(ctx, s.ID)
	if err != nil || found.Wrapped == nil {
		return vault.Row{}, err
	}
	return vault.Row{Secret: found}, nil
}

// PutRows implements [vault.Moves]. It looks for conflicts before it puts
// anything. A crash leaves some rows put and others not; putting them again
// passes over the former.
func (e *Engine) PutRows(ctx context.Context, rows ...vault.Row) error {
	err := each(ctx, len(rows), func(ctx context.Context, i int) error {
		if rows[i].Secret.Wrapped == nil {
			return nil
		}
		found, err := e.FindSecret(ctx, rows[i].Secret.ID)
		if err == nil && found.Wrapped != nil && !bytes.Equal(found.Wrapped, rows[i].Secret.Wrapped) {
			err = &vault.ConflictError{ID: found.ID}
		}
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, len(rows), func(ctx context.Context, i int) (err error) {
		switch row := rows[i]; {
		case row.Cookie.Digest != nil:
			err = e.AddCookie(ctx, row.Cookie, nil, row.Cookie.Expires)
		case row.Secret.Wrapped == nil:
			err = e.destroy(ctx, row.Secret.Since, row.Secret.ID)
		default:
			_, err = e.findOrAdd(ctx, row.Secret)
		}
		return err
	})
}
