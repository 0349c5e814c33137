package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// readers is the number of connections to answer questions with.
const readers = 4

// Views is an open views.db. One runner writes to it; anybody reads.
type Views struct {
	pool   *sqlitex.Pool
	writer *sqlite.Conn // the runner's own

	workers sync.Mutex
	keeper  *sqlite.Conn // of the workers' checkpoints; guarded by workers
}

// Open opens the file at path, or makes it, readable by its owner alone: it
// holds the profiles of all users.
func Open(path string) (*Views, error) {
	v := &Views{}
	if err := v.open(path); err != nil {
		return nil, errors.Join(fmt.Errorf("open views %s: %w", path, err), v.Close())
	}
	return v, nil
}

func (v *Views) open(path string) error {
	// SQLite gives the files beside it the mode of this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return err
	}
	if v.writer, err = sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenWAL); err != nil {
		return err
	}
	v.writer.SetBusyTimeout(5 * time.Second)
	// What a power cut takes is replayed, so nobody waits for the disk. The
	// cache is 16 MiB: the audit's indexes are written all over. What is deleted
	// is overwritten, for it may be the profile of somebody who left.
	for _, pragma := range []string{"synchronous = NORMAL", "cache_size = -16384", "secure_delete = ON"} {
		if err := sqlitex.ExecuteTransient(v.writer, "PRAGMA "+pragma, nil); err != nil {
			return err
		}
	}
	if err := sqlitex.ExecuteScript(v.writer, checkpointsTable, nil); err != nil {
		return err
	}
	if v.keeper, err = sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenWAL); err != nil {
		return err
	}
	v.keeper.SetBusyTimeout(5 * time.Second)
	if err := sqlitex.ExecuteScript(v.keeper, workersTable, nil); err != nil {
		return err
	}
	// A search reads the same index again and again.
	v.pool, err = sqlitex.NewPool(path, sqlitex.PoolOptions{
		Flags: sqlite.OpenReadOnly, PoolSize: readers,
		PrepareConn: func(conn *sqlite.Conn) error {
			return sqlitex.ExecuteTransient(conn, "PRAGMA cache_size = -16384", nil)
		},
	})
	return err
}

// Close closes the file. The runner must have ended.
func (v *Views) Close() error {
	var errs []error
	if v.pool != nil {
		errs = append(errs, v.pool.Close())
	}
	if v.keeper != nil {
		errs = append(errs, v.keeper.Close())
	}
	if v.writer != nil {
		errs = append(errs, v.writer.Close())
	}
	return errors.Join(errs...)
}

// read asks a question: one row at a time goes to row.
func (v *Views) read(ctx context.Context, what, query string, args []any, row func(*sqlite.Stmt) error) error {
	conn, err := v.pool.Take(ctx)
	if err == nil {
		defer v.pool.Put(conn)
		err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: row})
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", what, err)
	}
	return nil
}

// snapshot asks several questions of the same moment.
func (v *Views) snapshot(ctx context.Context, what string, ask func(*sqlite.Conn) error) (err error) {
	conn, err := v.pool.Take(ctx)
	if err == nil {
		defer v.pool.Put(conn)
		end := sqlitex.Transaction(conn)
		err = ask(conn)
		end(&err)
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", what, err)
	}
	return nil
}

// readOnce is read for queries whose text is different each time: nothing of
// them is kept.
func (v *Views) readOnce(ctx context.Context, what, query string, args []any, row func(*sqlite.Stmt) error) error {
	conn, err := v.pool.Take(ctx)
	if err == nil {
		defer v.pool.Put(conn)
		err = sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: row})
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", what, err)
	}
	return nil
}

// count returns the number that a query yields.
func (v *Views) count(ctx context.Context, what, query string, args []any) (n int, err error) {
	err = v.read(ctx, what, query, args, func(s *sqlite.Stmt) error {
		n = s.ColumnInt(0)
		return nil
	})
	return n, err
}

// exec changes rows.
func exec(conn *sqlite.Conn, query string, args ...any) error {
	return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args})
}

// query yields rows within the runner's transaction.
func query(conn *sqlite.Conn, text string, row func(*sqlite.Stmt) error, args ...any) error {
	return sqlitex.Execute(conn, text, &sqlitex.ExecOptions{Args: args, ResultFunc: row})
}

// micros is a time as a column: microseconds since 1970, 0 for no time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// timeAt reads what [micros] wrote.
func timeAt(s *sqlite.Stmt, column string) time.Time {
	n := s.GetInt64(column)
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// mapAt reads a JSON object.
func mapAt(s *sqlite.Stmt, column string) (map[string]any, error) {
	m := map[string]any{}
	err := json.Unmarshal([]byte(s.GetText(column)), &m)
	return m, err
}

// jsonOf writes a map as a JSON object; nil is an empty one.
func jsonOf(m map[string]any) (string, error) {
	if m == nil {
		return "{}", nil
	}
	text, err := json.Marshal(m)
	return string(text), err
}

// A Page is a part of a list: Limit rows from Offset on, all for 0.
type Page struct {
	Offset, Limit int
}

// sql is the end of a query that yields the page.
func (p Page) sql() string {
	limit := p.Limit
	if limit <= 0 {
		limit = -1
	}
	return fmt.Sprintf(" LIMIT %d OFFSET %d", limit, max(p.Offset, 0))
}

// behind tells whether the page is behind the end of a list.
func (p Page) behind(total int) bool { return total == 0 || p.Limit > 0 && p.Offset >= total }

// ids returns the texts in the first column of a query.
func (v *Views) ids(ctx context.Context, what, query string, args ...any) (ids []string, err error) {
	err = v.read(ctx, what, query, args, func(s *sqlite.Stmt) error {
		ids = append(ids, s.ColumnText(0))
		return nil
	})
	return ids, err
}
