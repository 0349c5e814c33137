package tests

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A rule is a line of the table of who may do what.
type rule struct {
	method, path, needs          string
	open, own, hidden, unlimited bool
	also                         string // permission that it needs, too
}

// rules reads the table, which a test of the program holds against what is
// served.
func rules(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("testdata/routes.table")
	if err != nil {
		t.Fatal(err)
	}
	var out []rule
	for line := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(parts) != 3 {
			t.Fatalf("line %q", line)
		}
		r := rule{method: parts[0], path: parts[1], needs: parts[2]}
		switch who, of, _ := strings.Cut(parts[2], ": "); who {
		case "anybody":
			r.open, r.needs = true, ""
		case "anybody, with no limited token":
			r.open, r.unlimited, r.needs = true, true, ""
		case "members", "members, of others":
			r.own, r.needs = true, of
		case "hidden":
			r.hidden, r.needs = true, of
		case "superusers":
			r.needs = ""
		}
		if r.needs == "authentik_reports.add_dataexport" || strings.HasSuffix(r.path, "/file/") {
			r.also = "authentik_events.view_event" // what is exported is looked at
		}
		out = append(out, r)
	}
	if len(out) < 300 {
		t.Fatalf("%d rules", len(out))
	}
	return out
}

// A rank is somebody who calls, and what they may.
type rank struct {
	name   string
	client *client
	user   bool // is logged in, and not limited
	scoped bool // has a limited token
	super  bool
	has    map[string]bool
}

// may tells what the table says.
func (k rank) may(r rule) bool {
	if r.unlimited && k.scoped || r.also != "" && !k.super && !k.has[r.also] {
		return false
	}
	return r.open || k.super || r.own && k.user || r.needs != "" && k.has[r.needs]
}

// Refusals that are none of the table's: everybody gets them.
func refusedToAll(r rule) bool {
	return strings.HasPrefix(r.path, "events/events/{key}/") && r.method != http.MethodGet
}

// try calls a rule's path about something that does not exist, and compares
// who is refused with the table.
func (k rank) try(r rule) error {
	path := "/api/v3/" + r.path
	for _, key := range []string{"{key}", "{id}", "{slug}", "{operation}"} {
		path = strings.ReplaceAll(path, key, "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10")
	}
	if r.path == "ledger/stream/" {
		path += "?after=nowhere" // one that began would not end
	}
	var body any
	if r.method != http.MethodGet && r.method != http.MethodDelete {
		body = object{}
	}
	got, err := k.client.send(r.method, path, body)
	if err != nil {
		return err
	}
	refused := got.status == http.StatusForbidden
	if r.hidden {
		refused = got.status == http.StatusNotFound
		if k.may(r) {
			return nil // there is nothing to see, whoever asks
		}
	}
	switch {
	case got.status >= 500 || got.status == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s: %s %s: %d %s", k.name, r.method, r.path, got.status, got.body)
	case refusedToAll(r):
		if !refused {
			return fmt.Errorf("%s: %s %s: %d, want a refusal", k.name, r.method, r.path, got.status)
		}
	case refused == k.may(r):
		return fmt.Errorf("%s: %s %s: %d %.200s; may: %v", k.name, r.method, r.path, got.status, got.body, k.may(r))
	}
	return nil
}

// tryAll tries many rules, a few at a time.
func (k rank) tryAll(t *testing.T, rules []rule) {
	t.Helper()
	var wait sync.WaitGroup
	next := make(chan rule)
	for range 4 {
		wait.Go(func() {
			for r := range next {
				if err := k.try(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, r := range rules {
		next <- r
	}
	close(next)
	wait.Wait()
}

// holder makes a user and a token of theirs, and returns the key of the user
// with a client that has the token.
func holder(t *testing.T, s *server, name string, more object) (float64, *client) {
	t.Helper()
	in := object{"username": name, "name": name}
	for key, value := range more {
		in[key] = value
	}
	u := must(s.admin(t).must(t, 201, http.MethodPost, "/api/v3/core/users/", in).object())(t)
	pk := u["pk"].(float64)
	return pk, bearing(t, s, object{"identifier": "matrix-" + name, "user": pk, "intent": "api", "expiring": false})
}

// bearing makes a token and returns a client that has it.
func bearing(t *testing.T, s *server, token object) *client {
	t.Helper()
	made := must(s.admin(t).must(t, 201, http.MethodPost, "/api/v3/core/tokens/", token).object())(t)
	c := s.browser()
	c.bearer, c.cookies = made.text("key"), nil
	return c
}

// must takes a value that came without an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// withheld is what auditors do not see, for it would let them in, or is a key of
// something else.
var withheld = map[string]bool{
	"authentik_blueprints.view_blueprintinstance": true, "authentik_core.view_token_key": true, "authentik_events.view_notification": true,
	"authentik_events.view_notificationtransport": true, "authentik_reports.view_dataexport": true,
	"authentik_stages_invitation.view_invitation": true,
}

// TestMatrix tries each method of each path as a stranger, as an ordinary user,
// as an auditor, with limited tokens and as a superuser: nobody gets more than
// the table says, and nobody less.
func TestMatrix(t *testing.T) {
	s := startPlain(t)
	s.ship(t, "auditor")
	all := rules(t)
	admin := s.admin(t)
	roles := must(admin.must(t, 200, http.MethodGet, "/api/v3/rbac/roles/?name=Auditor", nil).object())(t)
	auditor, _ := at(map[string]any(roles), "results.0.pk").(string)
	audits := map[string]bool{}
	for page := 1; page > 0; {
		list := must(admin.must(t, 200, http.MethodGet, fmt.Sprintf("/api/v3/rbac/permissions/?page_size=100&page=%d&role=%s", page, auditor), nil).object())(t)
		for _, p := range list["results"].([]any) {
			p := object(p.(map[string]any))
			audits[p.text("app_label")+"."+p.text("codename")] = true
		}
		page = int(at(map[string]any(list), "pagination.next").(float64))
	}
	if auditor == "" || len(audits) < 30 {
		t.Fatalf("role %q with %d permissions", auditor, len(audits))
	}
	for p := range audits {
		if strings.Contains(p, ".change_") || strings.Contains(p, ".add_") || strings.Contains(p, ".delete_") || strings.Contains(p, "_key") {
			t.Errorf("an auditor has %s", p)
		}
	}
	for _, r := range all {
		if r.method == http.MethodGet && strings.Contains(r.needs, ".view_") && !audits[r.needs] && !withheld[r.needs] {
			t.Errorf("an auditor does not see %s", r.path)
		}
	}
	_, ordinary := holder(t, s, "ordinary", nil)
	_, auditing := holder(t, s, "auditing", object{"roles": []string{auditor}})
	scope := []string{"authentik_core.view_user", "authentik_core.view_token", "authentik_events.view_event", "authentik_flows.add_flow"}
	limited := map[string]bool{}
	for _, p := range scope {
		limited[p] = true
	}
	ownerless := object{"identifier": "matrix-limited", "intent": "api", "expiring": false, "scope": scope}
	poor, _ := holder(t, s, "poor", nil)
	beyond := object{"identifier": "matrix-beyond", "user": poor, "intent": "api", "expiring": false, "scope": scope}
	root := s.browser()
	root.bearer, root.cookies = adminToken, nil
	for _, k := range []rank{
		{name: "a stranger", client: s.browser()},
		{name: "an ordinary user", client: ordinary, user: true},
		{name: "an auditor", client: auditing, user: true, has: audits},
		{name: "a limited token of a superuser", client: bearing(t, s, ownerless), scoped: true, has: limited},
		{name: "a limited token of an ordinary user", client: bearing(t, s, beyond), scoped: true},
		{name: "a superuser", client: root, user: true, super: true},
	} {
		t.Run(k.name, func(t *testing.T) { k.tryAll(t, all) })
	}
	t.Run("one permission", func(t *testing.T) { onePermission(t, s, all) })
	t.Run("own things", func(t *testing.T) { ownThings(t, ordinary) })
}

// onePermission gives somebody one permission after the other: with each they
// may what it is for, and nothing else of what it is beside.
func onePermission(t *testing.T, s *server, all []rule) {
	admin := s.admin(t)
	made := must(admin.must(t, 201, http.MethodPost, "/api/v3/rbac/roles/", object{"name": "one permission"}).object())(t)
	assigned := "/api/v3/rbac/permissions/assigned_by_roles/" + made.text("pk")
	_, one := holder(t, s, "one", object{"roles": []string{made.text("pk")}})
	tried := map[string]bool{}
	for _, r := range all {
		if r.needs == "" || tried[r.needs] {
			continue
		}
		tried[r.needs] = true
		admin.must(t, 200, http.MethodPost, assigned+"/assign/", object{"permissions": []string{r.needs}})
		k := rank{name: "somebody with " + r.needs, client: one, user: true, has: map[string]bool{r.needs: true}}
		app, _, _ := strings.Cut(r.needs, ".")
		k.tryAll(t, slices.DeleteFunc(slices.Clone(all), func(other rule) bool { return !strings.HasPrefix(other.needs, app+".") }))
		admin.must(t, 204, http.MethodPatch, assigned+"/unassign/", object{"permissions": []string{r.needs}})
	}
	if len(tried) < 100 {
		t.Errorf("tried %d permissions", len(tried))
	}
}

// ownThings shows that what everybody may list holds their own only.
func ownThings(t *testing.T, ordinary *client) {
	for path, own := range map[string]float64{
		"core/tokens/": 1, "core/authenticated_sessions/": 0, "core/user_consent/": 0, "events/notifications/": 0,
	} {
		list := must(ordinary.must(t, 200, http.MethodGet, "/api/v3/"+path, nil).object())(t)
		if got := at(map[string]any(list), "pagination.count"); got != own {
			t.Errorf("%s: an ordinary user sees %v, want %v", path, got, own)
		}
	}
}
