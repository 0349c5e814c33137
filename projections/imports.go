package projections

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

func init() {
	codec.Register[blueprint.BlueprintImportStarted](1)
	codec.Register[blueprint.BlueprintImportFinished](1)
	codec.Register[worker.WorkerEventParked](1)
}

// Imports are the blueprints that were applied, or are being applied.
type Imports struct {
	uncached
	views *Views
}

// NewImports makes the read model.
func NewImports(v *Views) *Imports { return &Imports{views: v} }

// Name implements [Projection].
func (*Imports) Name() string { return "imports" }

// Schema implements [Projection].
func (*Imports) Schema() string {
	return `-- 1
		CREATE TABLE imports(
			id       TEXT PRIMARY KEY,
			file     TEXT NOT NULL,
			digest   TEXT NOT NULL,
			finished INTEGER NOT NULL,
			started  INTEGER NOT NULL
		) WITHOUT ROWID`
}

// Needs implements [Projection].
func (*Imports) Needs(e eventstore.Recorded) Need {
	if e.Stream.Category() == "blueprint" {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (*Imports) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	switch event := e.Event.(type) {
	case blueprint.BlueprintImportStarted:
		return exec(conn, "INSERT OR REPLACE INTO imports(id, file, digest, finished, started) VALUES(?, ?, ?, 0, ?)",
			e.Stream.ID(), event.File, event.Digest, micros(e.RecordedAt))
	case blueprint.BlueprintImportFinished:
		return exec(conn, "UPDATE imports SET finished = 1 WHERE id = ?", e.Stream.ID())
	}
	return nil
}

// Unfinished returns the ids of imports that a crash interrupted, oldest
// first.
func (i *Imports) Unfinished(ctx context.Context) ([]string, error) {
	return i.views.ids(ctx, "imports", "SELECT id FROM imports WHERE NOT finished ORDER BY started, id")
}

// Applied tells whether a file of this name was ever applied.
func (i *Imports) Applied(ctx context.Context, file string) (bool, error) {
	ids, err := i.views.ids(ctx, "imports", "SELECT id FROM imports WHERE finished AND file = ? LIMIT 1", file)
	return len(ids) > 0, err
}
