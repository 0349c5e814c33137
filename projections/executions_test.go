package projections_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

func TestExecutions(t *testing.T) {
	w := newWorld(t)
	login(w)
	w.append(stream("execution", "y"), started())
	w.append(stream("execution", "z"), started(), execution.SubjectIdentified{User: id("bob")},
		execution.PlanRestarted{Count: 2, Cause: "stage_invalid"}, execution.ExecutionDenied{Cause: "flow_policy", Evaluation: "e1"})
	w.run()
	w.settle()
	got, ok, err := w.executions.ByID(t.Context(), id("x"))
	want := projections.Execution{
		ID: id("x"), Revision: 10, Flow: domain.Ref{ID: "flow", Revision: 4, Name: "Log in"}, Slug: "login", Designation: "authentication",
		Session: id("s"), User: id("ada"), Stage: asks, Status: "completed",
		Started: start, Seen: start, Deadline: deadline.Add(time.Minute), Steps: 1, Attempts: 1, Entry: "interface", Answered: 1, Factors: []string{"password"},
		Origin: projections.Origin{IP: netip.MustParseAddr("192.0.2.1"), Agent: "agent", Device: "agent"},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" || !ok || err != nil {
		t.Errorf("%v, %v (-want +got):\n%s", ok, err, diff)
	}
	denied, _, _ := w.executions.ByID(t.Context(), id("z"))
	if denied.Status != "denied" || denied.Cause != "flow_policy" || denied.Evaluation != "e1" || denied.Restarts != 2 || denied.User != "" {
		t.Errorf("denied: %+v", denied)
	}
	for name, tt := range map[string]struct {
		filter projections.ExecutionFilter
		want   int
	}{
		"all": {projections.ExecutionFilter{}, 3}, "user": {projections.ExecutionFilter{User: id("ada")}, 1},
		"flow": {projections.ExecutionFilter{Slug: "login"}, 3}, "status": {projections.ExecutionFilter{Status: "running"}, 1},
		"session": {projections.ExecutionFilter{Session: id("s")}, 3}, "later": {projections.ExecutionFilter{From: start.Add(1)}, 3},
		"after": {projections.ExecutionFilter{From: start.Add(time.Second)}, 0}, "before": {projections.ExecutionFilter{Until: start}, 0},
	} {
		if got, err := w.executions.Search(t.Context(), tt.filter, "", projections.Page{}); len(got.Executions) != tt.want || got.Total != tt.want || err != nil {
			t.Errorf("by %s: %d of %d, %v, want %d", name, len(got.Executions), got.Total, err, tt.want)
		}
	}
	for at, want := range map[time.Time]int{deadline: 0, deadline.Add(time.Second): 1} {
		if due, err := w.executions.Due(t.Context(), at, 9); err != nil || len(due) != want {
			t.Errorf("due at %s: %v, %v, want %d", at, due, err, want)
		}
	}
}

func TestEndsOfExecutions(t *testing.T) {
	w := newWorld(t)
	ends := map[string]codec.Event{
		"cancelled": execution.ExecutionCancelled{Cause: "user"}, "expired": execution.ExecutionExpired{},
		"failed": execution.ExecutionFailed{Class: "stage"}, "completed": execution.ExecutionCompleted{Early: "empty_flow"},
	}
	for name, end := range ends {
		w.append(stream("execution", name), started(), end)
	}
	w.run()
	w.settle()
	for status, cause := range map[string]string{"cancelled": "user", "expired": "", "failed": "stage", "completed": "empty_flow"} {
		if got, _, err := w.executions.ByID(t.Context(), id(status)); got.Status != status || got.Cause != cause || err != nil {
			t.Errorf("%s: %+v, %v", status, got, err)
		}
	}
}
