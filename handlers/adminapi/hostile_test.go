package adminapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/mux"
)

// TestHostileAddresses asks every path with keys and queries that nobody
// would send by mistake. None is an error of ours.
func TestHostileAddresses(t *testing.T) {
	b := newBench(t)
	b.flow("f")
	keys := []string{"0", "-1", "99999999999999999999", "null", "a'b", "%25s", strings.Repeat("x", 3000), "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f1", "{3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10}"}
	queries := []url.Values{
		{"page": {"-1"}}, {"page": {"1e9"}}, {"page_size": {"-5"}}, {"ordering": {"----"}}, {"ordering": {",,-"}}, {"search": {"\x00"}},
		{"search": {strings.Repeat("a ", 500)}}, {"name": {"%"}}, {"target": {"\xff"}}, {"pk": {"x"}}, {"order": {"1e400"}}, {"enabled": {"2"}},
		{"policy__isnull": {"x"}}, {"attributes": {"null"}}, {"attributes": {`{"a\"b":1}`}}, {"username": {"\x00"}}, {"action": {"' OR 1=1"}},
	}
	err := b.router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		if err != nil {
			return err
		}
		path := strings.TrimPrefix(template, "/api/v3/")
		if !strings.Contains(path, "{key}") {
			for _, q := range queries {
				if got := b.do(admin, http.MethodGet, path+"?"+q.Encode(), nil); got.status >= 500 {
					t.Errorf("%s?%v: %d %s", path, q, got.status, got.text)
				}
			}
			return nil
		}
		for _, key := range keys {
			for _, method := range []string{http.MethodGet, http.MethodPatch} {
				got := b.do(admin, method, strings.ReplaceAll(path, "{key}", url.PathEscape(key)), fields{})
				if got.status != 404 && got.status != 405 && got.status != 403 && got.status != 400 {
					t.Errorf("%s %s with %.40q: %d %.200s", method, path, key, got.status, got.text)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	b.want(200, http.MethodGet, "flows/instances/f/", nil)
}

// TestHostileValues gives every field of a flow a value of every wrong type.
func TestHostileValues(t *testing.T) {
	b := newBench(t)
	b.flow("f")
	values := []any{nil, true, 1e300, []any{1}, fields{"a": fields{}}, strings.Repeat("x", 40_000)}
	for _, kind := range []struct{ path, one string }{
		{"flows/instances/", "flows/instances/f/"}, {"flows/bindings/", ""}, {"policies/bindings/", ""}, {"stages/identification/", ""},
		{"stages/prompt/stages/", ""}, {"core/brands/", ""}, {"core/users/", "core/users/2/"}, {"core/groups/", ""}, {"core/tokens/", ""},
	} {
		for _, name := range []string{
			"name", "slug", "title", "order", "target", "stage", "user", "users", "group", "groups", "fields", "user_fields", "flow_recovery",
			"is_active", "attributes", "parents", "timeout", "enabled", "identifier", "expires", "username", "email", "default", "domain",
		} {
			for _, v := range values {
				for method, path := range map[string]string{http.MethodPost: kind.path, http.MethodPatch: kind.one} {
					if path == "" {
						continue
					}
					if got := b.do(admin, method, path, fields{name: v}); got.status >= 500 {
						t.Errorf("%s %s with %s=%.30v: %d %s", method, path, name, v, got.status, got.text)
					}
				}
			}
			if kind.one == "flows/instances/f/" && name == "slug" {
				kind.one = "" // the last value was a slug, so it has another address
			}
		}
	}
}
