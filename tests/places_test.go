package tests

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// Addresses of the tests, by where the databases of [startPlaced] have them.
const (
	berlin      = "192.0.2.1"    // AS 64500
	berlinToo   = "192.0.2.2"    // the same network
	berlinOther = "192.0.2.200"  // another network of AS 64500
	paris       = "198.51.100.1" // AS 64501
	newYork     = "203.0.113.1"  // AS 64502
	nowhere     = "10.1.2.3"
)

// database makes a file in MaxMind's format of records by network.
func database(tb testing.TB, kind string, records map[string]mmdbtype.Map) string {
	tb.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		tb.Fatal(err)
	}
	for prefix, record := range records {
		_, network, err := net.ParseCIDR(prefix)
		if err != nil {
			tb.Fatal(err)
		}
		if err := tree.Insert(network, record); err != nil {
			tb.Fatal(err)
		}
	}
	var out bytes.Buffer
	if _, err := tree.WriteTo(&out); err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), kind+".mmdb")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// startPlaced starts a server that knows where addresses are.
func startPlaced(tb testing.TB) *server {
	tb.Helper()
	city := func(continent, country, name string, lat, long float64) mmdbtype.Map {
		return mmdbtype.Map{
			"continent": mmdbtype.Map{"code": mmdbtype.String(continent)}, "country": mmdbtype.Map{"iso_code": mmdbtype.String(country)},
			"city":     mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name)}},
			"location": mmdbtype.Map{"latitude": mmdbtype.Float64(lat), "longitude": mmdbtype.Float64(long)},
		}
	}
	system := func(number uint32) mmdbtype.Map {
		return mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(number), "autonomous_system_organization": mmdbtype.String("Example")}
	}
	cities := database(tb, "Test-City", map[string]mmdbtype.Map{
		"192.0.2.0/24": city("EU", "DE", "Berlin", 52.52, 13.405), "198.51.100.0/24": city("EU", "FR", "Paris", 48.8566, 2.3522),
		"203.0.113.0/24": city("NA", "US", "New York", 40.7128, -74.006),
	})
	systems := database(tb, "Test-ASN", map[string]mmdbtype.Map{
		"192.0.2.0/25": system(64500), "192.0.2.128/25": system(64500), "198.51.100.0/24": system(64501), "203.0.113.0/24": system(64502),
	})
	return start(tb, "--geoip-city", cities, "--geoip-asn", systems, "--trusted-proxies", "127.0.0.1/32")
}

// guarded is a blueprint of a flow of one dummy stage, on which a policy is
// bound. What is expected of attrs is YAML.
func guarded(slug, model, attrs string) string {
	return strings.NewReplacer("SLUG", slug, "MODEL", model, "ATTRS", attrs).Replace(`version: 1
metadata: {name: SLUG}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: SLUG}
    attrs: {name: SLUG, title: SLUG, designation: stage_configuration, authentication: none}
  - model: authentik_stages_dummy.dummystage
    id: dummy
    identifiers: {name: SLUG}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf dummy, order: 0}
  - model: MODEL
    id: policy
    identifiers: {name: SLUG}
    attrs: ATTRS
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf flow, policy: !KeyOf policy, order: 0}
`)
}

func TestPoliciesKnowPlaces(t *testing.T) {
	s := startPlaced(t)
	const geoip, expression = "authentik_policies_geoip.geoippolicy", "authentik_policies_expression.expressionpolicy"
	admin := s.admin(t)
	admin.mustImport(t, guarded("country", geoip, "{countries: [DE, FR]}"))
	admin.mustImport(t, guarded("network", geoip, "{countries: [], asns: [64500]}"))
	admin.mustImport(t, guarded("either", geoip, "{countries: [FR], asns: [64500]}"))
	admin.mustImport(t, guarded("expressed", expression,
		`{expression: 'return context["geoip"]["country"] == "DE" and context["asn"]["asn"] == 64500'}`))
	const country, system = "Client IP is not in an allowed country.", "Client IP is not part of an allowed autonomous system."
	for name, test := range map[string]struct {
		slug, from string
		let        bool
		says       string
	}{
		"from an allowed country":            {"country", berlin, true, ""},
		"from the other":                     {"country", paris, true, ""},
		"from one that is not":               {"country", newYork, false, country},
		"from nowhere":                       {"country", nowhere, false, "GeoIP: client IP address not found in City database."},
		"from an allowed network":            {"network", berlinOther, true, ""},
		"from a network that is not":         {"network", paris, false, system},
		"from no network":                    {"network", nowhere, false, "GeoIP: client IP not found in ASN database."},
		"from the network or the country":    {"either", paris, true, ""},
		"from neither":                       {"either", newYork, false, system},
		"as an expression has it":            {"expressed", berlin, true, ""},
		"not as an expression has it":        {"expressed", paris, false, ""},
		"an invention of the client's own":   {"country", berlin + ", " + newYork, false, country},
		"an expression, with unknown places": {"expressed", nowhere, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.visitor(t)
			c.from = test.from
			got, err := c.challenge(test.slug)
			if err != nil {
				t.Fatal(err)
			}
			want := "ak-stage-access-denied"
			if test.let {
				want = "ak-stage-dummy"
			}
			if got.text("component") != want || !strings.Contains(got.text("error_message"), test.says) {
				t.Errorf("got %v, want %s and %q", got, want, test.says)
			}
		})
	}
	failed, err := admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/events/events/?action=policy_exception", nil).object()
	if err != nil || at(failed, "results.0.action") != "policy_exception" {
		t.Errorf("what failed to execute is not told: %v, %v", failed, err)
	}
}

// travelled is a blueprint of the flow travelled-login: whoever cannot have
// come that far is denied, and the session is tied to its network.
var travelled = cheapLogin("travelled", 2) + `  - model: authentik_stages_user_login.userloginstage
    identifiers: {name: travelled-login}
    attrs: {network_binding: bind_asn, geoip_binding: bind_continent_country}
  - model: authentik_stages_deny.denystage
    id: deny
    identifiers: {name: travelled-deny}
    attrs: {deny_message: Too fast.}
  - model: authentik_flows.flowstagebinding
    id: denying
    identifiers: {target: !KeyOf flow, stage: !KeyOf deny, order: 25}
    attrs: {evaluate_on_plan: false, re_evaluate_policies: true}
  - model: authentik_policies_geoip.geoippolicy
    id: travel
    identifiers: {name: travelled-travel}
    attrs: {countries: [], check_impossible_travel: true}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf denying, policy: !KeyOf travel, order: 0}
    attrs: {negate: true}
`

func TestImpossibleTravel(t *testing.T) {
	s := startPlaced(t)
	s.admin(t).mustImport(t, travelled)
	login := func(user, from string) string {
		t.Helper()
		c := s.visitor(t)
		c.from = from
		got, err := c.login("travelled-login", user, cheapPassword)
		if err != nil {
			t.Fatal(err)
		}
		return got.text("component") + " " + got.text("error_message")
	}
	const let, denied = "xak-flow-redirect ", "ak-stage-access-denied Too fast."
	for _, step := range []struct{ user, from, want string }{
		{"travelled-0", berlin, let},     // there is nothing before
		{"travelled-0", newYork, denied}, // 6400 kilometres in a moment
		{"travelled-0", paris, let},      // 880 are within what an hour makes
		{"travelled-0", nowhere, let},    // what is not known cannot be compared
		{"travelled-1", newYork, let},    // somebody else
		{"travelled-1", berlin, denied},
	} {
		if got := login(step.user, step.from); got != step.want {
			t.Errorf("%s from %s: got %q, want %q", step.user, step.from, got, step.want)
		}
	}
}

func TestSessionsStayWhereTheyAre(t *testing.T) {
	s := startPlaced(t)
	admin := s.admin(t)
	admin.mustImport(t, travelled)
	c := s.visitor(t)
	c.from = berlin
	if _, err := c.login("travelled-login", "travelled-0", cheapPassword); err != nil {
		t.Fatal(err)
	}
	const me, sessions = "/api/v3/core/users/me/", "/api/v3/core/authenticated_sessions/"
	for _, from := range []string{berlin, berlinToo, berlinOther} {
		c.from = from
		c.must(t, http.StatusOK, http.MethodGet, me, nil)
	}
	shown, err := c.must(t, http.StatusOK, http.MethodGet, sessions, nil).object()
	if err != nil || at(shown, "results.0.geo_ip.city") != "Berlin" || at(shown, "results.0.asn.asn") != 64500.0 {
		t.Errorf("the session is shown as %v, %v", shown, err)
	}
	c.from = paris
	c.must(t, http.StatusForbidden, http.MethodGet, me, nil)
	c.from = berlin
	c.must(t, http.StatusForbidden, http.MethodGet, me, nil)
	out, err := admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/events/events/?action=logout", nil).object()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"logout_reason": "Session binding broken", "binding.reason": "network.asn", "binding.previous_value": "64500",
		"binding.new_value": "64501", "ip.previous": berlin, "ip.new": paris, "geo.country": "FR", "asn.asn": 64501.0,
	} {
		if got := at(out, "results.0.context."+path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

func TestServeRefusesBrokenDatabases(t *testing.T) {
	cities := database(t, "Test-City", nil)
	for name, test := range map[string]struct{ flag, file, want string }{
		"no file":            {"--geoip-city", filepath.Join(t.TempDir(), "none.mmdb"), "no such file"},
		"cities for systems": {"--geoip-asn", cities, "--geoip-asn one of autonomous systems"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			_, errs, code := s.command("", "serve", "--listen", s.listen, "--data", s.data, test.flag, test.file)
			if code != 1 || !strings.Contains(errs, test.want) || strings.Count(errs, "\n") != 1 {
				t.Errorf("exit status %d, said: %s", code, errs)
			}
			if _, err := os.Stat(s.data); !os.IsNotExist(err) {
				t.Errorf("a data folder was made: %v", err)
			}
		})
	}
}
