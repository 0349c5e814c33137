package console

import (
	"net/netip"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/web"
	"github.com/flowledger/flowledger/projections"
)

// newTown is a town where something of everything has happened.
func newTown() *town {
	login := domain.Ref{ID: "f1", Kind: object.FlowModel, Revision: 3, Name: "Log in " + hostile}
	office := domain.Ref{ID: "p1", Kind: "authentik_policies_expression.expressionpolicy", Revision: 7, Name: "office " + hostile}
	run := projections.Execution{
		ID: "x1", Flow: login, Slug: "login", User: "u2", Status: "denied", Cause: "policy", Started: noon.Add(-time.Hour), Factors: []string{"password"},
		Origin: projections.Origin{IP: netip.MustParseAddr("192.0.2.7"), Country: "NL"},
	}
	t := &town{
		persons: map[string]Person{
			"u1": {ID: "u1", Username: "admin", Active: true, Superuser: true, Joined: noon.AddDate(-1, 0, 0), LastLogin: noon},
			"u2": {ID: "u2", Username: hostile, Name: hostile, Email: "x@example.org", Groups: []string{hostile}, Roles: []string{"r"}, Permissions: []string{"p.q"}},
		},
		sessions: []web.Session{{ID: "s1", IP: "192.0.2.7", Place: hostile, UserAgent: hostile, LastUsed: noon}},
		runs:     []projections.Execution{run},
		outcomes: func(_ string, from time.Time) map[string]int {
			if from.Before(noon.Add(-2 * time.Hour)) {
				return map[string]int{"completed": 95, "denied": 5}
			}
			return map[string]int{"completed": 10, "denied": 90, "running": 1}
		},
		sources: map[string][]projections.Source{
			projections.ByIP:   {{Key: "192.0.2.7", Country: "NL", Failures: 40, Successes: 1, Targets: 9, First: noon, Last: noon}},
			projections.ByUser: {{Key: "u2", Failures: 3}, {Key: "gone", Failures: 1}},
			projections.ByASN:  {{Key: "64500", Label: hostile, Failures: 3}},
		},
		changed: []projections.ConfigurationChange{
			{
				Event: "c1", At: noon.Add(-2 * time.Hour), Stream: "object-p1", Revision: 7, Kind: office.Kind, Object: "p1", Name: office.Name, Verb: "changed",
				Fields: []string{"expression"}, Actor: "u1", ActorKind: "admin", Via: "api", Origin: "r1", Flows: []string{"f1"},
			},
			{Event: "c2", At: noon.Add(-2 * time.Hour), Stream: "object-s1", Kind: "authentik_stages_password.passwordstage", Object: "st", Name: "Password", Verb: "created", Via: "blueprint", ActorKind: "blueprint", Origin: "r1"},
			{Event: "c3", At: noon, Stream: "user-u2", Revision: 1, Kind: object.UserModel, Object: "u2", Verb: "changed", Actor: "u1"},
		},
		content: map[string]ChangeContent{
			"c1": {Before: map[string]any{"expression": "a\nreturn True"}, After: map[string]any{"expression": "a\nreturn " + hostile}, Secrets: []string{"key"}},
			"c2": {After: map[string]any{"name": "Password"}, File: "default/login.yaml", Digest: "abcdef0123456789"},
			"c3": {Before: map[string]any{"email": "old@example.org"}, After: map[string]any{"email": hostile}, Opened: []string{"P", "T"}, Person: "u2"},
		},
		looks: []projections.Access{
			{Event: "a1", At: noon, Type: "AuditExecutionInspected", By: "u1", Execution: "x1", Requests: 3},
			{Event: "a2", At: noon, Type: "AuditAccessRefused", By: "", View: hostile, Cause: "unauthenticated"},
			{Event: "a3", At: noon, Type: "AuditQueried", By: "u2", View: "events", Filters: []string{"user"}, Count: 5, Opened: []string{"T"}},
		},
		erased: []projections.Erasure{{
			Event: "e1", At: noon.AddDate(0, 0, -1), Kind: "user", Subject: "gone", Classes: []string{"P", "T", "N", "C"}, Cause: "erasure_request", By: "u1",
			Bound: 4, Remaining: 1, BackupsGoneAt: noon.AddDate(0, 0, 29),
		}},
		first: noon.AddDate(0, -6, 0),
		sinks: []Delivery{
			{ID: "d1", Name: "archive", Kind: "file", Format: "ocsf", Enabled: true, State: "delivering", At: eventstore.PositionOf(76), Head: eventstore.PositionOf(77), Delivered: 70},
			{ID: "d2", Name: hostile, Kind: "https", Format: "ecs", Enabled: true, State: "failing", Lag: 90 * time.Minute, LastError: "siem.example.org: 503 " + hostile, Since: noon, NextTry: noon, Parked: 1},
		},
		parked: []ParkedEvent{{Event: "ev1", Position: "12", Class: "refused", At: noon}},
		events: []projections.Entry{
			{ID: "ev3", Stream: "execution-x1", Revision: 4, Type: "ExecutionDenied", At: noon, Execution: "x1", Actor: "u2"},
			{ID: "ev2", Stream: "session-s1", Type: "SessionBegun", At: noon, Execution: "x1"},
			{ID: "ev1", Stream: "object-p1", Type: "ObjectChanged", At: noon, Actor: "u1"},
		},
		things: []object.Thing{{ID: "f1", Name: login.Name}, {ID: "b1", Fields: map[string]any{"stage": "st"}}, {ID: "st", Name: "Ask for it"}},
	}
	t.answers = map[string]ErasureAnswer{"e1": {
		Erasure: t.erased[0], Bound: map[string]int{"execution": 3, "session": 1}, Left: []LeftSubject{{Name: "session:s9"}},
		Events: []EventCount{{"UserLoggedIn", 12}}, Gone: []ErasedCopy{
			{Kind: "sink", Name: hostile, From: noon}, {Kind: "export", By: "u1", From: noon, Events: 7}, {Kind: "mail", Events: 1},
		},
	}}
	for i, said := range []string{"passed", "passed", "failed", "erred"} {
		t.verdicts = append(t.verdicts, projections.Verdict{
			At: noon.Add(-time.Duration(i+1) * time.Hour), Event: "v", Execution: "x1", Revision: int64(i), Policy: office, Target: login, Said: said, MS: 2,
		})
	}
	before := office
	before.Revision = 6
	t.verdicts = append(t.verdicts, projections.Verdict{At: noon.Add(-20 * time.Hour), Execution: "x1", Policy: before, Target: domain.Ref{ID: "b1", Kind: "stage_binding"}, Said: "passed", Negate: true})
	t.rule = retention.State{}
	return t
}
