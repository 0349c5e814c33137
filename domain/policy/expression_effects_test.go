package policy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
)

const hidden = "********************"

func TestPoliciesCreateEvents(t *testing.T) {
	r := asked(ada)
	r.Context = execution.Context{"prompt_data": map[string]any{"name": "Ada", "password": domain.NewSecret("hunter2")}}
	r.Extra = map[string]any{"geoip": nil}
	p := &policy.Expression{Named: policy.Named{Name: "watch"}, Source: strings.Join([]string{
		`import datetime, uuid, re`,
		`typed = context["prompt_data"]["password"]`,
		`ak_create_event("custom_seen", who=request.user, group=user.groups.first(), http=http_request, n=1, ok=True, nothing=None,`,
		`  when=datetime.datetime(2026, 1, 2, 3, 4, 5), id=uuid.UUID("12345678-1234-5678-1234-567812345678"), api_key="k", note="typed " + typed,`,
		`  list=[0, "", 1, "x", [], {"token": "t", "deep": {typed: 1}}], call=len, tokens=["a", "b"], set={5}, pattern=re.compile("x"))`,
		`return True`,
	}, "\n")}
	v, err := p.Passes(t.Context(), r)
	if err != nil || len(v.Effects) != 1 {
		t.Fatalf("got %+v, %v", v, err)
	}
	request := map[string]any{
		"user": map[string]any{"username": "ada", "pk": 5, "email": "ada@example.org"}, "debug": false,
		"obj":     map[string]any{"pk": "t", "name": "target"},
		"context": map[string]any{"prompt_data": map[string]any{"name": "Ada", "password": hidden}, "geoip": nil},
	}
	want := &execution.Record{Action: "custom_seen", App: "watch", Context: map[string]any{
		"who":   map[string]any{"username": "ada", "pk": 5, "email": "ada@example.org"},
		"group": map[string]any{"app": "authentik_core", "model_name": "group", "pk": "g1", "name": "admins"},
		"n":     int64(1), "ok": true, "nothing": nil, "when": "2026-01-02T03:04:05Z", "id": "12345678123456781234567812345678",
		"api_key": hidden, "note": "typed " + hidden, "tokens": []any{hidden, hidden}, "set": []any{int64(5)},
		"list":    []any{int64(1), "x", map[string]any{"token": hidden, "deep": map[string]any{hidden: int64(1)}}},
		"request": request, "context": request["context"], "ak_is_sso_flow": false, "ak_client_ip": "192.0.2.7",
	}}
	got := v.Effects[0].Record
	delete(got.Context, "pattern")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	for source, wrong := range map[string]string{
		`ak_create_event("")`:                 "ValueError: the action of an event is a text of 1 to 200 letters",
		`ak_create_event("custom_")`:          "ValueError: the action",
		`ak_create_event("x" * 201)`:          "ValueError: the action",
		`ak_create_event(5)`:                  "ValueError: the action",
		`ak_create_event("a\nb")`:             "ValueError: the action",
		`ak_create_event()`:                   "TypeError: ak_create_event() takes an action",
		"while True:\n  ak_create_event('x')": "RuntimeError: a policy can ask for at most 10 mails and events",
	} {
		if v, err := ran(t, source, asked(ada)); err == nil || !strings.Contains(err.Error(), wrong) || len(v.Effects) > 0 {
			t.Errorf("%s: got %v and %d effects", source, err, len(v.Effects))
		}
	}
}

func TestEventsAreBounded(t *testing.T) {
	for name, source := range map[string]string{
		"a long text":         `ak_create_event("x", a="y" * 100000)`,
		"many texts":          `ak_create_event("x", a=["y" * 1000 for i in range(500)])`,
		"many items":          `ak_create_event("x", a=list(range(1, 50000)))`,
		"many keys":           `ak_create_event("x", a={str(i): i for i in range(20000)})`,
		"itself in itself":    "a = []\na.append(a)\na.append(a)\nak_create_event('x', a=a)",
		"the same many times": "a = [1]\nfor i in range(40):\n  a = [a, a]\nak_create_event('x', a=a)",
	} {
		v, err := ran(t, source, asked(ada))
		if err != nil || len(v.Effects) != 1 {
			t.Errorf("%s: %d effects, %v", name, len(v.Effects), err)
			continue
		}
		if text, err := json.Marshal(v.Effects[0].Record.Context); err != nil || len(text) > 200<<10 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
	}
}

func TestPoliciesSendMails(t *testing.T) {
	r := asked(ada)
	r.Context = execution.Context{"pin": domain.NewSecret("hunter2")}
	both := map[string]any{"to": []any{"a@example.org"}, "subject": "S", "body": "B"}
	for name, tt := range map[string]struct {
		call string
		want map[string]any
	}{
		"a body":  {`ak_send_email("a@example.org", "S", "B")`, both},
		"by name": {`ak_send_email(address=["a@example.org"], subject="S", body="B", cc=None)`, both},
		"a template": {`ak_send_email("a@example.org", "S", template="t.html", context={"token": 1, "u": user})`, map[string]any{
			"to": []any{"a@example.org"}, "subject": "S", "template": "t.html",
			"context": map[string]any{"token": int64(1), "u": map[string]any{"username": "ada", "pk": 5, "email": "ada@example.org"}},
		}},
		"copies": {`ak_send_email("a@example.org", "S", "B", stage="mail", cc="c@example.org", bcc=["d@example.org", "e@example.org"])`, map[string]any{
			"to": []any{"a@example.org"}, "subject": "S", "body": "B", "stage": "mail", "cc": []any{"c@example.org"}, "bcc": []any{"d@example.org", "e@example.org"},
		}},
		"a secret": {`ak_send_email("a@example.org", "S", "your PIN is " + context["pin"])`, map[string]any{
			"to": []any{"a@example.org"}, "subject": "S", "body": "your PIN is " + hidden,
		}},
	} {
		v, err := ran(t, "return "+tt.call, r)
		if err != nil || !v.Passing || len(v.Effects) != 1 {
			t.Errorf("%s: got %t and %d effects, %v", name, v.Passing, len(v.Effects), err)
			continue
		}
		if diff := cmp.Diff(&execution.SendMail{Purpose: "notice", Fields: tt.want}, v.Effects[0].SendMail); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
	for _, call := range []string{
		`ak_send_email("nobody", "S", "B")`, `ak_send_email([], "S", "B")`, `ak_send_email("A <a@example.org>", "S", "B")`, `ak_send_email(5, "S", "B")`,
		`ak_send_email("a@example.org\r\nBcc: x@example.org", "S", "B")`, `ak_send_email("a@example.org", "S", "B", cc="x")`,
		`ak_send_email(["a@example.org"] * 51, "S", "B")`,
	} {
		if v, err := ran(t, "return "+call, r); err != nil || v.Passing || len(v.Effects) > 0 {
			t.Errorf("%s: got %t and %d effects, %v", call, v.Passing, len(v.Effects), err)
		}
	}
	for call, want := range map[string]string{
		`ak_send_email("a@example.org", "S")`:                          "ValueError: Either body or template parameter must be provided",
		`ak_send_email("a@example.org", "S", "B", template="t")`:       "ValueError: body and template parameters are mutually exclusive",
		`ak_send_email("a@example.org", "S", template="t", context=1)`: "TypeError: the context of a mail is a dict, not int",
		`ak_send_email("a@example.org")`:                               "TypeError: ak_send_email() missing 1 required positional argument: 'subject'",
	} {
		if _, err := ran(t, call, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", call, err)
		}
	}
}

func TestPromptsAskForNothing(t *testing.T) {
	for _, source := range []string{`ak_create_event("x")`, `ak_send_email("a@example.org", "S", "B")`, `ak_call_policy("asks")`} {
		r := asked(ada)
		r.Env = env{policies: map[string]policy.Policy{"asks": &policy.Expression{Source: "ak_create_event('y')"}}}.in()
		if _, err := policy.Express(t.Context(), source, r); err == nil || !strings.Contains(err.Error(), "only policies can send mails and create events") {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestEffectsOfCalledPoliciesGoAlong(t *testing.T) {
	r := asked(ada)
	called := env{policies: map[string]policy.Policy{"fails": &policy.Expression{Source: "ak_create_event('lost')\nraise ValueError('x')"}}}
	for i := range 4 {
		called.policies[fmt.Sprint(i)] = &policy.Expression{Named: policy.Named{Name: "called"}, Source: "for i in range(3):\n  ak_create_event('a')\nreturn False"}
	}
	r.Env = called.in()
	v, err := ran(t, "ak_create_event('first')\nak_call_policy('0')\nak_call_policy('fails')\nreturn True", r)
	if err != nil || len(v.Effects) != 4 || v.Effects[0].Record.App != "" || v.Effects[3].Record.App != "called" {
		t.Errorf("got %+v, %v", v.Effects, err)
	}
	if _, err := ran(t, "for i in range(4):\n  ak_call_policy(str(i))", r); err == nil || !strings.Contains(err.Error(), "at most 10 mails and events") {
		t.Errorf("12 effects: %v", err)
	}
}
