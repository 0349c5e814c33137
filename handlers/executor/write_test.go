package executor_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
)

// enrollment makes a flow in which people make their own user.
func (w *world) enrollment() {
	w.t.Helper()
	var prompts []any
	for i, key := range []string{"username", "email", "password"} {
		kind := map[string]string{"password": "password"}[key]
		if kind == "" {
			kind = "text"
		}
		prompts = append(prompts, w.put("authentik_stages_prompt.prompt", "prompt "+key, fields{
			"name": "prompt " + key, "field_key": key, "label": key, "type": kind, "required": true, "order": i,
		}))
	}
	long := w.put("authentik_policies_expression.expressionpolicy", "long", fields{
		"name": "long", "expression": "if len(request.context['prompt_data']['password']) > 3:\n    return True\nak_message('too short')\nreturn False",
	})
	w.flow("enroll", fields{"designation": "enrollment"},
		step{name: "ask", kind: "prompt.promptstage", stage: fields{"fields": prompts, "validation_policies": []any{long}}},
		step{name: "write", kind: "user_write.userwritestage", stage: fields{"user_creation_mode": "always_create"}},
		login())
}

func typed(name string) string {
	return fmt.Sprintf(`{"username":%q,"email":"%s@example.org","password":"secret"}`, name, name)
}

func TestEnrollment(t *testing.T) {
	w := newWorld(t)
	w.enrollment()
	w.user("ada")
	b := w.browser("s")
	b.get("enroll")
	short := strings.Replace(typed("bob"), "secret", "x", 1)
	if got := said(b.post("enroll", short)); !strings.Contains(got, "too short") {
		t.Errorf("a short password: %s", got)
	}
	a := b.post("enroll", typed("bob"))
	if got := said(a); got != "xak-flow-redirect /" {
		t.Fatalf("in the end: %s", got)
	}
	who, err := w.users.FindPerson(t.Context(), []string{"username"}, "bob", false)
	if err != nil || who.Email != "bob@example.org" || b.caller.User != who.ID {
		t.Errorf("bob is %+v, %v, and logged in is %q", who, err, b.caller.User)
	}
	s, _, err := w.Users.Load(t.Context(), eventstore.Stream("user", who.ID))
	if ok, _ := user.Verify(s.Password, domain.NewSecret("secret")); err != nil || !ok {
		t.Errorf("the password does not work, %v", err)
	}
	if len(w.state(a.Execution).Secrets()) != 0 {
		t.Error("the execution keeps the password")
	}
	c := w.browser("t")
	c.get("enroll")
	taken := c.visit(execution.Visit{Slug: "enroll", Response: []byte(typed("ada"))})
	if got := said(taken); !strings.HasPrefix(got, "ak-stage-access-denied ") && !strings.Contains(got, "username") {
		t.Errorf("a name that is taken: %s", got)
	}
}

// Whichever append of an enrollment is refused: asking again leads to one user,
// with a password, who is logged in.
func TestEnrollmentSurvivesARefusedAppend(t *testing.T) {
	w := newWorld(t)
	w.enrollment()
	for n := 1; ; n++ {
		name := fmt.Sprint("ada", n)
		b := w.browser(name)
		b.get("enroll")
		w.ledger.failAt(n)
		a, err := b.try(execution.Visit{Slug: "enroll", Response: []byte(typed(name))})
		refused := err != nil
		if refused && (!errors.Is(err, errRefused) || a.Renew) {
			t.Fatalf("append %d is refused: %v, renew %t", n, err, a.Renew)
		}
		w.ledger.failAt(0)
		for range 3 {
			if err == nil && a.Final {
				break
			}
			v := execution.Visit{Slug: "enroll"}
			if err == nil && a.Challenge["component"] == "ak-stage-prompt" {
				v.Response = []byte(typed(name))
			}
			a, err = b.try(v)
		}
		if err != nil || said(a) != "xak-flow-redirect /" {
			t.Fatalf("append %d is refused: %s, %v", n, said(a), err)
		}
		w.sync()
		who, err := w.users.FindPerson(t.Context(), []string{"username"}, name, false)
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", b.caller.Session))
		if err != nil || !who.Usable || s.User != who.ID {
			t.Errorf("append %d is refused: usable %t, the session is of %q, %v", n, who.Usable, s.User, err)
		}
		if got := tally(w.story(eventstore.Stream("user", who.ID)), "UserCreated"); got != 1 {
			t.Errorf("append %d is refused: created %d times", n, got)
		}
		if !refused {
			if n < 6 {
				t.Errorf("an enrollment is %d appends only", n-1)
			}
			return
		}
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	w.flow("signout", fields{"designation": "invalidation"}, step{name: "out", kind: "user_logout.userlogoutstage"})
	b := w.browser("s").as(ada)
	a := b.get("signout")
	if got := said(a); got != "xak-flow-redirect /" || !a.Ended {
		t.Errorf("told %s, ended %t", got, a.Ended)
	}
	s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", b.caller.Session))
	if err != nil || s.Living(w.clock()) {
		t.Errorf("the session lives, %v", err)
	}
	if err := w.Settle(t.Context(), a.Execution); err != nil {
		t.Error(err)
	}
	if got := w.count("SessionLoggedOut"); got != 1 {
		t.Errorf("logged out %d times", got)
	}
}

// A page of a flow is opened for whoever is logged in.
func TestOpen(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	w.flow("f", fields{"authentication": "require_authenticated"}, dummy())
	b := w.browser("s").as(ada)
	if err := w.Open(t.Context(), "f", "configure", url.Values{"next": {"/home"}}, b.caller); err != nil {
		t.Fatal(err)
	}
	opened := w.executions()[0]
	if s := w.state(opened); s.Subject.User != ada || s.Entry != "configure" || s.Next != "/home" {
		t.Errorf("it is about %q, entered by %s", s.Subject.User, s.Entry)
	}
	if a := b.visit(execution.Visit{Slug: "f", Entry: "interface", Fresh: true}); a.Execution != opened {
		t.Error("the page begins another execution")
	}
	if err := w.Open(t.Context(), "nowhere", "configure", nil, b.caller); code(err) != domain.NotFound {
		t.Errorf("an unknown flow: %v", err)
	}
	if err := w.Open(t.Context(), "f", "configure", nil, w.browser("stranger").caller); code(err) != domain.NotFound {
		t.Errorf("a flow that does not apply: %v", err)
	}
}

// Validation policies may change what was typed, and the plan, as in the
// contract.
func TestValidationPoliciesWrite(t *testing.T) {
	w := newWorld(t)
	field := w.put("authentik_stages_prompt.prompt", "prompt name", fields{
		"name": "prompt name", "field_key": "name", "label": "name", "type": "text", "required": true,
	})
	var policies []any
	for i, source := range []string{
		"data = context['prompt_data']\nif data['name'] == 'no':\n    context['flow_plan'].context['refused'] = True\n    return False\n" +
			"data['name'] = data['name'].strip().title()\nreturn True",
		"context['prompt_data']['greeting'] = 'Hello ' + context['prompt_data']['name']\ncontext['flow_plan'].context['seen'] = 1\nreturn True",
	} {
		name := fmt.Sprint("change", i)
		policies = append(policies, w.put("authentik_policies_expression.expressionpolicy", name, fields{"name": name, "expression": source}))
	}
	w.flow("ask", nil, step{name: "ask name", kind: "prompt.promptstage", stage: fields{"fields": []any{field}, "validation_policies": policies}}, dummy())
	b := w.browser("s")
	b.get("ask")
	a := b.post("ask", `{"name":"no"}`)
	if c := w.state(a.Execution).Context; c["refused"] != true || c["prompt_data"] != nil {
		t.Errorf("after a refusal: %v", c)
	}
	a = b.post("ask", `{"name":" ada lovelace "}`)
	c := w.state(a.Execution).Context
	data := c.Map(execution.KeyPromptData)
	if data["name"] != "Ada Lovelace" || data["greeting"] != "Hello Ada Lovelace" || c["seen"] == nil {
		t.Errorf("in the end: %v", c)
	}
}
