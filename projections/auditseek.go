package projections

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
)

// Before returns the position behind which the ledger has all that was
// recorded at a time or later, and perhaps little that was recorded before.
// Times never fall along the ledger, so it halves what is left until it is
// there.
func (a *Audit) Before(ctx context.Context, t time.Time) (eventstore.Position, error) {
	var low, high int64 // what is at low was before, what is at high was not
	err := a.views.read(ctx, "events", "SELECT coalesce(max(n), 0) + 1 FROM audit", nil, func(s *sqlite.Stmt) error {
		high = s.ColumnInt64(0)
		return nil
	})
	if err != nil {
		return eventstore.Position{}, err
	}
	for high-low > 1 {
		middle, n, at := low+(high-low)/2, int64(0), int64(0)
		err := a.views.read(ctx, "events", "SELECT n, at FROM audit WHERE n <= ? AND n > ? ORDER BY n DESC LIMIT 1", []any{middle, low},
			func(s *sqlite.Stmt) error {
				n, at = s.ColumnInt64(0), s.ColumnInt64(1)
				return nil
			})
		switch {
		case err != nil:
			return eventstore.Position{}, err
		case n == 0, at < micros(t):
			low = middle // nothing in between, or all of that was before
		default:
			high = n
		}
	}
	return eventstore.PositionOf(uint64(low)), nil
}
