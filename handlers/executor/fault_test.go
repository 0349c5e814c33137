package executor_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
)

// A policy that errs, and one that does not come to an end in its time, remove
// no stage unless their binding counts an error as passing something else; the
// audit shows them as what they are (spec/product.md 3, row 4).
func TestErringPoliciesRemoveNoStage(t *testing.T) {
	type seen struct {
		Outcome       string
		Passing, Kept bool
		Asks          string
	}
	const asks, over = "ak-stage-dummy f/0", "xak-flow-redirect /"
	tests := map[string]struct {
		source  string // of the policy; empty for one that waits half a minute
		binding fields
		want    seen
	}{
		"an exception":                        {"return 1 / 0", nil, seen{"exception", true, true, asks}},
		"an endless loop":                     {"while True:\n  pass", nil, seen{"exception", true, true, asks}},
		"a timeout":                           {"", nil, seen{"timeout", true, true, asks}},
		"a timeout that counts as passing":    {"", fields{"failure_result": true}, seen{"timeout", true, false, asks}},
		"an exception, negated":               {"return 1 / 0", fields{"negate": true}, seen{"exception", true, true, asks}},
		"an exception that counts as passing": {"return 1 / 0", fields{"failure_result": true}, seen{"exception", true, false, asks}},
		"a verdict against it":                {"return False", nil, seen{"ok", false, false, over}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the wait takes no time
				w := newWorld(t)
				w.flow("f", nil, dummy())
				policy := w.put("authentik_policies_dummy.dummypolicy", "p", fields{"name": "p", "result": true, "wait_min": 30, "wait_max": 30})
				if tt.source != "" {
					policy = w.put("authentik_policies_expression.expressionpolicy", "q", fields{"name": "q", "expression": tt.source})
				}
				w.put(object.PolicyBindingModel, "pb", fields{
					"policy": policy, "target": id("f/0/binding"), "order": 0, "timeout": 1,
				}.with(tt.binding))
				w.sync()
				before := w.head()
				a := w.browser("s").get("f")
				got := seen{Asks: said(a)}
				for _, e := range w.told(before) {
					var evaluation execution.Evaluation
					switch event := e.Event.(type) {
					case execution.PolicyEvaluated:
						evaluation = event.Evaluation
					case execution.PolicyDenied:
						evaluation = event.Evaluation
					}
					if len(evaluation.Results) > 0 {
						got.Outcome, got.Passing, got.Kept = evaluation.Results[0].Outcome, evaluation.Passing, evaluation.Kept
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}
