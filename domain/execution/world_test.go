package execution_test

import (
	"strconv"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/execution"
)

type (
	spec = domaintest.Spec[execution.State]
	page struct{}
)

// Component implements [execution.Challenge].
func (page) Component() string { return "ak-stage-page" }

var (
	now      = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	deadline = now.Add(execution.Idle)
	flow     = domain.Ref{ID: "f", Kind: "authentik_flows.flow", Revision: 1, Name: "login"}

	started = execution.ExecutionStarted{
		Flow: flow, Slug: "login", Designation: "authentication", Authentication: "none", DeniedAction: "message",
		Entry: "api", Session: "s", Deadline: deadline,
	}
	completed = execution.ExecutionCompleted{Redirect: "default", To: "/"}
)

func given(events ...execution.Event) []execution.Event { return events }

func binding(n int) domain.Ref { return domain.Ref{ID: "b" + strconv.Itoa(n), Revision: 1} }

func stageOf(n int) domain.Ref {
	return domain.Ref{ID: "s" + strconv.Itoa(n), Kind: "authentik_stages_dummy.dummystage", Name: "stage"}
}

// entry is a place in a flow whose policies are not asked.
func entry(n int) execution.Entry {
	return execution.Entry{Binding: binding(n), Stage: stageOf(n), Order: n, Marker: execution.Static, OnInvalid: "retry"}
}

// guarded is one whose policies are asked when it comes up.
func guarded(n int) execution.Entry {
	e := entry(n)
	e.Marker = execution.Reevaluate
	return e
}

// restarting is one that a wrong answer starts the flow over at.
func restarting(n int, how string) execution.Entry {
	e := entry(n)
	e.OnInvalid = how
	return e
}

func planned(entries ...execution.Entry) execution.PlanCreated {
	return execution.PlanCreated{Entries: entries}
}

func entered(n int) execution.StageEntered {
	return execution.StageEntered{Binding: binding(n), Stage: domain.Ref{ID: stageOf(n).ID, Name: "stage"}, Kind: stageOf(n).Kind}
}

func asked(n, sequence, attempt int) execution.ChallengeIssued {
	return execution.ChallengeIssued{
		Binding: binding(n), Component: "ak-stage-page", Sequence: sequence, Attempt: attempt, ExpiresAt: deadline,
	}
}

func passed(n int) execution.StageCompleted {
	return execution.StageCompleted{Binding: binding(n)}
}

func evaluation(id string, passing bool) execution.Evaluation {
	return execution.Evaluation{
		ID: id, Target: execution.Target{Kind: "stage_binding", Ref: binding(1)}, Phase: "enter", Mode: "any", Passing: passing,
	}
}

// running is an execution with a plan.
func running(entries ...execution.Entry) []execution.Event {
	return given(started, planned(entries...))
}

// waiting is one that asked at its first entry.
func waiting(entries ...execution.Entry) []execution.Event {
	return append(running(entries...), entered(1), asked(1, 1, 0))
}

// learned is what a stage that learned a secret, a personal and a harmless
// value records.
var (
	learned = execution.Context{
		"auth_method": "password", "color": "red", "prompt_data": map[string]any{"name": "Ada", "password": domain.NewSecret("pw")},
	}
	learnt = execution.Change{
		Set:    map[string]any{"auth_method": "password"},
		Hidden: map[string]any{"color": "red", "prompt_data": map[string]any{"name": "Ada"}},
		Secret: map[string]domain.Secret{"prompt_data/password": domain.NewSecret("pw")},
	}
	secretKept = execution.ContextChanged{By: "policy", Touched: []string{"auth_method", "color", "prompt_data"}, Change: learnt}
	discarded  = execution.SecretsDiscarded{Keys: []string{"prompt_data/password"}}
)

// after is a run of restarts, each planned anew.
func after(restarts int, entries ...execution.Entry) []execution.Event {
	events := running(entries...)
	for n := range restarts {
		events = append(events,
			entered(1), asked(1, n+1, 0),
			execution.PlanRestarted{Count: n + 1, Cause: "invalid_response", Binding: binding(1)}, planned(entries...))
	}
	return events
}
