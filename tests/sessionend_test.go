package tests

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSessionEnd leaves an application: whoever is still logged in is told so,
// and where to go from here.
func TestSessionEnd(t *testing.T) {
	const slug = "default-provider-invalidation-flow"
	document := sharedBlueprint(t, "flow-default-provider-invalidation")
	s := start(t)
	s.admin(t).mustImport(t, document)
	leaving := `plan["application"] = {"name": "Grafana", "slug": "grafana", "meta_launch_url": "https://grafana.example.org"}`
	s.admin(t).mustImport(t, comingFrom(slug, leaving))
	c := s.administrator(t)
	ch := c.viaElsewhere(t, slug)
	wants(t, ch, "ak-stage-session-end")
	if got := at(ch, "flow_info.title"); got != "You've logged out of Grafana." {
		t.Errorf("the title is %v", got)
	}
	for field, want := range map[string]string{
		"application_name": "Grafana", "application_launch_url": "https://grafana.example.org", "pending_user": "akadmin",
		"invalidation_flow_url": "/if/flow/default-invalidation-flow/", "overview_url": "/if/user/", "brand_name": "flowledger",
	} {
		if ch.text(field) != want {
			t.Errorf("%s: got %q, want %q", field, ch.text(field), want)
		}
	}
	page, err := c.follow(http.MethodGet, "/if/flow/"+slug+"/", nil)
	if err != nil || !strings.Contains(string(page.body), "You have left Grafana.") ||
		!strings.Contains(string(page.body), `href="/if/flow/default-invalidation-flow/"`) {
		t.Errorf("the page: %v, %s", err, page.body)
	}
	// There is no answer to it: it stays, and so does the login.
	again, err := c.respond(slug, object{"component": "ak-stage-session-end"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ch, again); diff != "" {
		t.Errorf("answered (-before +after):\n%s", diff)
	}
	if at(c.me(t), "username") != "akadmin" {
		t.Error("a flow without stages has logged somebody out")
	}
	// A stranger, and whoever the flow itself logs out, has nothing to choose.
	nowhere := func(c *client, slug string) {
		t.Helper()
		if ch := c.viaElsewhere(t, slug); ch.text("component") != "xak-flow-redirect" || ch.text("to") != "/" {
			t.Errorf("%s ends with %v", slug, ch)
		}
	}
	nowhere(s.visitor(t), slug)
	s.admin(t).mustImport(t, comingFrom("default-invalidation-flow", leaving))
	nowhere(c, "default-invalidation-flow")
	if a := c.must(t, http.StatusForbidden, http.MethodGet, "/api/v3/core/users/me/", nil); a.status != http.StatusForbidden {
		t.Error("somebody is logged in still")
	}
}
