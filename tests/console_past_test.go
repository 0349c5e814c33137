package tests

import (
	"net/http"
	"testing"
)

// lively is a blueprint of a flow in which policies have a say: one stage is
// left to an expression, one is skipped, one is for a policy that errs; and of
// a flow that lets nobody in.
const lively = `version: 1
metadata: {name: lively}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: lively}
    attrs: {name: Lively, title: Lively, designation: stage_configuration, authentication: none}
  - model: authentik_flows.flow
    id: closed
    identifiers: {slug: closed}
    attrs: {name: Closed, title: Closed, designation: stage_configuration, authentication: none}
  - model: authentik_stages_dummy.dummystage
    id: first
    identifiers: {name: lively-first}
  - model: authentik_stages_dummy.dummystage
    id: second
    identifiers: {name: lively-second}
  - model: authentik_stages_dummy.dummystage
    id: third
    identifiers: {name: lively-third}
  - model: authentik_flows.flowstagebinding
    id: one
    identifiers: {target: !KeyOf flow, stage: !KeyOf first, order: 10}
    attrs: {re_evaluate_policies: true}
  - model: authentik_flows.flowstagebinding
    id: two
    identifiers: {target: !KeyOf flow, stage: !KeyOf second, order: 20}
    attrs: {re_evaluate_policies: true, policy_engine_mode: all}
  - model: authentik_flows.flowstagebinding
    id: three
    identifiers: {target: !KeyOf flow, stage: !KeyOf third, order: 30}
    attrs: {re_evaluate_policies: true}
  - model: authentik_policies_expression.expressionpolicy
    id: from-outside
    identifiers: {name: lively-from-outside}
    attrs:
      expression: |
        address = request.http_request.META.get("REMOTE_ADDR", "")
        outside = not str(ak_client_ip).startswith("10.")
        return outside
  - model: authentik_policies_expression.expressionpolicy
    id: never
    identifiers: {name: lively-never}
    attrs:
      expression: |
        ak_message("Not today.")
        return False
  - model: authentik_policies_expression.expressionpolicy
    id: faulty
    identifiers: {name: lively-faulty}
    attrs: {expression: "return 1 / 0"}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf one, policy: !KeyOf from-outside, order: 0}
    attrs: {negate: false}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf two, policy: !KeyOf from-outside, order: 0}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf two, policy: !KeyOf never, order: 10}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf three, policy: !KeyOf faulty, order: 0}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf closed, policy: !KeyOf never, order: 0}
`

// livelyPast has a server lived with: people log in and fail to, from several
// places, flows are denied, left and changed, and somebody is erased.
func livelyPast(t *testing.T, s *server) {
	t.Helper()
	admin := s.admin(t)
	admin.mustImport(t, lively)
	admin.mustImport(t, cheapLogin("people", 3))
	visit := func(agent, from string) *client {
		c := s.visitor(t)
		c.agent, c.from = agent, from
		return c
	}
	const (
		firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
		phone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
	)
	try := func(c *client, slug, name, password string) {
		t.Helper()
		if _, err := c.login(slug, name, password); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"people-0", "people-1", "people-2", "people-0"} {
		c := visit([]string{firefox, phone}[i%2], []string{"203.0.113.7", "198.51.100.9", "2001:db8::7"}[i%3])
		try(c, "people-login", name, "wrong")
		try(c, "people-login", name, cheapPassword)
	}
	guesser := visit(phone, "192.0.2.66")
	for _, name := range []string{"root", "admin", "people-0"} {
		try(guesser, "people-login", name, "guess")
	}
	for _, from := range []string{"203.0.113.7", "10.1.2.3"} {
		c := visit(firefox, from)
		ch, err := c.challenge("lively")
		for err == nil && ch.text("component") == "ak-stage-dummy" {
			ch, err = c.respond("lively", object{"component": "ak-stage-dummy"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, slug := range []string{"closed", "lively"} { // denied, and left alone
		if _, err := visit(firefox, "198.51.100.9").challenge(slug); err != nil {
			t.Fatal(err)
		}
	}
	never := at(admin.take(t, http.StatusOK, http.MethodGet, "/api/v3/policies/expression/?name=lively-never", nil), "results.0.pk").(string)
	admin.take(t, http.StatusOK, http.MethodPatch, "/api/v3/policies/expression/"+never+"/",
		object{"expression": "ak_message(\"Not today, and not tomorrow.\")\nreturn False\n"})
	gone := at(admin.take(t, http.StatusOK, http.MethodGet, "/api/v3/core/users/?username=people-2", nil), "results.0.pk").(float64)
	admin.must(t, http.StatusNoContent, http.MethodDelete, "/api/v3/core/users/"+number(gone)+"/", nil)
}
