package adminapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

// openToMembers and openToAll are the paths that are not for superusers only.
var (
	openToMembers = []string{
		"core/users/me/", "core/authenticated_sessions/", "core/authenticated_sessions/{key}/",
		"core/authenticated_sessions/{key}/used_by/", "stages/all/user_settings/",
		"events/notifications/", "events/notifications/{key}/", "events/notifications/{key}/used_by/", "events/notifications/mark_all_seen/",
		"core/user_consent/", "core/user_consent/{key}/", "core/user_consent/{key}/used_by/",
		"core/tokens/", "core/tokens/{key}/", "core/tokens/{key}/used_by/",
	}
	hidden    = []string{"flows/inspector/{key}/"} // from all but superusers: they are told that there is nothing
	openToAll = []string{"root/config/", "core/brands/current/", "policies/geoip_iso3166/"}
)

// TestAccess tries every path that is mounted, with every method, as a
// stranger and as an ordinary user.
func TestAccess(t *testing.T) {
	b := newBench(t)
	tried := 0
	err := b.router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		if err != nil {
			return err
		}
		path := strings.TrimPrefix(template, "/api/v3/")
		public, own := contains(openToAll, path), contains(openToMembers, path)
		address := strings.ReplaceAll(path, "{key}", "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10")
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			tried++
			if contains(hidden, path) {
				for _, as := range []string{stranger, member} {
					if got := b.do(as, method, address, nil); got.status != 404 {
						t.Errorf("%q: %s %s: %d %s", as, method, path, got.status, got.text)
					}
				}
				continue
			}
			if got := b.do(stranger, method, address, nil); (got.status == 403) == public {
				t.Errorf("a stranger: %s %s: %d %s", method, path, got.status, got.text)
			}
			if got := b.do(member, method, address, nil); (got.status == 403) == (public || own) {
				t.Errorf("an ordinary user: %s %s: %d %s", method, path, got.status, got.text)
			}
		}
		return nil
	})
	if err != nil || tried < 200 {
		t.Errorf("tried %d requests: %v", tried, err)
	}
	if len(b.imported) > 0 {
		t.Errorf("imported: %q", b.imported)
	}
}

func contains(list []string, text string) bool {
	for _, item := range list {
		if item == text {
			return true
		}
	}
	return false
}

func TestRefusalsInWords(t *testing.T) {
	b := newBench(t)
	want := func(got reply, status int, detail string) {
		t.Helper()
		if got.status != status || got.str("detail") != detail {
			t.Errorf("got %d %s, want %d %q", got.status, got.text, status, detail)
		}
	}
	want(b.do(stranger, http.MethodGet, "flows/instances/", nil), 403, "Authentication credentials were not provided.")
	want(b.do(member, http.MethodGet, "flows/instances/", nil), 403, "You do not have permission to perform this action.")
	want(b.do(admin, http.MethodGet, "flows/instances/x/", nil), 404, "No Flow matches the given query.")
	want(b.do(admin, http.MethodGet, "stages/dummy/not-a-uuid/", nil), 404, "No Dummy Stage matches the given query.")
	want(b.do(admin, http.MethodPatch, "stages/all/", nil), 405, `Method "PATCH" not allowed.`)
	want(b.do(admin, http.MethodGet, "no/such/thing/", nil), 404, "Not found.")
	want(b.do(admin, http.MethodGet, "flows/instances/?page=9", nil), 404, "Invalid page.")
	if got := b.do(admin, http.MethodPatch, "stages/all/", nil).header.Get("Allow"); got != "GET" {
		t.Errorf("allowed: %q", got)
	}
	b.broken = domain.Errorf(domain.Unauthenticated, "Token invalid/expired")
	want(b.do(admin, http.MethodGet, "flows/instances/", nil), 403, "Token invalid/expired")
	b.broken = domain.Errorf(domain.Busy, "Try again.")
	got := b.do(admin, http.MethodGet, "flows/instances/", nil)
	want(got, 503, "Try again.")
	if got.header.Get("Retry-After") == "" {
		t.Error("a busy server does not say when to come again")
	}
}

// A browser's page must prove that it is ours; a token is proof enough.
func TestForgery(t *testing.T) {
	b := newBench(t)
	body := `{"name":"f","slug":"f","title":"f","designation":"recovery"}`
	send := func(as, proof string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v3/flows/instances/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		r.Header.Set("X-As", as)
		r.Header.Set("X-Authentik-CSRF", proof)
		return b.send(r).status
	}
	if got := send(browser, ""); got != 403 {
		t.Errorf("without a proof: %d", got)
	}
	if got := send(browser, "good"); got != 201 {
		t.Errorf("with a proof: %d", got)
	}
	b.want(204, http.MethodDelete, "flows/instances/f/", nil)
	if got := send(admin, ""); got != 201 {
		t.Errorf("with a token: %d", got)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v3/flows/instances/", nil)
	r.Header.Set("X-As", browser)
	if got := b.send(r).status; got != 200 {
		t.Errorf("reading without a proof: %d", got)
	}
}

func TestBodies(t *testing.T) {
	b := newBench(t)
	tests := map[string]struct {
		kind, body string
		status     int
		want       string
	}{
		"a form":           {"application/x-www-form-urlencoded", "a=b", 415, `Unsupported media type \"application/x-www-form-urlencoded\"`},
		"no type":          {"", "{}", 415, "Unsupported media type"},
		"no JSON":          {"application/json", "{", 400, `{"detail":"JSON parse error - `},
		"two values":       {"application/json", "{} {}", 400, `{"detail":"JSON parse error - `},
		"not UTF-8":        {"application/json", "{\"name\":\"\xff\"}", 400, "not UTF-8"},
		"a list":           {"application/json", "[]", 400, `{"non_field_errors":["Invalid data. Expected a dictionary."]}`},
		"null":             {"application/json", "null", 400, `{"non_field_errors":["Invalid data. Expected a dictionary."]}`},
		"too much":         {"application/json", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, `{"detail":"The request body is larger than 1048576 bytes."}`},
		"too deep":         {"application/json", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), 400, "JSON parse error"},
		"a deep attribute": {"application/json", `{"name":"g","attributes":{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}}`, 400, "nested deeper"},
		"nothing":          {"", "", 400, `{"name":["This field is required."]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b.t = t
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v3/core/groups/", strings.NewReader(tt.body))
			r.Header.Set("X-As", admin)
			if tt.kind != "" {
				r.Header.Set("Content-Type", tt.kind)
			}
			if got := b.send(r); got.status != tt.status || !strings.Contains(got.text, tt.want) {
				t.Errorf("got %d %.300s, want %d %s", got.status, got.text, tt.status, tt.want)
			}
		})
	}
}

// panicking is a reader that fails in the worst way.
type panicking struct{ adminapi.Things }

func (panicking) FlowBySlug(string) (object.Thing, bool) { panic("boom: in a flow") }

// What goes wrong with us is logged with the request, and not told.
func TestInternalErrors(t *testing.T) {
	b := newBench(t)
	wait := b.server.Wait
	b.server.Wait = func(context.Context) error { return errors.New("inner detail") }
	got := b.want(500, http.MethodPost, "core/groups/", fields{"name": "g"})
	b.server.Wait, b.server.Things = wait, panicking{}
	panicked := b.want(500, http.MethodGet, "flows/instances/x/", nil)
	for _, r := range []reply{got, panicked} {
		if r.text != `{"detail":"Internal error."}` {
			t.Errorf("got %s", r.text)
		}
	}
	log := b.log.String()
	if strings.Count(log, "request=r1") != 2 || !strings.Contains(log, "inner detail") || !strings.Contains(log, "boom: in a flow") {
		t.Errorf("log: %s", log)
	}
}

// Who did something elsewhere, such as logging in, sees it in the next answer.
func TestReadsWait(t *testing.T) {
	b := newBench(t)
	waited := 0
	b.server.Wait = func(context.Context) error { waited++; return nil }
	b.want(200, http.MethodGet, "core/users/me/", nil)
	b.want(200, http.MethodGet, "core/authenticated_sessions/", nil)
	if waited != 2 {
		t.Errorf("two reads waited %d times", waited)
	}
}
