package tests

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const nodeDenied = `version: 1
metadata: {name: node denied}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: node-denied}
    attrs: {name: node denied, title: Denied, designation: authentication, authentication: none, denied_action: message}
  - model: authentik_policies_expression.expressionpolicy
    id: refuse
    identifiers: {name: node-denied-no}
    attrs:
      expression: |
        ak_message("Not today.")
        return False
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf flow, policy: !KeyOf refuse, order: 0}
`

// proxied stands before the server, and compares what the client is answered
// with the contract.
func proxied(t *testing.T, s *server) string {
	t.Helper()
	to, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		Transport: checked(t, http.DefaultTransport),
	})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// TestNodeClient drives the server with authentik's own client for Node, as it
// is published.
func TestNodeClient(t *testing.T) {
	nodeClient(t, func() *server { return startPlain(t, nodeDenied) })
}

// TestClusterNodeClient is [TestNodeClient] with two nodes in turn.
func TestClusterNodeClient(t *testing.T) {
	var c *cluster
	nodeClient(t, func() *server {
		c = startCluster(t, startPostgres(t), 2)
		c.front.admin(t).mustImport(t, nodeDenied)
		return c.front
	}, "SEVERAL_NODES=yes")
	c.balancer.check(t)
}

// nodeClient runs all scenarios of authentik's client, or skips without it.
func nodeClient(t *testing.T, start func() *server, more ...string) {
	t.Helper()
	blueprint := shared(t, "blueprints", "flow-default-authentication-flow.yaml")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node")
	}
	if _, err := os.Stat(filepath.Join("node", "node_modules", "@goauthentik", "api")); err != nil {
		t.Skip("needs authentik's client: npm ci in tests/node")
	}
	s := start()
	environment := append(environment(),
		"BASE="+proxied(t, s), "TOKEN="+adminToken, "USERNAME=akadmin", "PASSWORD="+adminPassword, "BLUEPRINT="+blueprint)
	environment = append(environment, more...)
	for _, scenario := range []string{
		"imports", // first: the others use what it imports
		"login", "next", "unknown user", "wrong password", "denied flow", "stale component", "unknown flow", "empty answers",
		"policies", "stages", "invitations", "prompts", "consents",
		"resources",
	} {
		t.Run(strings.ReplaceAll(scenario, " ", "-"), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), node, "scenarios.mjs", scenario)
			cmd.Dir, cmd.Env = "node", environment
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}
