package projections

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// What an overview has at most: slots, and flows, the busiest of all time.
const (
	maxSlots      = 1000
	overviewFlows = 100
)

// Overview returns what became of the executions that began from a time on and
// before another, in slots of a length, the last of which may be shorter. Rows
// that were dropped count in the slot of the full hour.
func (x *Executions) Overview(ctx context.Context, from, until time.Time, step time.Duration) (Overview, error) {
	if step <= 0 || !from.Before(until) || (until.Sub(from)+step-1)/step > maxSlots {
		return Overview{}, domain.Errorf(domain.Invalid, "An overview has between 1 and %d slots.", maxSlots)
	}
	v := &overview{Overview: Overview{From: from, Until: until, Step: step}, flows: map[string]*FlowOutcomes{}, reasons: map[OutcomeReason]int{}}
	for at := from; at.Before(until); at = at.Add(step) {
		v.Slots = append(v.Slots, OverviewSlot{At: at, Outcomes: map[string]int{}})
	}
	err := x.views.snapshot(ctx, "executions", func(conn *sqlite.Conn) error {
		v.executionSearch = executionSearch{conn: conn}
		for _, part := range []func() error{v.read, v.slots, v.ofFlows, v.ofReasons, v.dropped, v.named, v.running} {
			if err := part(); err != nil {
				return err
			}
		}
		return nil
	})
	v.sort()
	return v.Overview, err
}

// Outcomes returns how many executions of a flow, or of all for an empty id,
// began from a time on and before another, by their status.
func (x *Executions) Outcomes(ctx context.Context, flowID string, from, until time.Time) (map[string]int, error) {
	out := map[string]int{}
	err := x.views.snapshot(ctx, "executions", func(conn *sqlite.Conn) error {
		s := &executionSearch{conn: conn}
		if err := s.bound(ExecutionFilter{From: from, Until: until}); err != nil {
			return err
		}
		flows, err := s.flowSet(flowID)
		if err != nil {
			return err
		}
		for _, status := range statuses {
			those, err := s.marked(markStatus + status)
			if err != nil {
				return err
			}
			if n := those.both(cmp.Or(flows, those), s.low, s.high); n > 0 {
				out[status] = n
			}
		}
		return shedBetween(conn, from, until, func(row *sqlite.Stmt) {
			if flowID == "" || row.GetText("flow") == flowID {
				out[row.GetText("status")] += int(row.GetInt64("begun"))
			}
		})
	})
	return out, err
}

// flowSet returns the executions of a flow; nil for an empty id.
func (s *executionSearch) flowSet(id string) (*numberSet, error) {
	if id == "" {
		return nil, nil
	}
	marks, err := s.numbered(markFlow, "SELECT n FROM executions_flows WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	return s.marked(marks...)
}

// shedBetween yields how many executions began in the hours of a time whose
// rows were dropped.
func shedBetween(conn *sqlite.Conn, from, until time.Time, yield func(*sqlite.Stmt)) error {
	var w where
	if !from.IsZero() {
		w.add("hour >= ?", (from.Unix()+3599)/3600)
	}
	if !until.IsZero() {
		w.add("hour < ?", (until.Unix()+3599)/3600)
	}
	return query(conn, "SELECT * FROM executions_shed"+w.sql(), func(s *sqlite.Stmt) error {
		yield(s)
		return nil
	}, w.args...)
}

// An overview is one in the making.
type overview struct {
	Overview
	executionSearch
	status  map[string]*numberSet
	flows   map[string]*FlowOutcomes
	reasons map[OutcomeReason]int
}

// read reads the executions of each status.
func (v *overview) read() error {
	v.status = map[string]*numberSet{}
	if err := v.bound(ExecutionFilter{From: v.From, Until: v.Until}); err != nil {
		return err
	}
	for _, status := range statuses {
		set, err := v.marked(markStatus + status)
		if err != nil {
			return err
		}
		v.status[status] = set
	}
	return nil
}

// slots counts what began in each slot. Where a slot begins is looked for
// behind the one before.
func (v *overview) slots() (err error) {
	low := v.low
	for i := range v.Slots {
		high := v.high
		if i+1 < len(v.Slots) {
			if high, err = placeBetween(v.conn, v.Slots[i+1].At, low, v.high); err != nil {
				return err
			}
		}
		if low < high {
			v.tally(v.Slots[i].Outcomes, nil, low, high)
		}
		low = high
	}
	return nil
}

// tally counts by status what a set has, from one number on and below another.
func (v *overview) tally(outcomes map[string]int, set *numberSet, low, high int64) {
	for status, those := range v.status {
		with := set
		if with == nil {
			with = those
		}
		if n := those.both(with, low, high); n > 0 {
			outcomes[status] += n
		}
	}
}

// ofFlows counts by flow.
func (v *overview) ofFlows() error {
	ids := []string{}
	err := query(v.conn, "SELECT id FROM executions_flows GROUP BY id ORDER BY sum(begun) DESC, id LIMIT ?", func(s *sqlite.Stmt) error {
		ids = append(ids, s.ColumnText(0))
		return nil
	}, overviewFlows)
	if err != nil {
		return err
	}
	for _, id := range ids {
		set, err := v.flowSet(id)
		if err != nil {
			return err
		}
		if v.tally(v.flowOf(id).Outcomes, set, v.low, v.high); len(v.flows[id].Outcomes) == 0 {
			delete(v.flows, id)
		}
	}
	return nil
}

func (v *overview) flowOf(id string) *FlowOutcomes {
	if v.flows[id] == nil {
		v.flows[id] = &FlowOutcomes{Flow: id, Outcomes: map[string]int{}}
	}
	return v.flows[id]
}

// ofReasons counts by cause what did not complete.
func (v *overview) ofReasons() error {
	var marks []string
	err := query(v.conn, "SELECT DISTINCT mark FROM executions_bits WHERE mark >= ?1 AND mark < ?1 || char(1114111)", func(s *sqlite.Stmt) error {
		marks = append(marks, s.ColumnText(0))
		return nil
	}, markCause)
	for _, mark := range marks {
		status, cause, _ := strings.Cut(strings.TrimPrefix(mark, markCause), ":")
		if err != nil || status == string(execution.Completed) || v.status[status] == nil {
			continue
		}
		var set *numberSet
		if set, err = v.marked(mark); err == nil {
			v.reason(status, cause, set.both(v.status[status], v.low, v.high))
		}
	}
	return err
}

func (v *overview) reason(status, cause string, n int) {
	if n > 0 {
		v.reasons[OutcomeReason{Status: status, Cause: cause}] += n
	}
}

// dropped adds what is no longer in rows.
func (v *overview) dropped() error {
	return shedBetween(v.conn, v.From, v.Until, func(s *sqlite.Stmt) {
		status, n := s.GetText("status"), int(s.GetInt64("begun"))
		at := time.Unix(s.GetInt64("hour")*3600, 0)
		v.Slots[min(int(at.Sub(v.From)/v.Step), len(v.Slots)-1)].Outcomes[status] += n
		v.flowOf(s.GetText("flow")).Outcomes[status] += n
		if status != string(execution.Completed) {
			v.reason(status, s.GetText("cause"), n)
		}
	})
}

// named says what the flows are called now.
func (v *overview) named() error {
	for id, f := range v.flows {
		err := query(v.conn, "SELECT slug, name, designation FROM executions_flows WHERE id = ? ORDER BY n DESC LIMIT 1", func(s *sqlite.Stmt) error {
			f.Slug, f.Name, f.Designation = s.ColumnText(0), s.ColumnText(1), s.ColumnText(2)
			return nil
		}, id)
		if err != nil {
			return err
		}
	}
	return nil
}

// running counts what is under way, whenever it began.
func (v *overview) running() error {
	now := executionSearch{conn: v.conn}
	if err := now.bound(ExecutionFilter{}); err != nil {
		return err
	}
	set, err := now.marked(markStatus + string(execution.Running))
	if err == nil {
		v.Running = set.count()
	}
	return err
}

func (v *overview) sort() {
	for _, f := range v.flows {
		v.Flows = append(v.Flows, *f)
	}
	slices.SortFunc(v.Flows, func(a, b FlowOutcomes) int {
		return cmp.Or(cmp.Compare(b.total(), a.total()), cmp.Compare(a.Slug, b.Slug), cmp.Compare(a.Flow, b.Flow))
	})
	for r, n := range v.reasons {
		v.Reasons = append(v.Reasons, OutcomeReason{r.Status, r.Cause, n})
	}
	slices.SortFunc(v.Reasons, func(a, b OutcomeReason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Cause, b.Cause))
	})
}

// total is how many executions there were.
func (f FlowOutcomes) total() (n int) {
	for _, of := range f.Outcomes {
		n += of
	}
	return n
}
