package policy_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
)

// event is an audit event as policies are given it.
func event() map[string]any {
	return map[string]any{
		"action": "login", "client_ip": "10.0.0.7", "app": "authentik.core", "created": "2026-11-22T12:00:00Z",
		"user": map[string]any{"username": "ada", "pk": 5.0, "is_anonymous": false},
		"context": map[string]any{
			"model": map[string]any{"app": "authentik_core", "model_name": "user"}, "tries": int64(3), "note": "A \"quoted\" word", "none": nil,
			"list": []any{"a"},
		},
	}
}

func TestEventMatcher(t *testing.T) {
	for sentence, tt := range map[string]struct {
		policy   policy.EventMatcher
		want     bool
		messages []string
		facts    map[string]any
	}{
		"the action":               {policy.EventMatcher{Action: ptr("login")}, true, []string{"Action matched."}, map[string]any{"action": true}},
		"another action":           {policy.EventMatcher{Action: ptr("logout")}, false, []string{"Action matched."}, map[string]any{"action": false}},
		"the address":              {policy.EventMatcher{ClientIP: ptr("10.0.0.7")}, true, []string{"Client IP matched."}, map[string]any{"client_ip": true}},
		"another address":          {policy.EventMatcher{ClientIP: ptr("10.0.0.8")}, false, []string{"Client IP matched."}, map[string]any{"client_ip": false}},
		"the app":                  {policy.EventMatcher{App: ptr("authentik.core")}, true, []string{"App matched."}, map[string]any{"app": true}},
		"another app":              {policy.EventMatcher{App: ptr("authentik.flows")}, false, []string{"App matched."}, map[string]any{"app": false}},
		"the model":                {policy.EventMatcher{Model: ptr("authentik_core.user")}, true, []string{"Model matched."}, map[string]any{"model": true}},
		"another model":            {policy.EventMatcher{Model: ptr("authentik_core.group")}, false, []string{"Model matched."}, map[string]any{"model": false}},
		"a query":                  {policy.EventMatcher{Query: ptr(`action = "login"`)}, true, nil, map[string]any{"query": true}},
		"another query":            {policy.EventMatcher{Query: ptr(`action = "logout"`)}, false, nil, map[string]any{"query": false}},
		"without a criterion":      {policy.EventMatcher{}, true, nil, map[string]any{}},
		"what is empty is not set": {policy.EventMatcher{Action: ptr(""), Query: ptr("")}, true, nil, map[string]any{}},
		"all have to match": {
			policy.EventMatcher{Query: ptr(`app ~ "CORE"`), Action: ptr("login"), ClientIP: ptr("1.2.3.4"), App: ptr("authentik.core"), Model: ptr("authentik_core.user")},
			false, []string{"Action matched.", "Client IP matched.", "App matched.", "Model matched."},
			map[string]any{"query": true, "action": true, "client_ip": false, "app": true, "model": true},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			q := asked(nobody)
			q.Context = execution.Context{"event": event()}
			v, err := tt.policy.Passes(t.Context(), q)
			facts := maps.Clone(tt.facts)
			facts["event"] = true
			if v.Passing != tt.want || err != nil || !cmp.Equal(tt.messages, v.Messages) || !cmp.Equal(facts, v.Facts) {
				t.Errorf("got %+v, %v, want %t %q %v", v, err, tt.want, tt.messages, facts)
			}
		})
	}
}

// As in a flow, where no event is.
func TestEventMatcherWithoutAnEvent(t *testing.T) {
	for _, context := range []execution.Context{{}, {"event": nil}, {"event": "login"}} {
		q := asked(ada)
		q.Context = context
		v, err := (&policy.EventMatcher{}).Passes(t.Context(), q)
		if v.Passing || err != nil || len(v.Messages) > 0 || v.Facts["event"] != false {
			t.Errorf("%v: %+v, %v", context, v, err)
		}
	}
	q := asked(ada)
	q.Context = execution.Context{"event": map[string]any{}}
	p := policy.EventMatcher{Action: ptr("login"), Model: ptr("authentik_core.user")}
	if v, err := p.Passes(t.Context(), q); v.Passing || err != nil || len(v.Messages) != 2 {
		t.Errorf("an empty event: %+v, %v", v, err)
	}
}

func TestEventMatcherIsValidated(t *testing.T) {
	k, _ := catalog.Lookup("authentik_policies_event_matcher.eventmatcherpolicy")
	for sentence, tt := range map[string]struct {
		fields map[string]any
		want   catalog.Problems
	}{
		"an action":        {map[string]any{"action": "login"}, nil},
		"a prefix":         {map[string]any{"action": "custom_"}, nil},
		"a model":          {map[string]any{"model": "authentik_core.user"}, nil},
		"nothing":          {map[string]any{}, catalog.Problems{catalog.NonField: {"At least one criteria must be set."}}},
		"nulls":            {map[string]any{"action": nil, "query": nil}, catalog.Problems{catalog.NonField: {"At least one criteria must be set."}}},
		"another action":   {map[string]any{"action": "x"}, catalog.Problems{"action": {`"x" is not a valid choice.`}}},
		"another app":      {map[string]any{"app": "x"}, catalog.Problems{"app": {`"x" is not a valid choice.`}}},
		"another model":    {map[string]any{"model": "x"}, catalog.Problems{"model": {`"x" is not a valid choice.`}}},
		"an empty address": {map[string]any{"client_ip": ""}, catalog.Problems{"client_ip": {"This field may not be blank."}}},
		"half a query":     {map[string]any{"query": "action ="}, catalog.Problems{"query": {"Column 9: Expected a text in quotes, a number, True, False or None, found the end."}}},
	} {
		_, problems := k.Clean(tt.fields, true)
		if problems == nil {
			problems = k.Validate(tt.fields)
		}
		if diff := cmp.Diff(tt.want, problems); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sentence, diff)
		}
	}
}

// holds asks a query about the event of these tests.
func holds(t *testing.T, text string) bool {
	t.Helper()
	q := asked(nobody)
	q.Context = execution.Context{"event": event()}
	v, err := (&policy.EventMatcher{Query: &text}).Passes(t.Context(), q)
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return v.Passing
}

func TestEventQueries(t *testing.T) {
	for text, want := range map[string]bool{
		`action = "login" and client_ip ~ "10."`:                  true,
		`action = 'login'`:                                        true,
		`action = "LOGIN"`:                                        false,
		`action != "login"`:                                       false,
		`action ~ "LOG"`:                                          true,
		`action !~ "log"`:                                         false,
		`client_ip startswith "10."`:                              true,
		`client_ip not startswith "10."`:                          false,
		`client_ip endswith ".7"`:                                 true,
		`action in ("logout", "login")`:                           true,
		`action not in ("logout", "login")`:                       false,
		`context.tries in (1, 3)`:                                 true,
		`context.tries = 3`:                                       true,
		`context.tries > 2.5`:                                     true,
		`context.tries > 3`:                                       false,
		`context.tries >= 3`:                                      true,
		`context.tries < 1e1`:                                     true,
		`context.tries <= -1`:                                     false,
		`context.tries = "3"`:                                     false,
		`context.tries > "2"`:                                     false,
		`context.tries ~ "3"`:                                     false,
		`created > "2026-11-22T11"`:                               true,
		`created < "2026-11-22"`:                                  false,
		`user.is_anonymous = False`:                               true,
		`user.is_anonymous != True`:                               true,
		`user.is_anonymous = 0`:                                   false,
		`context.none = None`:                                     true,
		`context.missing.deeper = None`:                           true,
		`brand = None`:                                            true,
		`user != None`:                                            true,
		`user.pk in (None, 5)`:                                    true,
		`context.list = "a"`:                                      false,
		`context.list != "a"`:                                     true,
		`context.note = "A \"quoted\" word"`:                      true,
		`action="login"or action="x"and app="y"`:                  true,
		`(action="login"or action="x")and app="y"`:                false,
		"app = 'authentik.core'\n and\t(user.username = \"ada\")": true,
		`context.and = None`:                                      true,
	} {
		if got := holds(t, text); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}

func TestEventQueriesRefuse(t *testing.T) {
	for text, want := range map[string]string{
		` `:                                     "Column 2: Expected a name or an opening parenthesis, found the end.",
		`action`:                                "Column 7: Expected a comparison, such as = or ~, found the end.",
		`action = login`:                        "Column 10: Expected a text in quotes, a number, True, False or None, found login.",
		`action ~ 5`:                            "Column 10: Expected a text in quotes, found 5.",
		`action > None`:                         "Column 10: Expected a text in quotes, a number, True, False or None, found None.",
		`action not = "x"`:                      "Column 12: Expected in, startswith or endswith, found =.",
		`action in "x"`:                         "Column 11: Expected an opening parenthesis, found \"x\".",
		`action in ("x" "y")`:                   "Column 16: Expected a comma or a closing parenthesis, found \"y\".",
		`action in ("x",)`:                      "Column 16: Expected a text in quotes, a number, True, False or None, found ).",
		`action in ()`:                          "Column 12: Expected a text in quotes, a number, True, False or None, found ).",
		`(action = "x"`:                         "Column 14: Expected and, or, or a closing parenthesis, found the end.",
		`action = "x")`:                         "Column 13: Expected and, or, or the end, found ).",
		`action = "x" action`:                   "Column 14: Expected and, or, or the end, found action.",
		`and action = "x"`:                      "Column 1: Expected a name or an opening parenthesis, found and.",
		`not (action = "x")`:                    "Column 1: Expected a name or an opening parenthesis, found not.",
		`nonsense = "x"`:                        "Column 1: An event has no nonsense. It has pk, user, action, app, context, client_ip, created, expires, brand.",
		`context. = "x"`:                        "Column 1: A name has nothing behind a dot.",
		`context..a = "x"`:                      "Column 1: A name has nothing behind a dot.",
		`action = "x`:                           "Column 10: The text has no closing quote.",
		`action = "x\`:                          "Column 10: The text has no closing quote.",
		`action = "\x41"`:                       `Column 11: The escape \x is not known.`,
		`context.n = 1x`:                        "Column 13: 1x is no number.",
		`context.n = 0x10`:                      "Column 13: 0x10 is no number.",
		`context.n = -`:                         "Column 13: - is no number.",
		`context.n = 1e999`:                     "Column 13: 1e999 is no number.",
		`action = "x" ; DROP`:                   "Column 14: The character ';' means nothing here.",
		`action == "x"`:                         "Column 9: Expected a text in quotes, a number, True, False or None, found =.",
		`ä = "x"`:                               "Column 1: The character 'ä' means nothing here.",
		"action = \"ä\" and ä":                  "Column 18: The character 'ä' means nothing here.",
		strings.Repeat("(", 999):                "Column 33: More than 32 parentheses are nested.",
		strings.Repeat(`action = "x" or `, 999): "Column 4096: The query is longer than 4096 bytes.",
	} {
		problems := (&policy.EventMatcher{Query: &text}).Validate()
		if got := problems["query"]; len(got) != 1 || got[0] != want {
			t.Errorf("%.60s: got %q, want %q", text, got, want)
		}
	}
}

func FuzzEventQuery(f *testing.F) {
	for _, text := range []string{`action = "login" and client_ip ~ "10."`, `(context.a.b not in (1, None) or user.pk >= -5)`, `((((`, `"\`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := policy.EventMatcher{Query: &text}
		refused := len(p.Validate()["query"]) > 0
		q := asked(nobody)
		q.Context = execution.Context{"event": event()}
		if _, err := p.Passes(t.Context(), q); (err != nil) != refused {
			t.Errorf("%q is refused %t when saved, and then %v", text, refused, err)
		}
	})
}
