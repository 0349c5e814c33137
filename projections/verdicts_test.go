package projections_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// asked is an evaluation in which each policy said a word after the other.
func asked(n int, words ...execution.PolicyResult) codec.Event {
	e := execution.Evaluation{
		ID: id(fmt.Sprint("evaluation ", n)), Target: execution.Target{Kind: "flow", Ref: domain.Ref{ID: "flow", Revision: 3}},
		Phase: "flow", Mode: "all", Passing: true, Results: words,
	}
	return execution.PolicyEvaluated{Evaluation: e}
}

func says(policy string, revision int64, word string, ms int64) execution.PolicyResult {
	r := execution.PolicyResult{
		TargetType: "policy", Policy: &domain.Ref{ID: policy, Kind: "policy", Revision: revision, Name: fmt.Sprintf("%s %d", policy, revision)},
		Outcome: "ok", MS: ms, Passing: word == "passed",
	}
	if word == "erred" {
		r.Outcome = "timeout"
	}
	return r
}

// judged is a world in which two policies spoke for three days and a bit, every
// twenty minutes: "a" fails each tenth time, and has another revision in the
// second half; "b" fails to answer each fortieth time.
func judged(t *testing.T) *world {
	w := newWorld(t)
	for i := range 220 {
		w.clock = start.Add(time.Duration(i) * 20 * time.Minute)
		a, b, revision := "passed", "passed", int64(1+i/110)
		if i%10 == 0 {
			a = "failed"
		}
		if i%40 == 0 {
			b = "erred"
		}
		w.append(stream("execution", fmt.Sprint(i)), started(), asked(i, says("a", revision, a, int64(i)),
			execution.PolicyResult{TargetType: "static", Passing: true, Outcome: "ok"}, says("b", 7, b, 1)))
	}
	w.run()
	w.settle()
	return w
}

func TestVerdicts(t *testing.T) {
	w := judged(t)
	second := int64(2)
	at := func(i int, and time.Duration) time.Time { return start.Add(time.Duration(i)*20*time.Minute + and) }
	for name, tt := range map[string]struct {
		filter      projections.VerdictFilter
		page        projections.Page
		total       int
		first, last int // of the page, by the number of the evaluation
	}{
		"all that was said, the newest first":         {page: projections.Page{Limit: 3}, total: 440, first: 219, last: 218},
		"of one policy":                               {filter: projections.VerdictFilter{Policy: "a"}, total: 220, first: 219, last: 0},
		"of one policy, a page":                       {filter: projections.VerdictFilter{Policy: "a"}, page: projections.Page{Offset: 100, Limit: 20}, total: 220, first: 119, last: 100},
		"what made it fail":                           {filter: projections.VerdictFilter{Policy: "a", Said: "failed"}, total: 22, first: 210, last: 0},
		"what any failed to answer":                   {filter: projections.VerdictFilter{Said: "erred"}, total: 6, first: 200, last: 0},
		"what let pass":                               {filter: projections.VerdictFilter{Said: "passed"}, total: 440 - 28, first: 219, last: 1},
		"as of a revision":                            {filter: projections.VerdictFilter{Policy: "a", PolicyRevision: &second}, total: 110, first: 219, last: 110},
		"as of a revision, of any":                    {filter: projections.VerdictFilter{PolicyRevision: &second}, total: 110, first: 219, last: 110},
		"within an hour":                              {filter: projections.VerdictFilter{Policy: "a", From: at(1, 0), Until: at(2, time.Second)}, total: 2, first: 2, last: 1},
		"over days that begin and end within an hour": {filter: projections.VerdictFilter{Policy: "b", From: at(5, time.Second), Until: at(200, time.Second)}, total: 195, first: 200, last: 6},
		"over days, of any, that did not pass":        {filter: projections.VerdictFilter{Said: "failed", From: at(5, 0), Until: at(200, 0)}, total: 19, first: 190, last: 10},
		"of one execution":                            {filter: projections.VerdictFilter{Execution: id("40")}, total: 2, first: 40, last: 40},
		"of one execution, what failed":               {filter: projections.VerdictFilter{Execution: id("40"), Said: "failed"}, total: 1, first: 40, last: 40},
		"of one execution, of one policy":             {filter: projections.VerdictFilter{Execution: id("40"), Policy: "b"}, total: 1, first: 40, last: 40},
		"of nobody":                                   {filter: projections.VerdictFilter{Policy: "c"}, first: -1, last: -1},
		"at no time":                                  {filter: projections.VerdictFilter{From: at(500, 0)}, first: -1, last: -1},
		"behind the end":                              {filter: projections.VerdictFilter{Policy: "a"}, page: projections.Page{Offset: 220, Limit: 20}, total: 220, first: -1, last: -1},
	} {
		list, total, err := w.verdicts.List(t.Context(), tt.filter, tt.page)
		first, last := -1, -1
		if len(list) > 0 {
			number := func(v projections.Verdict) int { return int(v.At.Sub(start) / (20 * time.Minute)) }
			first, last = number(list[0]), number(list[len(list)-1])
		}
		if total != tt.total || first != tt.first || last != tt.last || err != nil || tt.page.Limit > 0 && len(list) > tt.page.Limit {
			t.Errorf("%s: %d of %d from %d to %d, %v, want %d from %d to %d", name, len(list), total, first, last, err, tt.total, tt.first, tt.last)
		}
	}
}

func TestOneVerdict(t *testing.T) {
	w := judged(t)
	list, _, err := w.verdicts.List(t.Context(), projections.VerdictFilter{Execution: id("80")}, projections.Page{})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	want := projections.Verdict{
		Position: list[1].Position, At: start.Add(80 * 20 * time.Minute), Event: id("evaluation 80"), Execution: id("80"), Revision: 1,
		Policy: domain.Ref{ID: "b", Kind: "policy", Revision: 7, Name: "b 7"}, Target: domain.Ref{ID: "flow", Kind: "flow", Revision: 3},
		Said: "erred", MS: 1,
	}
	if diff := cmp.Diff(want, list[1], cmp.AllowUnexported(want.Position)); diff != "" {
		t.Error(diff)
	}
}

func TestVerdictsOfPolicies(t *testing.T) {
	w := judged(t)
	got, err := w.verdicts.Policies(t.Context(), start, start.Add(220*20*time.Minute))
	want := []projections.PolicyVerdicts{
		{Policy: domain.Ref{ID: "a", Kind: "policy", Revision: 2, Name: "a 2"}, Passed: 198, Failed: 22, MaxMS: 219, TotalMS: 219 * 110},
		{Policy: domain.Ref{ID: "b", Kind: "policy", Revision: 7, Name: "b 7"}, Passed: 214, Erred: 6, MaxMS: 1, TotalMS: 220},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err = w.verdicts.Policies(t.Context(), start.Add(time.Hour), start.Add(2*time.Hour)); err != nil || len(got) != 2 || got[0].Passed != 3 {
		t.Errorf("in an hour: %+v, %v", got, err)
	}
	for _, step := range []time.Duration{time.Hour, 5 * time.Hour, 24 * time.Hour} {
		slots, err := w.verdicts.Over(t.Context(), "a", start, start.Add(74*time.Hour), step)
		passed, failed := 0, 0
		for i, s := range slots {
			if want := start.Add(time.Duration(i) * step); !s.At.Equal(want) {
				t.Errorf("slot %d of %s begins at %s, want %s", i, step, s.At, want)
			}
			passed, failed = passed+s.Passed, failed+s.Failed
		}
		if err != nil || passed != 198 || failed != 22 || len(slots) != int((74*time.Hour+step-1)/step) {
			t.Errorf("slots of %s: %d, %v, %d passed and %d failed", step, len(slots), err, passed, failed)
		}
	}
	midnight := start.Add(12 * time.Hour)
	if days, err := w.verdicts.Over(t.Context(), "a", midnight, midnight.Add(48*time.Hour), 24*time.Hour); err != nil || len(days) != 2 || days[0].Passed+days[0].Failed != 72 {
		t.Errorf("days: %+v, %v", days, err)
	}
	if _, err := w.verdicts.Over(t.Context(), "a", start, start.AddDate(1, 0, 0), time.Hour); err == nil {
		t.Error("a year by the hour is answered")
	}
}

// Rows go with the rule for them; the numbers stay.
func TestOldVerdicts(t *testing.T) {
	w := judged(t)
	w.clock = start.AddDate(0, 3, 0)
	w.append(stream("ledger", "retention"), retention.LedgerRetentionChanged{Rows: 1, From: w.clock})
	w.append(stream("execution", "new"), started(), asked(999, says("a", 3, "passed", 1)))
	w.settle()
	list, total, err := w.verdicts.List(t.Context(), projections.VerdictFilter{}, projections.Page{})
	if err != nil || total != 1 || len(list) != 1 || list[0].Policy.Revision != 3 {
		t.Errorf("%d of %d left, %v: %+v", len(list), total, err, list)
	}
	policies, err := w.verdicts.Policies(t.Context(), start, w.clock.Add(time.Hour))
	if err != nil || !slices.ContainsFunc(policies, func(p projections.PolicyVerdicts) bool { return p.Policy.ID == "a" && p.Passed == 199 }) {
		t.Errorf("numbers: %+v, %v", policies, err)
	}
}
