package projections

import (
	"context"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// KindEpoch is the kind of an erasure of what became too old.
const KindEpoch = "epoch"

// Erasures are the keys that were destroyed: what nobody can read any more,
// since when, and who wanted it so.
type Erasures struct {
	uncached
	views *Views
}

// NewErasures makes the read model.
func NewErasures(v *Views) *Erasures { return &Erasures{views: v} }

// Name implements [Projection].
func (*Erasures) Name() string { return "erasures" }

// Schema implements [Projection].
func (*Erasures) Schema() string {
	return `-- 1
		CREATE TABLE erasures(
			n         INTEGER PRIMARY KEY,
			event     TEXT NOT NULL,
			at        INTEGER NOT NULL,
			kind      TEXT NOT NULL,
			subject   TEXT NOT NULL,
			classes   TEXT NOT NULL,
			cause     TEXT NOT NULL,
			by        TEXT NOT NULL,
			bound     INTEGER NOT NULL,
			remaining INTEGER NOT NULL,
			gone      INTEGER NOT NULL
		);
		CREATE INDEX erasures_by_at ON erasures(at);
		CREATE INDEX erasures_by_kind ON erasures(kind, at);
		CREATE INDEX erasures_by_subject ON erasures(subject, at)`
}

// Needs implements [Projection].
func (*Erasures) Needs(e eventstore.Recorded) Need {
	if e.Stream.Category() == "key" {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection]. Who wanted it stands in the event; where it
// does not, whoever acted did.
func (*Erasures) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	var row Erasure
	switch event := e.Event.(type) {
	case key.SubjectKeyDestroyed:
		row = Erasure{
			Kind: event.Kind, Subject: e.Stream.ID(), Classes: event.Classes, Cause: event.Cause, By: event.By,
			Bound: event.Bound, Remaining: len(event.Remaining), BackupsGoneAt: event.BackupsGoneAt,
		}
	case key.EpochKeyDestroyed:
		row = Erasure{
			Kind: KindEpoch, Subject: event.Class + "." + event.Epoch, Classes: []string{event.Class}, Cause: "retention", Bound: int(event.Events),
		}
	default:
		return nil
	}
	if row.By == "" {
		row.By = e.Header.Actor.ID
	}
	return exec(conn, `INSERT OR IGNORE INTO erasures(n, event, at, kind, subject, classes, cause, by, bound, remaining, gone)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(e.Position.Value()), e.ID.String(), micros(e.RecordedAt), row.Kind, row.Subject, strings.Join(row.Classes, " "), row.Cause,
		row.By, row.Bound, row.Remaining, micros(row.BackupsGoneAt))
}

// List returns a page of the erasures that f wants, the newest first, and how
// many there are in all.
func (x *Erasures) List(ctx context.Context, f ErasureFilter, p Page) (list []Erasure, total int, err error) {
	var w where
	w.equal("kind", f.Kind)
	w.equal("subject", f.Subject)
	w.between("at", f.From, f.Until)
	total, err = x.views.listed(ctx, "erasures", "SELECT * FROM erasures", "SELECT count(*) FROM erasures", w, p, func(s *sqlite.Stmt) error {
		list = append(list, Erasure{
			Position: positionAt(s), Event: s.GetText("event"), At: timeAt(s, "at"), Kind: s.GetText("kind"), Subject: s.GetText("subject"),
			Classes: strings.Fields(s.GetText("classes")), Cause: s.GetText("cause"), By: s.GetText("by"),
			Bound: int(s.GetInt64("bound")), Remaining: int(s.GetInt64("remaining")), BackupsGoneAt: timeAt(s, "gone"),
		})
		return nil
	})
	return list, total, err
}
