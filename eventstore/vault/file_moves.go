package vault

import (
	"bytes"
	"context"
	"iter"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// movePage is how many rows are read at once, while others wait.
const movePage = 1000

// A table is one of the file's, read in the order of its key.
type table struct {
	before any    // comes before every key
	query  string // for the rows after a key, that many
	row    func(*sqlite.Stmt) Row
	key    func(Row) any
}

var tables = []table{
	{
		"", `SELECT id, wrapped FROM secrets WHERE id > ? ORDER BY id LIMIT ?`,
		func(s *sqlite.Stmt) Row { return Row{Secret: Secret{ID: s.ColumnText(0), Wrapped: column(s, 1)}} },
		func(r Row) any { return r.Secret.ID },
	}, {
		"", `SELECT id, since FROM destroyed WHERE id > ? ORDER BY id LIMIT ?`,
		func(s *sqlite.Stmt) Row {
			return Row{Secret: Secret{ID: s.ColumnText(0), Since: time.UnixMicro(s.ColumnInt64(1)).UTC()}}
		},
		func(r Row) any { return r.Secret.ID },
	}, {
		[]byte{}, `SELECT digest, session, generation, expires FROM cookies WHERE digest > ? ORDER BY digest LIMIT ?`,
		func(s *sqlite.Stmt) Row { return Row{Cookie: scanCookie(s)} },
		func(r Row) any { return r.Cookie.Digest },
	},
}

// Rows implements [Moves].
func (f *file) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, t := range tables {
			if !f.rowsOf(ctx, t, yield) {
				return
			}
		}
	}
}

// rowsOf yields the rows of one table, and whether there is to be more.
func (f *file) rowsOf(ctx context.Context, t table, yield func(Row, error) bool) bool {
	for after := t.before; ; {
		page, err := f.page(ctx, t, after)
		if err != nil {
			yield(Row{}, err)
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
		after = t.key(page[len(page)-1])
	}
}

func (f *file) page(ctx context.Context, t table, after any) (page []Row, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	err = f.read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, t.query, &sqlitex.ExecOptions{
			Args: []any{after, movePage},
			ResultFunc: func(stmt *sqlite.Stmt) error {
				page = append(page, t.row(stmt))
				return nil
			},
		})
	})
	return page, err
}

// PutRows implements [Moves], in one transaction.
func (f *file) PutRows(ctx context.Context, rows ...Row) error {
	var conflict error
	err := f.do(ctx, job{stale: true, do: func(conn *sqlite.Conn) (err error) {
		if conflict, err = conflicting(conn, rows); conflict != nil || err != nil {
			return err
		}
		for _, row := range rows {
			if err := putRow(conn, row); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return err
	}
	return conflict
}

// conflicting tells which row cannot be put. It is apart from putting them,
// for a job shares its transaction with others.
func conflicting(conn *sqlite.Conn, rows []Row) (conflict, err error) {
	for _, row := range rows {
		if row.Secret.Wrapped == nil {
			continue
		}
		found, err := findSecret(conn, row.Secret.ID)
		if err != nil {
			return nil, err
		}
		if found.Wrapped != nil && !bytes.Equal(found.Wrapped, row.Secret.Wrapped) {
			return &ConflictError{ID: row.Secret.ID}, nil
		}
	}
	return nil, nil
}

func putRow(conn *sqlite.Conn, row Row) error {
	switch {
	case row.Cookie.Digest != nil:
		return insertCookie(conn, row.Cookie)
	case row.Secret.Wrapped == nil:
		return destroy(conn, row.Secret.Since, row.Secret.ID)
	default:
		_, err := findOrAdd(conn, row.Secret)
		return err
	}
}
