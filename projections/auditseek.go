package projections

import (
	"context"
	"time"

	"github.com/flowledger/flowledger/eventstore"
)

// Before returns the position behind which the ledger has all that was
// recorded at a time or later, and nothing that was recorded before, as far
// as this read model has come.
func (a *Audit) Before(ctx context.Context, t time.Time) (eventstore.Position, error) {
	n, err := a.place(ctx, t)
	return eventstore.PositionOf(uint64(max(n-1, 0))), err
}
