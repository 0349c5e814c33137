package main

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// forgetting drops what this node has in memory and in its folder of people
// whom another node has erased, and of months that became too old. It is a projection without rows: it comes to
// every node, and on one that was down it comes later.
type forgetting struct{ app *app }

// Name implements projections.Projection.
func (*forgetting) Name() string { return "forgetting" }

// Schema implements projections.Projection. A projection has a table, and this
// one leaves it empty.
func (*forgetting) Schema() string { return "-- 1\nCREATE TABLE forgetting(empty TEXT)" }

// Needs implements projections.Projection.
func (*forgetting) Needs(e eventstore.Recorded) projections.Need {
	switch e.Type {
	case (key.SubjectKeyDestroyed{}).EventType(), (key.EpochKeyDestroyed{}).EventType():
		return projections.Clear
	}
	return projections.Nothing
}

// Apply implements projections.Projection. Both are rare, and what is
// dropped too much is read again. A crash takes the memory with it; files are
// then dropped when the event comes again.
func (f *forgetting) Apply(_ context.Context, _ *sqlite.Conn, e codec.Decoded) error {
	a := f.app
	a.vault.Evict()
	a.executionHandler.Cache.Clear()
	a.sessionHandler.Cache.Clear()
	a.groupHandler.Cache.Clear()
	a.resendHandler.Cache.Clear()
	for _, g := range a.outgoing.gatherers {
		g.Evict()
	}
	return newExportFiles(a.data).clearUntil(e.RecordedAt.Add(exportMargin))
}

// exportMargin is how long an export may have been under way when somebody was
// erased, and how far clocks may be apart.
const exportMargin = 5 * time.Minute

// Refresh implements projections.Projection.
func (*forgetting) Refresh(*sqlite.Conn) error { return nil }
