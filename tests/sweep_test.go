package tests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// mustServe are reading paths that clients of a login need. The others may
// answer 404 as long as nobody has built them.
var mustServe = []string{
	"/core/authenticated_sessions/",
	"/core/brands/",
	"/core/brands/current/",
	"/core/groups/",
	"/core/users/",
	"/core/users/me/",
	"/core/users/{id}/",
	"/events/events/",
	"/flows/bindings/",
	"/flows/executor/{flow_slug}/",
	"/flows/instances/",
	"/flows/instances/{slug}/",
	"/policies/all/",
	"/policies/bindings/",
	"/policies/dummy/",
	"/policies/expression/",
	"/root/config/",
	"/stages/all/",
	"/stages/identification/",
	"/stages/user_login/",
}

// TestContract asks every reading path of the contract and compares each
// answer with it; the client's transport does the comparing.
func TestContract(t *testing.T) {
	shared(t, "contract")
	c, err := published()
	if err != nil {
		t.Fatal(err)
	}
	s := startPlain(t)
	admin := s.admin(t)
	admin.mustImport(t, cheapLogin("sweep", 2))
	admin.mustImport(t, twoDummies("sweep-dummies"))
	member := s.visitor(t)
	if _, err := member.login("sweep-login", "sweep-0", cheapPassword); err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, path := range c.document.Paths.InMatchingOrder() {
		if c.document.Paths.Value(path).Get == nil {
			continue
		}
		full, ok := fill(admin, path)
		if !ok {
			continue
		}
		a, err := admin.send(http.MethodGet, "/api/v3"+full, nil)
		switch {
		case err != nil:
			t.Errorf("GET %s: %v", full, err)
		case a.status >= 500:
			t.Errorf("GET %s: %d %s", full, a.status, a.body)
		case a.status == http.StatusOK:
			served = append(served, path)
		}
	}
	for _, path := range mustServe {
		if !slices.Contains(served, path) {
			t.Errorf("%s is not served", path)
		}
	}
	slices.Sort(served)
	t.Logf("%d reading paths are served:\n%s", len(served), strings.Join(served, "\n"))
}

// identifiers are the keys that a path's parameter may stand for, the likely
// ones first.
var identifiers = []string{"pk", "slug", "uuid", "brand_uuid", "policy_uuid", "stage_uuid", "identifier"}

// fill replaces the parameter of a path by what its list has to offer.
func fill(admin *client, path string) (string, bool) {
	before, rest, ok := strings.Cut(path, "{")
	if !ok {
		return path, true
	}
	parameter, after, _ := strings.Cut(rest, "}")
	if strings.Contains(after, "{") {
		return "", false
	}
	if parameter == "flow_slug" {
		return before + "sweep-dummies" + after + "?query=", true
	}
	a, err := admin.send(http.MethodGet, "/api/v3"+before+"?page_size=1", nil)
	if err != nil || a.status != http.StatusOK {
		return "", false
	}
	list, err := a.object()
	if err != nil {
		return "", false
	}
	for _, key := range append([]string{parameter}, identifiers...) {
		switch value := at(list, "results.0."+key).(type) {
		case string:
			return before + value + after, true
		case float64:
			return before + fmt.Sprint(int64(value)) + after, true
		}
	}
	return "", false
}
