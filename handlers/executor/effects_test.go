package executor_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/executor"
)

// recorded are the events of policies' making, in order.
func (w *world) recorded() (all []string) {
	w.t.Helper()
	for _, d := range w.told(eventstore.Position{}) {
		if e, ok := d.Event.(audit.AuditCustomRecorded); ok {
			all = append(all, e.Action)
		}
	}
	return all
}

const recording = `ak_create_event("seen")` + "\nreturn "

// What policies ask for happens once for each time that they are asked,
// whatever their verdict leads to; a policy that errs asks for nothing.
func TestWhatPoliciesAskForHappens(t *testing.T) {
	onPlan := fields{"evaluate_on_plan": true, "re_evaluate_policies": false}
	tests := map[string]struct {
		rules   []rule // of the flow
		steps   []step
		answers []string
		want    int
	}{
		"a stage comes up":                  {nil, []step{dummy(rule{source: recording + "True"})}, nil, 1},
		"a stage is skipped":                {nil, []step{dummy(rule{source: recording + "False"}), dummy()}, nil, 1},
		"the only stage is skipped":         {nil, []step{dummy(rule{source: recording + "False"})}, nil, 1},
		"the verdict is turned around":      {nil, []step{dummy(rule{source: recording + "True", binding: fields{"negate": true}}), dummy()}, nil, 1},
		"a stage is planned":                {nil, []step{{kind: "dummy.dummystage", binding: onPlan, policies: []rule{{source: recording + "True"}}}}, nil, 1},
		"a stage is left out":               {nil, []step{{kind: "dummy.dummystage", binding: onPlan, policies: []rule{{source: recording + "False"}}}, dummy()}, nil, 1},
		"the flow is denied":                {[]rule{{source: recording + "False"}}, []step{dummy()}, nil, 1},
		"the flow begins":                   {[]rule{{source: recording + "True"}}, []step{dummy()}, nil, 1},
		"the policy raises then":            {nil, []step{dummy(rule{source: recording + "1 / 0"})}, nil, 0},
		"it raises, and another is in time": {nil, []step{dummy(rule{source: recording + "1 / 0"}, rule{source: recording + "True"})}, nil, 1},
		"a stage comes up after another":    {nil, []step{dummy(), dummy(rule{source: recording + "True"})}, []string{`{}`}, 1},
		"both":                              {[]rule{{source: recording + "True"}}, []step{dummy(rule{source: recording + "True"})}, nil, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			flow := w.flow("f", nil, tt.steps...)
			w.rules(flow, "f/flow", tt.rules)
			b := w.browser("s")
			b.get("f")
			for _, answer := range tt.answers {
				b.post("f", answer)
			}
			for range 2 {
				if err := w.Settle(t.Context(), w.executions()[0]); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.recorded(); len(got) != tt.want {
				t.Errorf("recorded %v, want %d", got, tt.want)
			}
		})
	}
}

// A crash at any append leaves no more and no less than what was decided, and
// whoever comes next pays it once: the client, a worker, or both.
func TestWhatPoliciesAskForSurvivesACrash(t *testing.T) {
	const appends = 12
	for _, who := range []string{"the client", "a worker", "both"} {
		for n := 1; n <= appends; n++ {
			t.Run(fmt.Sprint(who, " after ", n), func(t *testing.T) {
				w := newWorld(t)
				w.flow("f", nil, dummy(), dummy(rule{source: recording + `ak_create_event("again")`}), dummy())
				b := w.browser("s")
				b.get("f")
				w.ledger.failAt(n)
				_, err := b.try(execution.Visit{Slug: "f", Response: []byte(`{}`)})
				w.ledger.failAt(0)
				x := w.executions()[0]
				if who != "the client" {
					if err := w.Settle(t.Context(), x); err != nil {
						t.Fatal(err)
					}
				}
				if who != "a worker" {
					b.get("f")
					if err != nil && len(w.recorded()) == 0 { // nothing was decided
						b.post("f", `{}`)
					}
				}
				want := []string{"custom_seen", "custom_again"}
				if s := w.state(x); len(s.History) == 0 && who == "a worker" {
					want = nil
				}
				if diff := cmp.Diff(want, w.recorded()); diff != "" {
					t.Errorf("recorded (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Of many answers at once one is judged, and its policies count.
func TestWhatPoliciesAskForAtOnce(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy(), dummy(rule{source: recording + "True"}))
	b := w.browser("s")
	b.get("f")
	x := w.executions()[0]
	sequence := w.state(x).Current.Sequence
	race(t, 16, func(int) (execution.Answer, error) {
		c := *b
		return c.try(execution.Visit{Slug: "f", Execution: x, Sequence: sequence, Response: []byte(`{}`)})
	})
	if got := w.recorded(); len(got) != 1 {
		t.Errorf("recorded %v", got)
	}
}

// What policies ask for on trial is told, and not done.
func TestTryRecordsNothing(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	p := w.put("authentik_policies_expression.expressionpolicy", "p", fields{"name": "p", "expression": recording + `ak_send_email("a@example.test", "s", body="b")`})
	w.sync()
	tried, err := w.Try(t.Context(), executor.Trial{Policy: p, User: ada, Expire: true}, w.browser("s").caller)
	if err != nil || !tried.Passing || len(tried.Effects) != 2 {
		t.Errorf("tried %+v, %v", tried.Evaluation, err)
	}
	if got, mails := w.recorded(), w.mails(); len(got)+len(mails) > 0 {
		t.Errorf("recorded %v, mailed %v", got, mails)
	}
}
