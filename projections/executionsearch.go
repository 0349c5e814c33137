package projections

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
)

// Orders of a list of executions. A minus turns one round.
var executionOrders = map[string]string{
	"": "started DESC", "-started": "started DESC", "started": "started", "-seen": "seen DESC", "seen": "seen",
	"-duration": "seen - started DESC", "duration": "seen - started",
}

// Search returns a page of the executions that f wants, in an order:
// "-started", which is the default, "started", "-seen", "seen", "-duration" or
// "duration".
func (x *Executions) Search(ctx context.Context, f ExecutionFilter, order string, p Page) (ExecutionPage, error) {
	by, ok := executionOrders[order]
	if !ok {
		return ExecutionPage{}, domain.Errorf(domain.Invalid, "There is no order %s.", order)
	}
	w := f.where()
	total, err := x.views.count(ctx, "executions", "SELECT count(*) FROM executions"+w.sql(), w.args)
	if err != nil || p.behind(total) {
		return ExecutionPage{Total: total, Exact: err == nil}, err
	}
	page := ExecutionPage{Total: total, Exact: true}
	err = x.views.readOnce(ctx, "executions", "SELECT * FROM executions"+w.sql()+" ORDER BY "+by+", id DESC"+p.sql(), w.args, func(s *sqlite.Stmt) error {
		page.Executions = append(page.Executions, executionAt(s))
		return nil
	})
	return page, err
}

// where makes a condition of a filter.
func (f ExecutionFilter) where() where {
	var w where
	w.equal("id", f.ID)
	w.equal("slug", f.Slug)
	w.equal("user", f.User)
	w.equal("session", f.Session)
	w.equal("status", f.Status)
	w.oneOf("status", f.Statuses)
	w.equal("cause", f.Cause)
	w.equal("flow", f.Flow)
	if f.FlowRevision != nil {
		w.add("flow_revision = ?", *f.FlowRevision)
	}
	w.equal("designation", f.Designation)
	w.equal("visitor", f.Visitor)
	if f.Reached != "" {
		w.add("(stage = ? OR stage_name = ?)", f.Reached, f.Reached)
	}
	w.state("running", f.Running)
	w.state("expired", f.Abandoned)
	if f.Longer > 0 {
		w.add("seen - started >= ?", f.Longer.Microseconds())
	}
	if f.Shorter > 0 {
		w.add("seen - started < ?", f.Shorter.Microseconds())
	}
	w.between("started", f.From, f.Until)
	return w
}

// state wants executions that have a status, or have not.
func (w *where) state(status string, wanted *bool) {
	switch {
	case wanted == nil:
	case *wanted:
		w.add("status = ?", status)
	default:
		w.add("status <> ?", status)
	}
}
