package executor_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
)

// prompts makes a step that asks for fields.
func (w *world) prompts(name string, all ...fields) step {
	w.t.Helper()
	var ids []any
	for i, f := range all {
		prompt := name + " " + f["field_key"].(string)
		ids = append(ids, w.put(stage.PromptModel, prompt, fields{"name": prompt, "label": "l", "type": "text", "order": i}.with(f)))
	}
	return step{name: name, kind: "prompt.promptstage", stage: fields{"fields": ids}}
}

// An expression that fails is shown as it stands. The ledger says so once,
// however often the page is fetched, and the log says nothing of anybody.
func TestFailingExpression(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&log, nil))
	const broken = `return prompt_context["secret name"]`
	w.flow("f", nil, w.prompts("ask", fields{"field_key": "k", "placeholder": broken, "placeholder_expression": true}))
	b := w.browser("s")
	a := b.get("f")
	shown, _ := a.Challenge["fields"].([]any)
	if len(shown) != 1 || shown[0].(map[string]any)["placeholder"] != broken {
		t.Errorf("shown as %v", a.Challenge)
	}
	b.get("f")
	var told []execution.ContextChanged
	for _, d := range w.told(eventstore.Position{}) {
		if e, ok := d.Event.(execution.ContextChanged); ok {
			told = append(told, e)
		}
	}
	if len(told) != 1 || len(told[0].Diagnostics) != 1 || told[0].Diagnostics[0].Class != "property_mapping_exception" ||
		told[0].Diagnostics[0].Ref.Name != "ask k" || !strings.Contains(told[0].Details[0], "secret name") {
		t.Errorf("the ledger says %+v", told)
	}
	if !strings.Contains(log.String(), "expression failed") || strings.Contains(log.String(), "secret name") {
		t.Errorf("the log says\n%s", &log)
	}
}

// An exception may quote a password that was typed: then only its kind and
// its place are told.
func TestFailingExpressionKeepsSecrets(t *testing.T) {
	w := newWorld(t)
	const leak = `return int(prompt_context["password"][::-1])`
	w.flow("f", nil, w.prompts("first", fields{"field_key": "password", "type": "password"}),
		w.prompts("then", fields{"field_key": "k", "initial_value": leak, "initial_value_expression": true}))
	b := w.browser("s")
	b.get("f")
	b.post("f", `{"password":"hunter2"}`)
	var told []string
	for _, d := range w.told(eventstore.Position{}) {
		if e, ok := d.Event.(execution.ContextChanged); ok {
			told = append(told, e.Details...)
		}
	}
	if len(told) != 1 || told[0] != "line 1, column 8: ValueError" {
		t.Errorf("told %q", told)
	}
}

func TestPreview(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	before := w.head()
	p := &stage.Prompt{Key: "k", Type: "text", Placeholder: "return user.username", PlaceholderExpression: true}
	got, err := w.Preview(t.Context(), p, session.Caller{User: ada})
	if err != nil || got["component"] != "ak-stage-prompt" || got["fields"].([]any)[0].(map[string]any)["placeholder"] != "ada" {
		t.Errorf("shown as %v, %v", got, err)
	}
	p.Placeholder = "return 1 / 0"
	_, err = w.Preview(t.Context(), p, session.Caller{User: ada})
	if fault, is := errors.AsType[*stage.ExpressionError](err); !is || !strings.Contains(fault.Error(), "ZeroDivisionError") {
		t.Errorf("got %v, want the fault of the expression", err)
	}
	if w.head() != before {
		t.Error("a preview is recorded")
	}
}

// A login that ends the other sessions of its user ends all that anybody was
// told of, however far the read model is. Other logins do not wait for it.
func TestTerminateOtherSessions(t *testing.T) {
	for name, terminate := range map[string]bool{"a login that ends the others": true, "a login": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ada := w.user("ada")
			w.flow("signin", fields{"designation": "authentication"}, identification(),
				step{name: "login", kind: "user_login.userloginstage", stage: fields{"terminate_other_sessions": terminate}})
			b, other := w.browser("s"), w.browser("other")
			b.get("signin")
			_, err := w.Sessions.Handle(t.Context(), eventstore.Stream("session", other.caller.Session), session.Authenticate{
				User: ada, Execution: "none", Now: w.clock(), Expires: w.clock().Add(3600e9),
			}, w.meta())
			if err != nil {
				t.Fatal(err)
			}
			wait, waits := w.Wait, 0
			w.Wait = func(ctx context.Context) error { waits++; return wait(ctx) }
			if got := said(b.post("signin", uid)); got != "xak-flow-redirect /" {
				t.Fatalf("in the end: %s", got)
			}
			s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", other.caller.Session))
			if err != nil || s.Living(w.clock()) == terminate {
				t.Errorf("the other session lives: %t, %v", s.Living(w.clock()), err)
			}
			if (waits > 0) != terminate {
				t.Errorf("waited %d times", waits)
			}
		})
	}
}

// Whoever changes the own password stays logged in, and nobody else does.
func TestOwnPassword(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada")
	w.flow("password", fields{"authentication": "require_authenticated"},
		w.prompts("ask", fields{"field_key": "password", "type": "password"}, fields{"field_key": "password_repeat", "type": "password"}),
		step{name: "write", kind: "user_write.userwritestage", stage: fields{"user_creation_mode": "never_create"}})
	own, other := w.browser("s").as(ada), w.browser("other").as(ada)
	own.get("password")
	if got := said(own.post("password", `{"password":"new","password_repeat":"new"}`)); got != "xak-flow-redirect /" {
		t.Fatalf("in the end: %s", got)
	}
	for b, lives := range map[*browser]bool{own: true, other: false} {
		s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", b.caller.Session))
		if err != nil || s.Living(w.clock()) != lives {
			t.Errorf("session %s lives: %t, %v", b.caller.Session, s.Living(w.clock()), err)
		}
	}
	s, _, err := w.Users.Load(t.Context(), eventstore.Stream("user", ada))
	if ok, _ := user.Verify(s.Password, domain.NewSecret("new")); err != nil || !ok {
		t.Errorf("the new password does not work, %v", err)
	}
}

// A flow can take the password away, and put a user into a group that a policy
// chose.
func TestWriteWithoutPassword(t *testing.T) {
	w := newWorld(t)
	ada, name := w.user("ada"), "staff"
	if _, err := w.accounts.Groups.Handle(t.Context(), eventstore.Stream("group", id("g")), group.Write{Name: &name}, w.meta()); err != nil {
		t.Fatal(err)
	}
	const choose = `context["flow_plan"].context["groups"] = [{"pk": "%"}]` + "\nreturn True"
	w.flow("f", fields{"authentication": "require_authenticated"},
		w.prompts("ask", fields{"field_key": "unusable_password", "type": "hidden", "placeholder": "yes"}),
		step{
			name: "write", kind: "user_write.userwritestage", stage: fields{"user_creation_mode": "never_create"},
			policies: []rule{{source: strings.ReplaceAll(choose, "%", id("g"))}}, binding: fields{"re_evaluate_policies": true},
		})
	b := w.browser("s").as(ada)
	b.get("f")
	if got := said(b.post("f", `{"unusable_password":""}`)); got != "xak-flow-redirect /" {
		t.Fatalf("in the end: %s", got)
	}
	w.sync()
	who, err := w.users.Person(t.Context(), ada)
	if err != nil || who.Usable || !slices.ContainsFunc(who.Groups, func(g user.Group) bool { return g.ID == id("g") }) {
		t.Errorf("ada is %+v, %v", who, err)
	}
	s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", b.caller.Session))
	if err != nil || !s.Living(w.clock()) {
		t.Errorf("the own session has ended, %v", err)
	}
}
