package execution_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// What policies ask for is owed by the decision that rests on their verdict,
// and no longer once the next one is taken.
func TestPoliciesOwe(t *testing.T) {
	note := execution.Effect{ID: "n", Record: &execution.Record{Action: "custom_a", App: "p", Context: map[string]any{"k": "v"}}}
	mail := execution.Effect{ID: "m", SendMail: &execution.SendMail{Purpose: "notice", Fields: map[string]any{"to": "a@example.org"}}}
	asks := func(id string, passing bool, effects ...execution.Effect) execution.Event {
		e := evaluation(id, passing)
		e.Debts = execution.Owing(effects)
		if passing {
			return execution.PolicyEvaluated{Evaluation: e}
		}
		return execution.PolicyDenied{Evaluation: e}
	}
	let := execution.StageReevaluated{Binding: binding(1), Evaluation: "e"}
	skipped := execution.StageSkipped{Binding: binding(1), Cause: "policy", Evaluation: "e"}
	rejected := execution.ResponseRejected{Binding: binding(1), Action: "restart"}
	again := execution.PlanRestarted{Count: 1, Binding: binding(1)}
	planned := execution.PlanCreated{Entries: []execution.Entry{entry(1)}}
	done := func(effects ...execution.Effect) execution.Event {
		return execution.StageCompleted{Binding: binding(1), Debts: execution.Owing(effects)}
	}
	tests := map[string]struct {
		events []execution.Event
		owed   []execution.Effect
	}{
		"not before the decision":              {append(running(guarded(1)), asks("e", true, note)), nil},
		"when the stage comes up":              {append(running(guarded(1)), asks("e", true, note), let), []execution.Effect{note}},
		"when the stage is skipped":            {append(running(guarded(1)), asks("e", false, note), skipped), []execution.Effect{note}},
		"by all policies of a plan":            {given(started, asks("e", true, note), asks("f", false, mail), planned), []execution.Effect{note, mail}},
		"with what the stage itself asks for":  {append(waiting(entry(1)), asks("e", true, note), done(mail)), []execution.Effect{note, mail}},
		"when an answer is wrong":              {append(waiting(entry(1)), asks("e", false, note), rejected), []execution.Effect{note}},
		"when the flow starts over":            {append(waiting(entry(1)), asks("e", false, note), rejected, again, asks("f", true, mail), planned), []execution.Effect{note, mail}},
		"when the flow does not apply":         {given(started, asks("e", false, note), execution.ExecutionDenied{Cause: "flow_policy"}), []execution.Effect{note}},
		"no longer when the next one is taken": {append(running(guarded(1)), asks("e", true, note), let, entered(1)), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := domain.Fold(execution.State{}, tt.events...)
			if diff := cmp.Diff(tt.owed, s.Owed, cmpopts.EquateEmpty(), cmp.Comparer(domain.Secret.Equal)); diff != "" {
				t.Errorf("owed (-want +got):\n%s", diff)
			}
		})
	}
}
