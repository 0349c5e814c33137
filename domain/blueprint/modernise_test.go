package blueprint

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/catalog"
)

func TestModernise(t *testing.T) {
	tests := map[string]struct {
		kind     string
		in, want map[string]any
	}{
		"the type of a prompt": {"prompt", map[string]any{"prompt_type": "text"}, map[string]any{"type": "text"}},
		"the newer name wins":  {"prompt", map[string]any{"prompt_type": "text", "type": "email"}, map[string]any{"type": "email"}},
		"minutes":              {"emailstage", map[string]any{"token_expiry": int64(30)}, map[string]any{"token_expiry": "minutes=30"}},
		"minutes of others":    {"other", map[string]any{"token_expiry": int64(30)}, map[string]any{"token_expiry": int64(30)}},
		"an endless session":   {"userloginstage", map[string]any{"session_duration": "seconds=-1"}, map[string]any{"session_duration": "seconds=0"}},
		"no new users":         {"userwritestage", map[string]any{"can_create_users": false}, map[string]any{"user_creation_mode": "never_create"}},
		"new users":            {"userwritestage", map[string]any{"can_create_users": true}, map[string]any{"user_creation_mode": "create_when_required"}},
		"a group's parent":     {"group", map[string]any{"parent": "x"}, map[string]any{"parents": []any{"x"}}},
		"a group without":      {"group", map[string]any{"parent": nil}, map[string]any{}},
		"Django's backend":     {"passwordstage", map[string]any{"backends": []any{"django.contrib.auth.backends.ModelBackend"}}, map[string]any{"backends": []any{"authentik.core.auth.InbuiltBackend"}}},
		"what is of today":     {"flow", map[string]any{"title": "T"}, map[string]any{"title": "T"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			modernise(catalog.Kind{Model: "x." + tt.kind}, tt.in)
			if diff := cmp.Diff(tt.want, tt.in); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompleteBundles(t *testing.T) {
	d, err := Parse("x.akflow", []byte(`{"version": 1, "entries": [
		{"model": "authentik_flows.flow", "identifiers": {"slug": "enrol"}, "attrs": {}},
		{"model": "authentik_stages_prompt.prompt", "identifiers": {"pk": "1"}, "attrs": {"field_key": "email"}},
		{"model": "authentik_stages_prompt.prompt", "identifiers": {"pk": "2"}, "attrs": {"field_key": "other", "name": "given"}},
		{"model": "authentik_stages_prompt.prompt", "identifiers": {"pk": "3"}, "attrs": {"field_key": "email"}}]}`))
	if err != nil || !d.legacy {
		t.Fatalf("not seen as a bundle: %v", err)
	}
	for number, want := range map[int]string{2: "enrol-email", 4: "enrol-email-2", 9: "enrol-email"} {
		prompt := map[string]any{"field_key": "email"}
		if d.complete(catalog.Kind{Model: "x.prompt"}, number, prompt); prompt["name"] != want {
			t.Errorf("entry %d is named %v", number, prompt["name"])
		}
	}
	password := map[string]any{}
	d.complete(catalog.Kind{Model: "x.passwordstage"}, 3, password)
	if len(password["backends"].([]any)) != 3 {
		t.Errorf("completed to %v", password)
	}
}
