package projections

import (
	"context"
	"errors"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
)

// countBudget is how long it may take to count where there are more events
// than countable: whoever reads a page does not wait for the number of all the
// others.
const (
	countBudget = 20 * time.Millisecond
	countable   = 20_000
)

// briefly bounds how long counting may take.
func (a *Audit) briefly(ctx context.Context) (context.Context, context.CancelFunc, error) {
	n, err := a.views.count(ctx, "audit", "SELECT coalesce(max(n), 0) FROM audit", nil)
	if n <= countable || err != nil {
		return ctx, func() {}, err
	}
	brief, cancel := context.WithTimeout(ctx, countBudget)
	return brief, cancel, nil
}

// Count returns how many events f wants. What only actions say is counted
// already. All else is counted in an index; where that takes too long, the
// number is that of those who were counted by then, and not exact.
func (a *Audit) Count(ctx context.Context, f AuditFilter) (total int, exact bool, err error) {
	if f.contract() && f.onlyActions() {
		var w where
		w.oneOf("action", f.Actions)
		total, err = a.views.count(ctx, "audit", "SELECT coalesce(sum(events), 0) FROM audit_actions"+w.sql(), w.args)
		return total, true, err
	}
	w, err := a.where(ctx, f)
	if err != nil {
		return 0, false, err
	}
	brief, cancel, err := a.briefly(ctx)
	if err != nil {
		return 0, false, err
	}
	defer cancel()
	total, err = a.views.count(brief, "audit", "SELECT count(*) FROM audit"+w.sql(), w.args)
	if err != nil && ctx.Err() == nil && errors.Is(brief.Err(), context.DeadlineExceeded) {
		return 0, false, nil
	}
	return total, err == nil, err
}

// onlyActions tells whether a filter says nothing but which actions it wants.
func (f AuditFilter) onlyActions() bool {
	return len(f.Types)+len(f.Users)+len(f.Brands)+len(f.About) == 0 && f.From.IsZero() && f.Until.IsZero() && (f.Before == eventstore.Position{}) &&
		f.ID+f.Stream+f.Category+f.Execution+f.Actor+f.Subject+f.IP+f.App+f.Model+f.Device+f.Application == ""
}

// Total is Count for those who want the exact number and wait for it.
func (a *Audit) Total(ctx context.Context, f AuditFilter) (int, error) {
	w, err := a.where(ctx, f)
	if err != nil {
		return 0, err
	}
	return a.views.count(ctx, "audit", "SELECT count(*) FROM audit"+w.sql(), w.args)
}

// Actions returns the names of all actions that were ever listed, those of
// people's own making included.
func (a *Audit) Actions(ctx context.Context) ([]string, error) {
	return a.views.ids(ctx, "audit", "SELECT action FROM audit_actions ORDER BY action")
}

// A Volume is how many events of one action there were in one day, in UTC.
type Volume struct {
	Day    time.Time
	Action string
	Count  int
}

// Volume counts what f wants by day and action, the oldest first. The time
// that f begins with counts from its full hour.
func (a *Audit) Volume(ctx context.Context, f AuditFilter) ([]Volume, error) {
	from := f.From.Truncate(time.Hour)
	f.AnyAction, f.From = true, time.Time{}
	if f.onlyActions() {
		var w where
		w.oneOf("action", f.Actions)
		w.add("hour >= ?", hourOf(from))
		return a.volume(ctx, "SELECT hour / 24, action, sum(events) FROM audit_hours"+w.sql()+" GROUP BY 1, 2 ORDER BY 1, 2", w.args)
	}
	f.From = from
	w, err := a.where(ctx, f)
	if err != nil {
		return nil, err
	}
	return a.volume(ctx, "SELECT at / 86400000000, action, count(*) FROM audit"+w.sql()+" GROUP BY 1, 2 ORDER BY 1, 2", w.args)
}

func (a *Audit) volume(ctx context.Context, query string, args []any) (out []Volume, err error) {
	err = a.views.read(ctx, "audit", query, args, func(s *sqlite.Stmt) error {
		out = append(out, Volume{Day: time.Unix(s.ColumnInt64(0)*86400, 0).UTC(), Action: s.ColumnText(1), Count: s.ColumnInt(2)})
		return nil
	})
	return out, err
}

// People returns how many different users the contract ascribes what f wants
// to.
func (a *Audit) People(ctx context.Context, f AuditFilter) (int, error) {
	f.AnyAction = true
	w, err := a.where(ctx, f)
	if err != nil {
		return 0, err
	}
	w.add("user <> ''")
	return a.views.count(ctx, "audit", "SELECT count(DISTINCT user) FROM audit"+w.sql(), w.args)
}

// A Top is an application that events name, how many do, and of how many
// users.
type Top struct {
	Newest Entry // one of the events, which says what the application is called
	Events int
	Users  int
}

// Top returns the applications that most of what f wants names, at most limit.
func (a *Audit) Top(ctx context.Context, f AuditFilter, limit int) (out []Top, err error) {
	f.AnyAction = true
	w, err := a.where(ctx, f)
	if err != nil {
		return nil, err
	}
	w.add("application <> 0")
	var newest []int64
	err = a.views.read(ctx, "audit", "SELECT max(n), count(*), count(DISTINCT user) FROM audit"+w.sql()+
		" GROUP BY application ORDER BY 2 DESC, 1 DESC"+Page{Limit: limit}.sql(), w.args, func(s *sqlite.Stmt) error {
		newest = append(newest, s.ColumnInt64(0))
		out = append(out, Top{Events: s.ColumnInt(1), Users: s.ColumnInt(2)})
		return nil
	})
	for i := 0; err == nil && i < len(out); i++ {
		var at where
		at.add("n = ?", newest[i])
		var found []Entry
		if found, err = a.find(ctx, at, ""); err == nil && len(found) == 1 {
			out[i].Newest = found[0]
		}
	}
	return out, err
}
