package executor_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/eventstore"
)

// A turn is one request and what it is answered. No body fetches.
type turn struct {
	query string // of the page
	body  string
	want  string
}

// A scenario is a flow, and a visitor who walks through it.
type scenario struct {
	flow  fields
	rules []rule // bound to the flow
	steps []step
	as    string // whom the browser has logged in: nobody, user or superuser
	turns []turn
	story string // types of the events of the first execution
	cause string // of a denial
}

func (s scenario) run(t *testing.T) { s.runIn(t, newWorld(t)) }

// runIn runs where other scenarios with the same steps may have run before.
func (s scenario) runIn(t *testing.T, w *world) {
	flow := w.flow("f", s.flow, s.steps...)
	w.rules(flow, "flow", s.rules)
	b, before := w.browser("s"+t.Name()), len(w.executions())
	b.caller.Request = "request-s"
	switch s.as {
	case "user":
		b.as(w.user("ada"))
	case "superuser":
		b.as(w.superuser("root"))
	}
	for i, turn := range s.turns {
		query, err := url.ParseQuery(turn.query)
		if err != nil {
			t.Fatal(err)
		}
		v := execution.Visit{Slug: "f", Query: query}
		if turn.body != "" {
			v.Response = []byte(turn.body)
		}
		if got := said(b.visit(v)); got != turn.want {
			t.Errorf("turn %d: got %q, want %q", i, got, turn.want)
		}
	}
	first := w.executions()[before]
	if s.story != "" {
		got := w.story(eventstore.Stream("execution", first))
		if diff := cmp.Diff(strings.Fields(s.story), got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}
	if got := w.state(first).Outcome.Cause; s.cause != "" && got != s.cause {
		t.Errorf("ended because of %q, want %q", got, s.cause)
	}
}

// superuser makes a user in a group of superusers.
func (w *world) superuser(name string) string {
	w.t.Helper()
	who := w.user(name)
	yes, admins := true, "admins"
	_, err := w.accounts.Groups.Handle(w.t.Context(), eventstore.Stream("group", id("admins")),
		group.Write{Name: &admins, Superuser: &yes, Members: []string{who}}, w.meta())
	if err != nil {
		w.t.Fatal(err)
	}
	w.sync()
	return who
}

const refused = "ak-stage-access-denied Flow does not apply to current user."

func TestWalks(t *testing.T) {
	for name, s := range map[string]scenario{
		"each stage in turn": {
			steps: []step{dummy(), dummy()},
			turns: []turn{
				{want: "ak-stage-dummy f/0"}, {body: "{}", want: "302"}, {want: "ak-stage-dummy f/1"},
				{body: `{"component":"ak-stage-dummy"}`, want: "xak-flow-redirect /"},
			},
			story: `ExecutionStarted PolicyEvaluated PlanCreated StageEntered ChallengeIssued
				StageCompleted StageEntered ChallengeIssued StageCompleted ExecutionCompleted`,
		},
		"fetching again appends nothing": {
			steps: []step{dummy()},
			turns: []turn{{want: "ak-stage-dummy f/0"}, {want: "ak-stage-dummy f/0"}, {want: "ak-stage-dummy f/0"}},
			story: `ExecutionStarted PolicyEvaluated PlanCreated StageEntered ChallengeIssued`,
		},
		"an answer without an execution goes to the first stage": {
			steps: []step{dummy(), dummy()}, turns: []turn{{body: "{}", want: "302"}, {want: "ak-stage-dummy f/1"}},
		},
		"an answer to another component changes nothing": {
			steps: []step{dummy(), dummy()},
			turns: []turn{{want: "ak-stage-dummy f/0"}, {body: `{"component":"ak-stage-password","password":"x"}`, want: "ak-stage-dummy f/0"}},
			story: `ExecutionStarted PolicyEvaluated PlanCreated StageEntered ChallengeIssued`,
		},
		"an empty flow is done at once": {
			turns: []turn{{want: "xak-flow-redirect /"}}, story: `ExecutionStarted PolicyEvaluated PlanCreated ExecutionCompleted`,
		},
		"an empty flow leads on": {turns: []turn{{query: "next=/x%3Fy", want: "xak-flow-redirect /x?y"}}},
		"a policy chooses where it leads": {
			steps: []step{dummy(rule{source: "context['flow_plan'].context['redirect'] = 'https://example.org/'\nreturn True"})},
			turns: []turn{{want: "ak-stage-dummy f/0"}, {body: "{}", want: "xak-flow-redirect https://example.org/"}},
		},
		"a policy redirects in between": {
			steps: []step{dummy(rule{source: "context['flow_plan'].redirect('https://example.org/')\nreturn True"})},
			turns: []turn{
				{want: "ak-stage-dummy f/0"}, {body: "{}", want: "302"}, {want: "xak-flow-redirect https://example.org/"},
				{want: "xak-flow-redirect https://example.org/"},
			},
			story: `ExecutionStarted PolicyEvaluated PlanCreated PolicyEvaluated StageInserted StageReevaluated StageEntered
				ChallengeIssued StageCompleted StageEntered ChallengeIssued`,
		},
		"a stage that is told to deny": {
			steps: []step{{kind: "deny.denystage", stage: fields{"deny_message": "not you"}}},
			turns: []turn{{want: "ak-stage-access-denied not you"}},
			story: `ExecutionStarted PolicyEvaluated PlanCreated StageEntered ExecutionDenied`, cause: "deny_stage",
		},
		"a stage that fails": {
			steps: []step{{kind: "dummy.dummystage", stage: fields{"throw_error": true}}},
			turns: []turn{{want: "ak-stage-flow-error request-s"}},
			story: `ExecutionStarted PolicyEvaluated PlanCreated ExecutionFailed`,
		},
		"a stage that fails after an answer": {
			steps: []step{dummy(), {kind: "dummy.dummystage", stage: fields{"throw_error": true}}},
			turns: []turn{{want: "ak-stage-dummy f/0"}, {body: "{}", want: "ak-stage-flow-error request-s"}},
			story: `ExecutionStarted PolicyEvaluated PlanCreated StageEntered ChallengeIssued StageCompleted ExecutionFailed`,
		},
		"somebody who does not exist is not told so": {
			steps: []step{identification(), password()},
			turns: []turn{
				{body: `{"uid_field":"nobody"}`, want: "302"}, {body: `{"password":"x"}`, want: wrongPassword},
			},
			story: `ExecutionStarted PolicyEvaluated PlanCreated StageEntered ChallengeIssued IdentificationFailed SubjectIdentified StageCompleted
				StageEntered ChallengeIssued LoginFailed ResponseRejected ChallengeIssued`,
		},
	} {
		t.Run(name, s.run)
	}
}

const wrongPassword = "ak-stage-password map[password:[map[code:invalid string:Invalid password]]]"

func TestNext(t *testing.T) {
	w := newWorld(t)
	for next, want := range map[string]string{
		"/application/":           "xak-flow-redirect /application/",
		"":                        "xak-flow-redirect /",
		"https://example.org/":    "ak-stage-access-denied Invalid next URL",
		"//example.org/":          "ak-stage-access-denied Invalid next URL",
		"/\\example.org":          "ak-stage-access-denied Invalid next URL",
		"javascript:alert(1)":     "ak-stage-access-denied Invalid next URL",
		"/\nSet-Cookie: x":        "ak-stage-access-denied Invalid next URL",
		"application/":            "ak-stage-access-denied Invalid next URL",
		strings.Repeat("/x", 5e3): "xak-flow-redirect /", // too long to be remembered
	} {
		t.Run(next[:min(len(next), 20)], func(t *testing.T) {
			s := scenario{turns: []turn{{query: url.Values{"next": {next}}.Encode(), want: want}}}
			if strings.Contains(want, "Invalid") {
				s.cause = "invalid_next"
			}
			s.runIn(t, w)
		})
	}
}

func TestRequirements(t *testing.T) {
	w := newWorld(t)
	const pass = "ak-stage-dummy f/0"
	for need, want := range map[string][3]string{ // nobody, user, superuser
		"none":                    {pass, pass, pass},
		"require_authenticated":   {refused, pass, pass},
		"require_unauthenticated": {pass, refused, refused},
		"require_superuser":       {refused, refused, pass},
		"require_redirect":        {refused, refused, refused},
		"require_outpost":         {refused, refused, refused},
		"require_token": {
			"ak-stage-access-denied This link has expired. Please request a new one.",
			"ak-stage-access-denied This link has expired. Please request a new one.",
			"ak-stage-access-denied This link has expired. Please request a new one.",
		},
	} {
		for i, as := range []string{"", "user", "superuser"} {
			t.Run(need+" "+as, func(t *testing.T) {
				s := scenario{flow: fields{"authentication": need}, as: as, steps: []step{dummy()}, turns: []turn{{want: want[i]}}}
				if want[i] != pass {
					s.cause, s.story = "authentication_requirement", "ExecutionStarted ExecutionDenied"
				}
				s.runIn(t, w)
			})
		}
	}
}

func TestDenials(t *testing.T) {
	no := []rule{{source: "ak_message('nope')\nreturn False"}}
	for name, s := range map[string]scenario{
		"without a message": {
			rules: []rule{{source: "return False"}}, turns: []turn{{want: refused}},
			story: "ExecutionStarted PolicyDenied ExecutionDenied", cause: "flow_policy",
		},
		"message ignores next": {
			flow: fields{"denied_action": "message"}, rules: no, turns: []turn{{query: "next=/x", want: "ak-stage-access-denied nope"}},
		},
		"continue":                   {flow: fields{"denied_action": "continue"}, rules: no, turns: []turn{{want: "xak-flow-redirect /"}}},
		"continue leads on":          {flow: fields{"denied_action": "continue"}, rules: no, turns: []turn{{query: "next=/x", want: "xak-flow-redirect /x"}}},
		"continue stays on the site": {flow: fields{"denied_action": "continue"}, rules: no, turns: []turn{{query: "next=//x", want: "xak-flow-redirect /"}}},
		"message_continue":           {flow: fields{"denied_action": "message_continue"}, rules: no, turns: []turn{{want: "ak-stage-access-denied nope"}}},
		"message_continue leads on": {
			flow: fields{"denied_action": "message_continue"}, rules: no, turns: []turn{{query: "next=/x", want: "xak-flow-redirect /x"}},
		},
		"message_continue stays on the site": {
			flow: fields{"denied_action": "message_continue"}, rules: no, turns: []turn{{query: "next=https://x/", want: "ak-stage-access-denied nope"}},
		},
		"who is logged in has what a login gives": {
			flow: fields{"designation": "authentication", "authentication": "require_unauthenticated"}, as: "user", steps: []step{dummy()},
			turns: []turn{{query: "next=/x", want: "xak-flow-redirect /x"}}, story: "ExecutionStarted ExecutionCompleted",
		},
	} {
		t.Run(name, s.run)
	}
}

// The matrix of spec/flows.md 3.2.
func TestWhenPoliciesAreAsked(t *testing.T) {
	bound := func(plan, enter bool, source string, more fields) step {
		s := dummy(rule{source: source, binding: more})
		s.binding = fields{"evaluate_on_plan": plan, "re_evaluate_policies": enter}
		return s
	}
	shown, done := []turn{{want: "ak-stage-dummy f/0"}}, []turn{{want: "xak-flow-redirect /"}}
	for name, s := range map[string]scenario{
		"on plan": {
			steps: []step{bound(true, false, "return False", nil)}, turns: done,
			story: "ExecutionStarted PolicyEvaluated PolicyDenied PlanCreated ExecutionCompleted",
		},
		"on enter": {
			steps: []step{bound(false, true, "return False", nil)}, turns: done,
			story: "ExecutionStarted PolicyEvaluated PlanCreated PolicyDenied StageSkipped ExecutionCompleted",
		},
		"never": {
			steps: []step{bound(false, false, "return False", nil)}, turns: shown,
			story: "ExecutionStarted PolicyEvaluated PlanCreated StageEntered ChallengeIssued",
		},
		"both, passing": {
			steps: []step{bound(true, true, "return True", nil)}, turns: shown,
			story: "ExecutionStarted PolicyEvaluated PolicyEvaluated PlanCreated PolicyEvaluated StageReevaluated StageEntered ChallengeIssued",
		},
		"both skipped": {
			steps: []step{bound(false, true, "return False", nil), bound(false, true, "return False", nil)}, turns: done,
		},
		"an error on enter keeps the stage":   {steps: []step{bound(false, true, "return 1/0", nil)}, turns: shown},
		"an error on plan keeps the stage":    {steps: []step{bound(true, false, "return 1/0", nil)}, turns: shown},
		"an error that is to pass":            {steps: []step{bound(false, true, "return 1/0", fields{"failure_result": true})}, turns: shown},
		"a binding that is off counts for no": {steps: []step{bound(false, true, "return False", fields{"enabled": false})}, turns: shown},
		"negated":                             {steps: []step{bound(false, true, "return False", fields{"negate": true})}, turns: shown},
		"asked once, although the answer flips": {
			steps: []step{bound(false, true, "return context.get('prompt_data') == None", nil)},
			turns: []turn{{want: "ak-stage-dummy f/0"}, {want: "ak-stage-dummy f/0"}, {body: "{}", want: "xak-flow-redirect /"}},
			story: `ExecutionStarted PolicyEvaluated PlanCreated PolicyEvaluated StageReevaluated StageEntered ChallengeIssued
				StageCompleted ExecutionCompleted`,
		},
	} {
		t.Run(name, s.run)
	}
}

func TestRestarts(t *testing.T) {
	asking := func(action string) []step {
		first := dummy(rule{source: "context['flow_plan'].context['marked'] = True\nreturn context.get('marked') == None"})
		second := identification()
		second.binding = fields{"invalid_response_action": action}
		return []step{first, second}
	}
	const required = "ak-stage-identification map[non_field_errors:[map[code:invalid string:No identification data provided.]]]"
	until := []turn{{body: "{}", want: "302"}, {want: "ak-stage-identification"}}
	for name, s := range map[string]scenario{
		"retry asks again": {
			steps: asking("retry"), turns: append(until[:2:2], turn{body: `{"component":"ak-stage-identification"}`, want: required}),
		},
		"restart forgets": {
			steps: asking("restart"),
			turns: append(until[:2:2], turn{body: `{"component":"ak-stage-identification"}`, want: "302"}, turn{want: "ak-stage-dummy f/0"}),
		},
		"restart_with_context remembers": {
			steps: asking("restart_with_context"),
			turns: append(until[:2:2], turn{body: `{"component":"ak-stage-identification"}`, want: "302"}, turn{want: "ak-stage-identification"}),
		},
		"a deny stage bound with restart ends": {
			steps: []step{{kind: "deny.denystage", binding: fields{"invalid_response_action": "restart"}}},
			turns: []turn{{want: "ak-stage-access-denied Unknown error"}}, cause: "restart_cap",
			story: "ExecutionStarted" + strings.Repeat(" PolicyEvaluated PlanCreated StageEntered PlanRestarted", 5) +
				" PolicyEvaluated PlanCreated StageEntered ExecutionDenied",
		},
	} {
		t.Run(name, s.run)
	}
}
