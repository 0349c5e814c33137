package tests

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sharedBlueprint reads one of the blueprints that authentik publishes.
func sharedBlueprint(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../shared/blueprints", name+".yaml"))
	if os.IsNotExist(err) {
		t.Skip("needs ../shared/blueprints")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// comingFrom is a blueprint of a flow that leads to another one, with what an
// expression puts into the context: as a source or an application does.
func comingFrom(flow, expression string) string {
	return `version: 1
metadata: {name: coming from elsewhere}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: elsewhere}
    attrs: {name: elsewhere, title: Elsewhere, designation: stage_configuration, authentication: none}
  - model: authentik_stages_redirect.redirectstage
    id: redirect
    identifiers: {name: elsewhere}
    attrs: {mode: flow, keep_context: true, target_flow: !Find [authentik_flows.flow, [slug, ` + flow + `]]}
  - model: authentik_flows.flowstagebinding
    id: binding
    identifiers: {target: !KeyOf flow, stage: !KeyOf redirect, order: 0}
    attrs: {re_evaluate_policies: true}
  - model: authentik_policies_expression.expressionpolicy
    id: policy
    identifiers: {name: elsewhere}
    attrs:
      expression: |
        plan = context["flow_plan"].context
        ` + strings.ReplaceAll(expression, "\n", "\n        ") + `
        return True
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf binding, policy: !KeyOf policy, order: 0}
`
}

// viaElsewhere goes to a flow by way of elsewhere.
func (c *client) viaElsewhere(tb testing.TB, slug string) object {
	tb.Helper()
	ch := c.walk(tb, "elsewhere")
	wants(tb, ch, "xak-flow-redirect")
	if again := c.walk(tb, "elsewhere"); again.text("to") != ch.text("to") {
		tb.Errorf("asked again, elsewhere leads to %q, not to %q", again.text("to"), ch.text("to"))
	}
	c.goOn(tb, "elsewhere", ch, move{"xak-flow-redirect", object{"to": ch["to"]}}) // the next time begins anew
	if !strings.HasPrefix(ch.text("to"), "/if/flow/"+slug+"/") {
		tb.Fatalf("elsewhere leads to %q", ch.text("to"))
	}
	_, query, _ := strings.Cut(ch.text("to"), "?")
	ch, err := c.asked(c.follow(http.MethodGet, "/api/v3/flows/executor/"+slug+"/?query="+url.QueryEscape(query), nil))
	if err != nil {
		tb.Fatal(err)
	}
	return ch
}

// ends checks that a flow was gone through, and leads to the front page.
func ends(tb testing.TB, ch object) {
	tb.Helper()
	wants(tb, ch, "xak-flow-redirect")
	if ch.text("to") != "/" || ch["final_redirect"] != true {
		tb.Fatalf("it ends with %v", ch)
	}
}

// administrator is a browser in which akadmin is logged in.
func (s *server) administrator(tb testing.TB) *client {
	tb.Helper()
	c := s.visitor(tb)
	if _, err := c.login("default-authentication-flow", "akadmin", adminPassword); err != nil {
		tb.Fatal(err)
	}
	return c
}

// TestPublished applies authentik's own blueprints, as they are, to a server
// that has just been set up, and goes through their flows.
func TestPublished(t *testing.T) {
	for name, drive := range map[string]func(t *testing.T, s *server){
		"flow-password-change":            publishedPassword,
		"flow-default-user-settings-flow": publishedSettings,
		"flows-enrollment-2-stage": func(t *testing.T, s *server) {
			c := s.visitor(t)
			ends(t, c.walk(t, "default-enrollment-flow",
				move{"ak-stage-prompt", object{"username": "ada", "password": firstPassword, "password_repeat": firstPassword}},
				move{"ak-stage-prompt", object{"name": "Ada", "email": "ada@example.test"}}))
			if me := c.me(t); at(me, "username") != "ada" || at(me, "email") != "ada@example.test" {
				t.Errorf("the newcomer is %v", me)
			}
		},
		"flow-default-source-authentication": publishedSourceLogin,
		"flow-default-source-enrollment":     publishedSourceEnrollment,
		"flow-default-source-pre-authentication": func(t *testing.T, s *server) {
			ends(t, s.visitor(t).walk(t, "default-source-pre-authentication"))
		},
		"flow-default-provider-authorization-implicit-consent": func(t *testing.T, s *server) {
			wants(t, s.visitor(t).walk(t, "default-provider-authorization-implicit-consent"), "ak-stage-access-denied")
			ends(t, s.administrator(t).walk(t, "default-provider-authorization-implicit-consent"))
		},
		"flow-default-provider-authorization-explicit-consent": explicitConsent,
		"flow-default-provider-invalidation": func(t *testing.T, s *server) {
			c := s.administrator(t)
			ends(t, c.walk(t, "default-provider-invalidation-flow"))
			if c.me(t) == nil {
				t.Error("a flow without stages has logged somebody out")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			document := sharedBlueprint(t, name)
			s := start(t, "--bootstrap-email", bootstrapEmail)
			s.admin(t).mustImport(t, document)
			drive(t, s)
		})
	}
}

// publishedPassword changes a password: the present one is ours to ask for, the rest is theirs.
func publishedPassword(t *testing.T, s *server) {
	c := s.administrator(t)
	again := object{"password": secondPassword, "password_repeat": secondPassword}
	ch := c.walk(t, "default-password-change", move{"ak-stage-password", object{"password": adminPassword}})
	if at(ch, "fields.0.label") != "Password" || at(ch, "flow_info.title") != "Change password" {
		t.Errorf("the form is not the published one: %v", ch)
	}
	ch = c.goOn(t, "default-password-change", ch, move{"ak-stage-prompt", object{"password": "a", "password_repeat": "a"}})
	rejects(t, ch, "ak-stage-prompt", "Password needs to be 8 characters or longer.")
	ends(t, c.goOn(t, "default-password-change", ch, move{"ak-stage-prompt", again}))
	if got, err := s.visitor(t).login("default-authentication-flow", "akadmin", secondPassword); err != nil || got.text("component") != "xak-flow-redirect" {
		t.Errorf("with the new password: %v, %v", got, err)
	}
}

// publishedSettings changes the name, and nothing that an administrator has to allow.
func publishedSettings(t *testing.T, s *server) {
	c := s.administrator(t)
	typed := object{"username": "other", "name": "Root", "email": "", "attributes.settings.locale": "en"}
	ch := c.walk(t, "default-user-settings-flow")
	if got := at(ch, "fields.0.initial_value"); got != "akadmin" {
		t.Errorf("the user name begins with %v", got)
	}
	typed["email"] = "root@example.test"
	rejects(t, c.goOn(t, "default-user-settings-flow", ch, move{"ak-stage-prompt", typed}), "ak-stage-prompt", "Not allowed to change email address.")
	typed["email"] = bootstrapEmail
	rejects(t, c.walk(t, "default-user-settings-flow", move{"ak-stage-prompt", typed}), "ak-stage-prompt", "Not allowed to change username.")
	typed["username"] = "akadmin"
	ends(t, c.walk(t, "default-user-settings-flow", move{"ak-stage-prompt", typed}))
	if got := at(c.me(t), "name"); got != "Root" {
		t.Errorf("the name is %v", got)
	}
}

// publishedSourceLogin lets in whom a source knows, and nobody else.
func publishedSourceLogin(t *testing.T, s *server) {
	c := s.visitor(t)
	wants(t, c.walk(t, "default-source-authentication"), "ak-stage-access-denied")
	s.admin(t).mustImport(t, comingFrom("default-source-authentication",
		"plan[\"is_sso\"] = True\nplan[\"pending_user\"] = ak_user_by(username=\"akadmin\")"))
	ends(t, c.viaElsewhere(t, "default-source-authentication"))
	if got := at(c.me(t), "username"); got != "akadmin" {
		t.Errorf("the source has logged in %v", got)
	}
}

// publishedSourceEnrollment makes a user of whom a source brings, with or without a name.
func publishedSourceEnrollment(t *testing.T, s *server) {
	c := s.visitor(t)
	wants(t, c.walk(t, "default-source-enrollment"), "ak-stage-access-denied")
	s.admin(t).mustImport(t, comingFrom("default-source-enrollment", `plan["is_sso"] = True`))
	ch := c.viaElsewhere(t, "default-source-enrollment")
	ends(t, c.goOn(t, "default-source-enrollment", ch, move{"ak-stage-prompt", object{"username": "ada"}}))
	if got := at(c.me(t), "username"); got != "ada" {
		t.Errorf("the source has brought %v", got)
	}
	s.admin(t).mustImport(t, comingFrom("default-source-enrollment",
		"plan[\"is_sso\"] = True\nplan[\"prompt_data\"] = {\"username\": \"grace\", \"name\": \"Grace\"}"))
	known := s.visitor(t)
	ends(t, known.viaElsewhere(t, "default-source-enrollment"))
	if got := at(known.me(t), "username"); got != "grace" {
		t.Errorf("the source has brought %v", got)
	}
}

const bootstrapEmail = "akadmin@example.test"

// explicitConsent asks each person once for each application.
func explicitConsent(t *testing.T, s *server) {
	const slug = "default-provider-authorization-explicit-consent"
	wants(t, s.visitor(t).walk(t, slug), "ak-stage-access-denied")
	s.admin(t).mustImport(t, comingFrom(slug,
		`plan["application"] = {"pk": "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10", "name": "Example", "slug": "example"}`))
	c := s.administrator(t)
	ch := c.viaElsewhere(t, slug)
	if got := at(ch, "flow_info.title"); got != "Redirecting to Example" {
		t.Errorf("the title is %v", got)
	}
	ends(t, c.goOn(t, slug, ch, move{"ak-stage-consent", nil}))
	ends(t, c.viaElsewhere(t, slug))
}

// TestPublishedSetup: authentik's flow of the first start takes the place of
// ours, and the printed link leads through it, once.
func TestPublishedSetup(t *testing.T) {
	document := sharedBlueprint(t, "flow-oobe")
	s := startBare(t)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.seed(t, document)
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	const slug = "initial-setup"
	links := regexp.MustCompile(slug+`/\?flow_token=(\w+)`).FindAllStringSubmatch(s.log.String(), -1)
	if len(links) != 2 {
		t.Fatalf("%d links are printed", len(links))
	}
	wants(t, s.visitor(t).walk(t, slug), "ak-stage-access-denied")
	c := s.visitor(t)
	query := "?query=" + url.QueryEscape("flow_token="+links[1][1])
	ch, err := c.asked(c.follow(http.MethodGet, "/api/v3/flows/executor/"+slug+"/"+query, nil))
	if err != nil {
		t.Fatal(err)
	}
	typed := object{"email": "root@example.test", "base_url": "nonsense", "password": firstPassword, "password_repeat": firstPassword}
	ch = c.goOn(t, slug, ch, move{"ak-stage-prompt", typed})
	rejects(t, ch, "ak-stage-prompt", "Enter a valid URL, for example https://authentik.company")
	typed["base_url"] = "https://login.example.test"
	ends(t, c.goOn(t, slug, ch, move{"ak-stage-prompt", typed}))
	if me := c.me(t); at(me, "username") != "akadmin" || at(me, "email") != "root@example.test" {
		t.Errorf("the set-up has logged in %v", me)
	}
	wants(t, s.visitor(t).walk(t, slug), "ak-stage-access-denied")
}
