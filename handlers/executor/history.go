package executor

import (
	"context"

	"github.com/flowledger/flowledger/domain/execution"
)

// remember writes what was decided so far if it says how somebody fared who
// tried to log in: policies that are asked from here on look into the ledger
// for that, as when a wrong answer starts the flow anew (spec/flows.md 8.10).
func (x *Executor) remember(ctx context.Context, d *draft) error {
	for _, e := range d.events {
		switch e.(type) {
		case execution.IdentificationFailed, execution.LoginFailed, execution.UserLoggedIn:
			return x.commit(ctx, d)
		}
	}
	return nil
}
