package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/auditapi"
)

// An execution names what it went by, each as of the revision that it used.
func TestDefinitions(t *testing.T) {
	a, _ := newApp(t)
	id := uuid.NewString()
	flow, older := domain.Ref{ID: "f", Revision: 4, Name: "flow"}, domain.Ref{ID: "f", Revision: 3, Name: "flow"}
	binding, stage, policy := domain.Ref{ID: "b", Revision: 1}, domain.Ref{ID: "s", Revision: 2}, domain.Ref{ID: "p", Revision: 7}
	judged := execution.Evaluation{Results: []execution.PolicyResult{{Policy: &policy, Binding: &execution.BindingRef{ID: "pb", Revision: 5}}, {TargetType: "static"}}}
	events := []codec.Event{
		execution.ExecutionStarted{Flow: older}, execution.PolicyEvaluated{Evaluation: judged},
		execution.PlanCreated{Flow: older, Entries: []execution.Entry{{Binding: binding, Stage: stage}}},
		execution.PlanRestarted{}, execution.PolicyDenied{Evaluation: judged},
		execution.PlanCreated{Flow: flow, Entries: []execution.Entry{{Binding: binding, Stage: stage}}},
	}
	encoded, err := a.codec.Encode(t.Context(), eventstore.Stream("execution", id), system("execution:"+id), events...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.store.Append(t.Context(), eventstore.Stream("execution", id), eventstore.NoStream, encoded...); err != nil {
		t.Fatal(err)
	}
	got, err := a.Definitions(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := []auditapi.Definition{
		{Part: "flow", Ref: older}, {Part: "policy binding", Ref: domain.Ref{ID: "pb", Revision: 5}}, {Part: "policy", Ref: policy},
		{Part: "binding", Ref: binding}, {Part: "stage", Ref: stage}, {Part: "flow", Ref: flow},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
	if _, err := a.Definitions(t.Context(), uuid.NewString()); err == nil {
		t.Error("an execution that is not there goes by something")
	}
}
