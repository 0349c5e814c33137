package execution_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

var secretsEqual = cmp.Comparer(domain.Secret.Equal)

func TestLearnTellsApartWhoMayRead(t *testing.T) {
	s := domain.NewSecret
	tests := map[string]struct {
		in     execution.Context
		set    map[string]any
		hidden map[string]any
		secret map[string]domain.Secret
	}{
		"keys of the clear list may be read": {
			in:  execution.Context{"is_sso": true, "auth_method": "password", "groups": []any{"g"}},
			set: map[string]any{"is_sso": true, "auth_method": "password", "groups": []any{"g"}},
		},
		"all others are personal": {
			in:     execution.Context{"color": "red", "redirect": "/x", "deny_message": "no"},
			hidden: map[string]any{"color": "red", "redirect": "/x", "deny_message": "no"},
		},
		"a secret is one under any key": {
			in: execution.Context{"color": s("x"), "is_sso": s("y")}, secret: map[string]domain.Secret{"color": s("x"), "is_sso": s("y")},
		},
		"a text under the key of a secret is one, at any depth": {
			in:     execution.Context{"prompt_data": map[string]any{"a": execution.Context{"api_key": "k", "b": "c"}, "Password": "p"}},
			hidden: map[string]any{"prompt_data": map[string]any{"a": map[string]any{"b": "c"}}},
			secret: map[string]domain.Secret{"prompt_data/a/api_key": s("k"), "prompt_data/Password": s("p")},
		},
		"an empty text is no secret": {
			in: execution.Context{"password": ""}, hidden: map[string]any{"password": ""},
		},
		"what only looks like the key of a secret is none": {
			in:     execution.Context{"passing": "yes", "oauth": "x", "prompt_data": map[string]any{"password_change_date": "d", "auth_method_args": "m"}},
			hidden: map[string]any{"passing": "yes", "prompt_data": map[string]any{"password_change_date": "d", "auth_method_args": "m"}},
			secret: map[string]domain.Secret{"oauth": s("x")},
		},
		"a clear map gives up its secrets": {
			in:     execution.Context{"application": map[string]any{"name": "n", "client_secret": "c"}},
			set:    map[string]any{"application": map[string]any{"name": "n"}},
			secret: map[string]domain.Secret{"application/client_secret": s("c")},
		},
		"what a provider of captchas said is sealed as a whole": {
			in:     execution.Context{"captcha": map[string]any{"response": map[string]any{"score": 0.5, "token": "t"}}},
			secret: map[string]domain.Secret{"captcha": s(`{"response":{"score":0.5,"token":"t"}}`)},
		},
		"a list keeps the places of its secrets": {
			in: execution.Context{"prompt_data": map[string]any{
				"many": []any{"a", s("b"), map[string]any{"c": s("d"), "e": "f"}}, "tokens": []any{"t", 5},
			}},
			hidden: map[string]any{"prompt_data": map[string]any{"many": []any{"a", nil, map[string]any{"e": "f"}}, "tokens": []any{nil, 5}}},
			secret: map[string]domain.Secret{
				"prompt_data/many/1": s("b"), "prompt_data/many/2/c": s("d"), "prompt_data/tokens/0": s("t"),
			},
		},
		"slashes in keys do not confuse paths": {
			in:     execution.Context{"goauthentik.io/x": map[string]any{"a/b_token": "t"}},
			hidden: map[string]any{"goauthentik.io/x": map[string]any{}},
			secret: map[string]domain.Secret{"goauthentik.io~1x/a~1b_token": s("t")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := execution.Change{Set: tt.set, Hidden: tt.hidden, Secret: tt.secret}
			got := execution.Learn(tt.in)
			if diff := cmp.Diff(parts(want), parts(got), secretsEqual); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
			started := execution.ExecutionStarted{Change: got}
			back := domain.Fold(execution.State{}, execution.Event(started)).Context
			if diff := cmp.Diff(texts(tt.in), texts(back)); diff != "" {
				t.Errorf("what is known after (-want +got):\n%s", diff)
			}
		})
	}
}

// parts are those of a change that say something.
func parts(c execution.Change) map[string]any {
	out := map[string]any{}
	for name, m := range map[string]map[string]any{"set": c.Set, "hidden": c.Hidden} {
		if len(m) > 0 {
			out[name] = m
		}
	}
	if len(c.Secret) > 0 {
		out["secret"] = c.Secret
	}
	return out
}

// texts is a context with its secrets revealed.
func texts(v any) any {
	switch v := v.(type) {
	case domain.Secret:
		return v.Reveal()
	case execution.Context:
		return texts(map[string]any(v))
	case map[string]any:
		out := map[string]any{}
		for k, item := range v {
			out[k] = texts(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = texts(item)
		}
		return out
	}
	return v
}

func TestWhatWasSealedAsAWholeEndsWithTheExecution(t *testing.T) {
	known := execution.Context{"captcha": map[string]any{"response": map[string]any{"success": true}}, "color": "red"}
	s := domain.Fold(execution.State{}, execution.Event(execution.ExecutionStarted{Change: execution.Learn(known)}))
	if diff := cmp.Diff([]string{"captcha"}, s.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	for name, e := range map[string]execution.Event{
		"discarded":       execution.SecretsDiscarded{Keys: s.Secrets()},
		"over":            execution.ExecutionExpired{},
		"its key is gone": execution.ContextChanged{Change: execution.Change{Secret: map[string]domain.Secret{"captcha": {}}}},
	} {
		if diff := cmp.Diff(execution.Context{"color": "red"}, domain.Fold(s, e).Context); diff != "" {
			t.Errorf("%s: context (-want +got):\n%s", name, diff)
		}
	}
}

func TestSecretsInListsAreDiscarded(t *testing.T) {
	known := execution.Context{"codes": []any{"a", domain.NewSecret("b"), map[string]any{"c": domain.NewSecret("d")}}}
	s := domain.Fold(execution.State{}, execution.Event(execution.ExecutionStarted{Change: execution.Learn(known)}))
	if diff := cmp.Diff([]string{"codes/1", "codes/2/c"}, s.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	gone := domain.Fold[execution.State](s, execution.SecretsDiscarded{Keys: append(s.Secrets(), "codes/9", "codes/x")})
	if diff := cmp.Diff(execution.Context{"codes": []any{"a", nil, map[string]any{"c": nil}}}, gone.Context); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
	if len(s.Secrets()) != 2 {
		t.Error("discarding writes the state that it was folded over")
	}
}

func TestChangesName(t *testing.T) {
	c := execution.Learn(learned)
	c.Removed = []string{"a", "color"}
	if diff := cmp.Diff([]string{"a", "auth_method", "color", "prompt_data"}, c.Keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if c.Empty() || !(execution.Change{}).Empty() || !execution.Learn(nil).Empty() {
		t.Error("a change is empty if there is nothing in it")
	}
}

func TestChangesGoOnTop(t *testing.T) {
	change := func(c execution.Change) execution.Event { return execution.ContextChanged{Change: c} }
	before := domain.Fold(execution.State{}, given(started, change(learnt))...)
	after := domain.Fold(before,
		change(execution.Change{Removed: []string{"color"}, Set: map[string]any{"is_sso": true}}),
		change(execution.Change{Secret: map[string]domain.Secret{"prompt_data/pin": domain.NewSecret("1")}}),
	)
	want := execution.Context{
		"auth_method": "password", "is_sso": true,
		"prompt_data": map[string]any{"name": "Ada", "password": domain.NewSecret("pw"), "pin": domain.NewSecret("1")},
	}
	if diff := cmp.Diff(want, after.Context, secretsEqual); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(learned, before.Context, secretsEqual); diff != "" {
		t.Errorf("the context before was written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"prompt_data/password", "prompt_data/pin"}, after.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	gone := domain.Fold[execution.State](after, execution.SecretsDiscarded{Keys: append(after.Secrets(), "no/such/path", "auth_method/x")})
	want["prompt_data"] = map[string]any{"name": "Ada"}
	if diff := cmp.Diff(want, gone.Context, secretsEqual); diff != "" || len(gone.Secrets()) > 0 {
		t.Errorf("after the secrets are gone (-want +got):\n%s", diff)
	}
	if len(after.Secrets()) != 2 {
		t.Error("discarding writes the state that it was folded over")
	}
}

func TestClearPartHoldsNoSecret(t *testing.T) {
	c := execution.Learn(execution.Context{
		"application": map[string]any{"token": "hidden", "list": map[string]any{"key": "hidden"}}, "is_sso": domain.NewSecret("hidden"),
	})
	text, err := json.Marshal(c.Set)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hidden") {
		t.Errorf("the clear part has %s", text)
	}
}

func TestContextReads(t *testing.T) {
	c := execution.Context{"t": "x", "m": map[string]any{"a": 1}, "s": domain.NewSecret("y")}
	if c.Text("t") != "x" || c.Text("m") != "" || c.Text("gone") != "" || c.Map("m")["a"] != 1 || c.Map("t") != nil {
		t.Errorf("got %q, %v", c.Text("t"), c.Map("m"))
	}
	if got := c.Text("s"); got == "y" {
		t.Error("a secret is read as text")
	}
}
