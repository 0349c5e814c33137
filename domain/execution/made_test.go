package execution_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

func TestMade(t *testing.T) {
	got := execution.Made(map[string]any{
		"x": int64(1), "password": "hunter2", "prompt_data": map[string]any{"name": "Ada", "api_key": "k"}, "is_sso": true,
	})
	want := execution.Context{
		"x": int64(1), "password": domain.NewSecret("hunter2"), "is_sso": true,
		"prompt_data": map[string]any{"name": "Ada", "api_key": domain.NewSecret("k")},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(domain.Secret.Equal)); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
}
