package token_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/token"
)

func TestShape(t *testing.T) {
	kind, ok := catalog.Lookup(token.Model)
	if !ok {
		t.Fatal("tokens are no kind")
	}
	for name, tt := range map[string]struct {
		given map[string]any
		want  catalog.Problems
	}{
		"a token":              {map[string]any{"key": "0123456789-a-good-key", "scope": []any{"authentik_core.view_token"}}, nil},
		"a weak key":           {map[string]any{"key": "weak"}, catalog.Problems{"key": {"A key needs at least 20 characters."}}},
		"an unknown scope":     {map[string]any{"scope": []any{"a.b"}}, catalog.Problems{"scope": {`There is no permission "a.b".`}}},
		"a password with one":  {map[string]any{"intent": "app_password", "scope": []any{"authentik_core.view_token"}}, catalog.Problems{"scope": {token.UnlimitedPassword}}},
		"a password":           {map[string]any{"intent": "app_password"}, nil},
		"nothing said of keys": {map[string]any{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, kind.Validate(tt.given)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	if _, problems := kind.Clean(map[string]any{"identifier": "a b", "intent": "recovery"}, false); len(problems) != 3 {
		t.Errorf("problems: %v", problems)
	}
}
