package adminapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

func init() {
	codec.Register[session.SessionExecutionAttached](1)
	codec.Register[execution.ExecutionStarted](1)
	codec.Register[execution.PlanCreated](1)
	codec.Register[execution.ContextChanged](1)
	codec.Register[execution.SubjectIdentified](1)
	codec.Register[execution.StageCompleted](1)
	codec.Register[execution.ExecutionDenied](1)
}

// thing makes a configured thing over the API, and refers to it.
func (b *bench) thing(path string, f fields) domain.Ref {
	b.t.Helper()
	t, ok := b.views.Thing(b.want(201, http.MethodPost, path, f).str("pk"))
	if !ok {
		b.t.Fatalf("%s: not there", path)
	}
	return t.Ref()
}

// runs writes an execution of a flow into the browser session of the
// administrator.
func (b *bench) runs(id string, flow domain.Ref, events ...execution.Event) {
	b.t.Helper()
	stream, mine := eventstore.Stream("execution", id), sessionOf("root")
	_, revision, err := b.server.Executions.Load(b.t.Context(), stream)
	b.must(err)
	if revision < 0 {
		events = append([]execution.Event{execution.ExecutionStarted{Flow: flow, Slug: flow.Name, Session: mine}}, events...)
		_, err := b.server.Sessions.Handle(b.t.Context(), eventstore.Stream("session", mine), session.Attach{Execution: id, Flow: flow}, b.meta)
		b.must(err)
	}
	meta := b.meta
	meta.Subject, meta.Header.Execution = "execution:"+id, id
	_, err = b.server.Executions.Append(b.t.Context(), stream, revision, events, meta)
	b.must(err)
}

func TestInspector(t *testing.T) {
	b := newBench(t)
	flow := b.thing("flows/instances/", fields{"name": "f", "slug": "f", "title": "f", "designation": "authentication"})
	first, second := b.thing("stages/dummy/", fields{"name": "first"}), b.thing("stages/dummy/", fields{"name": "second"})
	var entries []execution.Entry
	for i, stage := range []domain.Ref{first, second} {
		place := b.thing("flows/bindings/", fields{"target": flow.ID, "stage": stage.ID, "order": 10 * i})
		place.Kind = ""
		entries = append(entries, execution.Entry{Binding: place, Stage: stage, Order: 10 * i})
	}
	entries = append(entries, execution.Entry{Binding: domain.Ref{ID: first.ID}, Stage: domain.Ref{Kind: "in_memory.redirect", Name: "Redirect"}, InMemory: true})
	const path = "flows/inspector/f/"
	if got := b.do(browser, http.MethodGet, path, nil); got.status != 400 || got.text != "" {
		t.Errorf("before any execution: %d %s", got.status, got.text)
	}
	b.runs("x1", flow, execution.PlanCreated{Entries: entries})
	// What was planned is shown, whatever became of it since.
	b.want(200, http.MethodPatch, "flows/bindings/"+entries[1].Binding.ID+"/", fields{"order": 99})
	b.want(204, http.MethodDelete, "flows/bindings/"+entries[0].Binding.ID+"/", nil)
	got := b.do(browser, http.MethodGet, path, nil)
	for at, want := range map[string]any{
		"is_completed": false, "current_plan.current_stage.stage_obj.name": "first", "current_plan.current_stage.order": 0.0,
		"current_plan.current_stage.pk": entries[0].Binding.ID, "current_plan.current_stage.target": flow.ID,
		"current_plan.next_planned_stage.stage_obj.name": "second", "current_plan.next_planned_stage.order": 10.0,
	} {
		if got.at(at) != want {
			t.Errorf("%s is %v, want %v", at, got.at(at), want)
		}
	}
	jane := b.callers[member].User
	learned := execution.Learn(execution.Context{
		"prompt_data": map[string]any{"password": "hunter2", "color": "green", "list": []any{"", "a", false}}, "captcha": map[string]any{"x": 1},
	})
	b.runs("x1", flow, execution.ContextChanged{By: "stage", Change: learned}, execution.SubjectIdentified{User: jane},
		execution.StageCompleted{Binding: entries[0].Binding}, execution.StageCompleted{Binding: entries[1].Binding})
	got = b.do(browser, http.MethodGet, path, nil)
	sum := sha256.Sum256([]byte(sessionOf("root")))
	for at, want := range map[string]any{
		"is_completed": false, "plans.0.current_stage.stage_obj.name": "first", "plans.1.current_stage.stage_obj.name": "second",
		"plans.2": nil, "plans.0.plan_context.prompt_data.password": "********************",
		"current_plan.plan_context.prompt_data.password": "********************", "current_plan.plan_context.prompt_data.color": "green",
		"current_plan.plan_context.prompt_data.list.0": "a", "current_plan.plan_context.prompt_data.list.1": nil,
		"current_plan.plan_context.captcha": "********************", "current_plan.plan_context.pending_user.username": "jane",
		"current_plan.plan_context.pending_user.pk": 2.0, "current_plan.plan_context.pending_user.email": "jane@example.org",
		"plans.0.plan_context.pending_user.username": "jane", "current_plan.session_id": hex.EncodeToString(sum[:]),
		"current_plan.current_stage.stage_obj.name": "Redirect", "current_plan.current_stage.stage_obj.component": "",
		"current_plan.next_planned_stage.stage_obj.name": "",
	} {
		if got.at(at) != want {
			t.Errorf("%s is %v, want %v", at, got.at(at), want)
		}
	}
	if strings.Contains(got.text, "hunter2") || strings.Contains(got.text, "REDACTED") {
		t.Errorf("a secret shows: %s", got.text)
	}
	// The end leaves the last snapshot.
	b.runs("x1", flow, execution.ExecutionDenied{Cause: "deny_stage"})
	got = b.do(browser, http.MethodGet, path, nil)
	if got.at("is_completed") != true || got.at("current_plan.current_stage.stage_obj.name") != "second" {
		t.Errorf("at the end: %s", got.text)
	}
}

// The inspector shows the caller's own browser session, to those who may.
func TestInspectorIsNotForAll(t *testing.T) {
	b := newBench(t)
	flow := b.thing("flows/instances/", fields{"name": "f", "slug": "f", "title": "f", "designation": "authentication"})
	b.flow("other")
	stage := b.thing("stages/dummy/", fields{"name": "s"})
	place := b.thing("flows/bindings/", fields{"target": flow.ID, "stage": stage.ID, "order": 0})
	b.runs("x1", flow, execution.PlanCreated{Entries: []execution.Entry{{Binding: place, Stage: stage}}})
	jane := b.callers[member]
	jane.Granted = session.Grants{"authentik_flows.inspect_flow": true}
	b.callers["inspector"] = jane
	stolen := jane
	stolen.Granted, stolen.Session = nil, sessionOf("root")
	b.callers["in the session"] = stolen
	for _, tt := range []struct {
		as, slug string
		want     int
	}{
		{browser, "f", 200}, {browser, "other", 400}, {browser, "none", 404},
		{stranger, "f", 404}, {member, "f", 404}, {member, "none", 404}, {"in the session", "f", 404},
		{"inspector", "f", 400}, {"inspector", "none", 404}, {admin, "f", 400},
	} {
		if got := b.do(tt.as, http.MethodGet, "flows/inspector/"+tt.slug+"/", nil); got.status != tt.want {
			t.Errorf("%s, of %s: %d %s, want %d", tt.as, tt.slug, got.status, got.text, tt.want)
		}
	}
	if place.Kind != object.StageBindingModel {
		t.Error("the test binds something else")
	}
}
