package main

import (
	"context"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// consoleTrail gives the console the ledger as a list.
type consoleTrail struct{ app *app }

// Latest implements console.Trail. The end is read first, and the list has to
// reach it: what is appended in between is in both, and not in neither.
func (t *consoleTrail) Latest(ctx context.Context, f projections.AuditFilter, limit int) ([]projections.Entry, eventstore.Position, error) {
	end, err := t.app.store.Head(ctx)
	if err != nil {
		return nil, end, err
	}
	if err := t.app.wait(ctx); err != nil {
		return nil, end, err
	}
	found, err := t.app.audit.Newest(ctx, f, limit)
	return found, end, err
}

// Types implements console.Trail.
func (t *consoleTrail) Types() []string { return slices.Sorted(maps.Keys(codec.Types())) }
