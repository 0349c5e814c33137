package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
)

// hoursAround are the whole hours that a time touches: what is told by the hour
// counts to the ends of the hours that it begins and ends in.
func hoursAround(from, until time.Time) (first, last int64) {
	return hourOf(from), ceilTo(until.UnixMicro(), hourMicros) / hourMicros
}

// Policies returns what each policy said in a span of time, in whole hours, the
// busiest first.
func (x *Verdicts) Policies(ctx context.Context, from, until time.Time) ([]PolicyVerdicts, error) {
	first, last := hoursAround(from, until)
	found := map[string]*PolicyVerdicts{}
	err := x.views.snapshot(ctx, "policies", func(conn *sqlite.Conn) error {
		for _, span := range wholeSlots(first, last) {
			err := query(conn, `SELECT r.id, r.kind, r.revision, r.name, v.passed, v.failed, v.erred, v.most, v.ms
					FROM (SELECT ref, sum(passed) AS passed, sum(failed) AS failed, sum(erred) AS erred, max(most) AS most, sum(ms) AS ms
						FROM verdicts_slots WHERE span = ? AND at >= ? AND at < ? GROUP BY ref) v JOIN verdicts_refs r ON r.n = v.ref`,
				func(s *sqlite.Stmt) error {
					r := domain.Ref{ID: s.ColumnText(0), Kind: s.ColumnText(1), Revision: s.ColumnInt64(2), Name: s.ColumnText(3)}
					sums := found[r.ID]
					if sums == nil {
						sums = &PolicyVerdicts{Policy: r}
						found[r.ID] = sums
					}
					if r.Revision > sums.Policy.Revision {
						sums.Policy = r
					}
					sums.Passed, sums.Failed, sums.Erred = sums.Passed+s.ColumnInt(4), sums.Failed+s.ColumnInt(5), sums.Erred+s.ColumnInt(6)
					sums.MaxMS, sums.TotalMS = max(sums.MaxMS, s.ColumnInt64(7)), sums.TotalMS+s.ColumnInt64(8)
					return nil
				}, span.hours, span.from, span.until)
			if err != nil {
				return err
			}
		}
		return nil
	})
	out := make([]PolicyVerdicts, 0, len(found))
	for _, sums := range found {
		out = append(out, *sums)
	}
	slices.SortFunc(out, func(a, b PolicyVerdicts) int {
		return cmp.Or(cmp.Compare(b.Passed+b.Failed+b.Erred, a.Passed+a.Failed+a.Erred), cmp.Compare(a.Policy.ID, b.Policy.ID))
	})
	return out, err
}

// Over returns what a policy said over time, the oldest first, no slot left
// out. Slots are whole hours and begin with the hour of from; a step that is
// shorter is one.
func (x *Verdicts) Over(ctx context.Context, policyID string, from, until time.Time, step time.Duration) ([]VerdictSlot, error) {
	first, last := hoursAround(from, until)
	hours := max(1, ceilTo(int64(step), int64(time.Hour))/int64(time.Hour))
	number := (max(last-first, 0) + hours - 1) / hours
	if number > maxSlots {
		return nil, fmt.Errorf("look up verdicts: %d slots are more than %d", number, maxSlots)
	}
	out := make([]VerdictSlot, number)
	for i := range out {
		out[i].At = time.Unix((first+int64(i)*hours)*3600, 0).UTC()
	}
	err := x.views.snapshot(ctx, "verdicts", func(conn *sqlite.Conn) error {
		// Days are of use only where each lies within one slot.
		spans := slotsOf(slotSpan{1, first, last})
		if hours%dayHours == 0 && first%dayHours == 0 {
			spans = wholeSlots(first, last)
		}
		for _, span := range spans {
			err := query(conn, `SELECT at, sum(passed), sum(failed), sum(erred) FROM verdicts_slots
					WHERE span = ? AND at >= ? AND at < ? AND ref IN (SELECT n FROM verdicts_refs WHERE id = ?) GROUP BY at`,
				func(s *sqlite.Stmt) error {
					slot := &out[(s.ColumnInt64(0)-first)/hours]
					slot.Passed, slot.Failed, slot.Erred = slot.Passed+s.ColumnInt(1), slot.Failed+s.ColumnInt(2), slot.Erred+s.ColumnInt(3)
					return nil
				}, span.hours, span.from, span.until, policyID)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
