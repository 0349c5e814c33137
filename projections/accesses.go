package projections

import (
	"context"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Accesses are the looks at audit data, at keys of tokens and at exported
// configuration, and the refusals. What was asked for is known by name alone:
// the values are sealed.
type Accesses struct {
	uncached
	views *Views
}

// NewAccesses makes the read model.
func NewAccesses(v *Views) *Accesses { return &Accesses{views: v} }

// Name implements [Projection].
func (*Accesses) Name() string { return "accesses" }

// Schema implements [Projection].
func (*Accesses) Schema() string {
	return `-- 1
		CREATE TABLE accesses(
			n         INTEGER PRIMARY KEY,
			event     TEXT NOT NULL,
			at        INTEGER NOT NULL,
			type      TEXT NOT NULL,
			by        TEXT NOT NULL,
			view      TEXT NOT NULL,
			execution TEXT NOT NULL,
			filters   TEXT NOT NULL,
			count     INTEGER NOT NULL,
			requests  INTEGER NOT NULL,
			opened    TEXT NOT NULL,
			cause     TEXT NOT NULL
		);
		CREATE INDEX accesses_by_at ON accesses(at);
		CREATE INDEX accesses_by_type ON accesses(type, at);
		CREATE INDEX accesses_by_by ON accesses(by, at);
		CREATE INDEX accesses_by_view ON accesses(view, at);
		CREATE INDEX accesses_by_execution ON accesses(execution, at) WHERE execution <> ''`
}

// Needs implements [Projection].
func (*Accesses) Needs(e eventstore.Recorded) Need {
	if e.Stream.Category() == "audit" || e.Type == "TokenViewed" || e.Type == "ObjectExported" {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (*Accesses) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	a, ok := accessOf(e)
	if !ok {
		return nil
	}
	return exec(conn, `INSERT OR IGNORE INTO accesses(n, event, at, type, by, view, execution, filters, count, requests, opened, cause)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(e.Position.Value()), e.ID.String(), micros(e.RecordedAt), e.Type, a.By, a.View, a.Execution,
		strings.Join(a.Filters, " "), a.Count, a.Requests, strings.Join(a.Opened, " "), a.Cause)
}

// accessOf reads a look off its event. Notes of somebody's own making are none.
func accessOf(e codec.Decoded) (Access, bool) {
	switch event := e.Event.(type) {
	case audit.AuditQueried:
		return Access{
			By: event.By, View: event.View, Filters: event.Filters, Count: event.Count, Requests: event.Requests, Opened: event.SealedOpened,
		}, true
	case audit.AuditExecutionInspected:
		return Access{By: event.By, View: "executions", Execution: event.Execution, Count: 1, Requests: event.Requests}, true
	case audit.AuditExported:
		return Access{By: event.By, View: "exports", Count: event.Count, Requests: 1}, true
	case audit.AuditPolicyTested:
		return Access{By: event.By, View: "policies", Count: 1, Requests: 1}, true
	case audit.ObjectExported:
		return Access{By: event.By, View: "objects", Count: event.Count, Requests: 1}, true
	case audit.AuditAccessRefused:
		return Access{By: event.By, View: event.View, Requests: 1, Cause: event.Cause}, true
	case token.TokenViewed:
		return Access{By: event.By, View: "tokens", Count: 1, Requests: 1}, true
	}
	return Access{}, false
}

// List returns a page of the looks that f wants, the newest first, and how many
// there are in all.
func (a *Accesses) List(ctx context.Context, f AccessFilter, p Page) (list []Access, total int, err error) {
	var w where
	w.equal("by", f.By)
	w.equal("view", f.View)
	w.equal("type", f.Type)
	if f.Execution != "" {
		w.add("execution = ? AND execution <> ''", f.Execution) // the index has but those that look into one
	}
	w.between("at", f.From, f.Until)
	total, err = a.views.listed(ctx, "accesses", "SELECT * FROM accesses", "SELECT count(*) FROM accesses", w, p, func(s *sqlite.Stmt) error {
		list = append(list, Access{
			Position: positionAt(s), Event: s.GetText("event"), At: timeAt(s, "at"), Type: s.GetText("type"), By: s.GetText("by"),
			View: s.GetText("view"), Execution: s.GetText("execution"), Filters: strings.Fields(s.GetText("filters")),
			Count: int(s.GetInt64("count")), Requests: int(s.GetInt64("requests")),
			Opened: strings.Fields(s.GetText("opened")), Cause: s.GetText("cause"),
		})
		return nil
	})
	return list, total, err
}
