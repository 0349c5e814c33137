package projections

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
)

// listed shows a page of rows that are keyed by their place in the ledger, the
// newest first, and returns how many there are. Times never go back, so the
// order of their times is that of their places.
func (v *Views) listed(ctx context.Context, what, rows, counted string, w where, p Page, row func(*sqlite.Stmt) error) (total int, err error) {
	err = v.snapshot(ctx, what, func(conn *sqlite.Conn) error {
		err := query(conn, counted+w.sql(), func(s *sqlite.Stmt) error {
			total = s.ColumnInt(0)
			return nil
		}, w.args...)
		if err != nil || p.behind(total) {
			return err
		}
		order := w.through(total) + "at DESC, " + w.through(total) + "n DESC"
		return query(conn, rows+w.sql()+" ORDER BY "+order+p.sql(), row, w.args...)
	})
	return total, err
}

// positionAt reads the place of a row in the ledger.
func positionAt(s *sqlite.Stmt) eventstore.Position {
	return eventstore.PositionOf(uint64(s.GetInt64("n")))
}
