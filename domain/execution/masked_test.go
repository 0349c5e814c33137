package execution

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
)

func TestMasked(t *testing.T) {
	secret := domain.NewSecret("hunter2")
	c := Context{
		"prompt_data": map[string]any{"password": secret, "name": "Ada", "list": []any{"a", secret}}, KeyCaptcha: map[string]any{"success": true},
		"a/b": secret, "n": 1.0,
	}
	want := Context{
		"prompt_data": map[string]any{"password": mask, "name": "Ada", "list": []any{"a", mask}}, KeyCaptcha: mask, "a/b": mask, "n": 1.0,
	}
	if diff := cmp.Diff(want, c.Masked()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Map("prompt_data")["password"] != secret {
		t.Error("the context itself was written")
	}
}

func TestCleansed(t *testing.T) {
	c := Context{
		"token": 42.0, "tokens": []any{"a", "", map[string]any{"id": "b"}}, "auth_method": "password", "empty": []any{nil, false, 0.0, "", []any{}},
		"secret": map[string]any{"key": "k", "color": "green"}, KeyCaptcha: "x", "nothing_passed": nil, "inner": Context{"password": domain.Secret{}},
	}
	want := map[string]any{
		"token": mask, "tokens": []any{mask, mask, map[string]any{"id": "b"}}, "auth_method": "password", "empty": []any{},
		"secret": map[string]any{"key": mask, "color": "green"}, KeyCaptcha: mask, "nothing_passed": nil, "inner": map[string]any{"password": mask},
	}
	if diff := cmp.Diff(want, c.Cleansed()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
