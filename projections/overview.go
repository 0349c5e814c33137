package projections

import (
	"cmp"
	"context"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// maxSlots is how many slots an overview has at most.
const maxSlots = 1000

// Overview returns what became of the executions that began from a time on and
// before another, in slots of a length.
func (x *Executions) Overview(ctx context.Context, from, until time.Time, step time.Duration) (Overview, error) {
	if step <= 0 || !from.Before(until) || until.Sub(from)/step > maxSlots {
		return Overview{}, domain.Errorf(domain.Invalid, "An overview has between 1 and %d slots.", maxSlots)
	}
	o := Overview{From: from, Until: until, Step: step}
	for at := from; at.Before(until); at = at.Add(step) {
		o.Slots = append(o.Slots, OverviewSlot{At: at, Outcomes: map[string]int{}})
	}
	flows, reasons := map[string]*FlowOutcomes{}, map[OutcomeReason]int{}
	err := x.views.read(ctx, "executions", `SELECT (started - ?1) / ?3 AS slot, flow, max(slug) AS slug, max(flow_name) AS flow_name,
			max(designation) AS designation, status, cause, count(*) AS n FROM executions
		WHERE started >= ?1 AND started < ?2 GROUP BY slot, flow, status, cause`,
		[]any{micros(from), micros(until), step.Microseconds()}, func(s *sqlite.Stmt) error {
			n, status := int(s.GetInt64("n")), s.GetText("status")
			o.Slots[s.GetInt64("slot")].Outcomes[status] += n
			flow := s.GetText("flow")
			if flows[flow] == nil {
				flows[flow] = &FlowOutcomes{Flow: flow, Slug: s.GetText("slug"), Name: s.GetText("flow_name"),
					Designation: s.GetText("designation"), Outcomes: map[string]int{}}
			}
			flows[flow].Outcomes[status] += n
			if status != string(execution.Running) && status != string(execution.Completed) {
				reasons[OutcomeReason{Status: status, Cause: s.GetText("cause")}] += n
			}
			return nil
		})
	if err != nil {
		return Overview{}, err
	}
	for _, f := range flows {
		o.Flows = append(o.Flows, *f)
	}
	slices.SortFunc(o.Flows, func(a, b FlowOutcomes) int {
		return cmp.Or(cmp.Compare(b.total(), a.total()), cmp.Compare(a.Slug, b.Slug), cmp.Compare(a.Flow, b.Flow))
	})
	for r, n := range reasons {
		o.Reasons = append(o.Reasons, OutcomeReason{r.Status, r.Cause, n})
	}
	slices.SortFunc(o.Reasons, func(a, b OutcomeReason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Cause, b.Cause))
	})
	o.Running, err = x.views.count(ctx, "executions", "SELECT count(*) FROM executions WHERE status = 'running'", nil)
	return o, err
}

// total is how many executions there were.
func (f FlowOutcomes) total() (n int) {
	for _, of := range f.Outcomes {
		n += of
	}
	return n
}

// Outcomes returns how many executions of a flow, or of all for an empty id,
// began from a time on and before another, by their status.
func (x *Executions) Outcomes(ctx context.Context, flowID string, from, until time.Time) (map[string]int, error) {
	var w where
	w.equal("flow", flowID)
	w.between("started", from, until)
	out := map[string]int{}
	err := x.views.read(ctx, "executions", "SELECT status, count(*) FROM executions"+w.sql()+" GROUP BY status", w.args, func(s *sqlite.Stmt) error {
		out[s.ColumnText(0)] = s.ColumnInt(1)
		return nil
	})
	return out, err
}
