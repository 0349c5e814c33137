package projections

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Revisions are where the streams of what people edit stand. Whoever shows a
// thing with its revision asks for the revision first, and for the thing then:
// the thing may only be newer than its revision says, never older.
type Revisions struct {
	uncached
	views *Views
}

// NewRevisions makes the read model.
func NewRevisions(v *Views) *Revisions { return &Revisions{views: v} }

// Name implements [Projection].
func (*Revisions) Name() string { return "revisions" }

// Schema implements [Projection].
func (*Revisions) Schema() string {
	return `-- 1
		CREATE TABLE revisions(
			stream   TEXT PRIMARY KEY,
			revision INTEGER NOT NULL
		) WITHOUT ROWID`
}

// edited are the categories of streams that are edited and whose things have
// no revision in their own read models.
var edited = map[string]bool{
	"user": true, "group": true, "role": true, "token": true, "invitation": true, "blueprint": true,
}

// Needs implements [Projection].
func (*Revisions) Needs(e eventstore.Recorded) Need {
	if edited[e.Stream.Category()] {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (*Revisions) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	return exec(conn, "INSERT OR REPLACE INTO revisions(stream, revision) VALUES(?, ?)", string(e.Stream), int64(e.Revision))
}

// Of returns the revision of a stream, and -1 for one that is not there.
func (r *Revisions) Of(ctx context.Context, stream eventstore.StreamID) (eventstore.Revision, error) {
	at := eventstore.Revision(-1)
	err := r.views.read(ctx, "revisions", "SELECT revision FROM revisions WHERE stream = ?", []any{string(stream)}, func(s *sqlite.Stmt) error {
		at = eventstore.Revision(s.ColumnInt64(0))
		return nil
	})
	return at, err
}
