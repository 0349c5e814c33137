package auditapi_test

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/projections"
)

func TestExecutionFilters(t *testing.T) {
	h := newHouse(t)
	yes, no, third := true, false, int64(3)
	const id = "0190f4a6-31b2-7c4b-8a55-1d6f4c0a9b31"
	for query, want := range map[string]projections.ExecutionFilter{
		"":                                      {},
		"status=denied&status=expired&status=":  {Statuses: []string{"denied", "expired"}},
		"flow=login":                            {Slug: "login"},
		"flow=" + strings.ToUpper(id):           {Flow: id},
		"flow_revision=3":                       {FlowRevision: &third},
		"designation=recovery&cause=deny_stage": {Designation: "recovery", Cause: "deny_stage"},
		"stage_kind=authentik_stages_password.passwordstage&stage=password": {StageKind: "authentik_stages_password.passwordstage", Reached: "password"},
		"factor=totp&application=a":                                         {Factor: "totp", Application: "a"},
		"policy=p&verdict=failed":                                           {Policy: "p", Said: "failed"},
		"user=ann&visitor=bob&session=s":                                    {User: "ann", Visitor: "bob", Session: "s"},
		"ip=192.0.2.7":                                                      {Network: netip.MustParsePrefix("192.0.2.7/32")},
		"ip=::ffff:192.0.2.7":                                               {Network: netip.MustParsePrefix("192.0.2.7/32")},
		"ip=2001:db8::/32":                                                  {Network: netip.MustParsePrefix("2001:db8::/32")},
		"country=de&asn=AS64500":                                            {Country: "de", ASN: 64500},
		"asn=64500":                                                         {ASN: 64500},
		"duration__gte=1m30s&duration__lt=2.5":                              {Longer: 90 * time.Second, Shorter: 2500 * time.Millisecond},
		"running=true&abandoned=0":                                          {Running: &yes, Abandoned: &no},
		"since=2026-11-22T13:00:00Z":                                        {From: begun.Add(time.Hour)},
		"until=2026-11-22T13:00:00Z":                                        {Until: begun.Add(time.Hour)},
		"search=office network":                                             {Words: []string{"office network"}},
	} {
		h.filter = projections.ExecutionFilter{}
		if status, _, text := h.get("flows/executions/?" + strings.ReplaceAll(query, " ", "+")); status != 200 {
			t.Errorf("%s: %d %s", query, status, text)
		}
		if diff := cmp.Diff(want, h.filter, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// What makes no sense is refused by name, and nothing is searched.
func TestExecutionFiltersRefused(t *testing.T) {
	h := newHouse(t)
	for _, query := range []string{
		"status=done", "flow_revision=x", "flow_revision=-1", "designation=login", "verdict=maybe", "ip=300.1.1.1", "ip=fe80::1%25eth0",
		"country=Germany", "asn=x", "asn=0", "asn=99999999999", "duration__gte=soon", "duration__lt=-1", "duration__lt=1e300", "running=perhaps", "abandoned=2",
		"since=yesterday", "until=1", "ordering=name",
	} {
		h.order = ""
		name, _, _ := strings.Cut(query, "=")
		status, body, text := h.get("flows/executions/?" + query)
		if said, _ := body[name].([]any); status != 400 || len(said) != 1 || len(body) != 1 || h.order != "" {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	if status, _, text := h.get("flows/executions/?user=ann;status=denied"); status != 400 || h.order != "" {
		t.Errorf("half a query: %d %s", status, text)
	}
	// A long wrong value is not sent back whole.
	if _, _, text := h.get("flows/executions/?status=" + url.QueryEscape(strings.Repeat("ä", 10_000))); len(text) > 400 || !json.Valid([]byte(text)) {
		t.Errorf("a long value: %s", text)
	}
}

func TestExecutionOrders(t *testing.T) {
	h := newHouse(t)
	for name, want := range map[string]string{
		"": "-started", "started": "started", "-started": "-started", "last_seen": "seen", "-last_seen": "-seen", "duration": "duration",
		"-duration": "-duration",
	} {
		if status, _, text := h.get("flows/executions/?ordering=" + name); status != 200 || h.order != want {
			t.Errorf("%s: %d %s, ordered by %s", name, status, text, h.order)
		}
	}
}

// A row has names where there are any, and the id where they were erased; how
// far a search came is said.
func TestExecutionRow(t *testing.T) {
	h := newHouse(t)
	h.all[1].Took, h.all[1].UserTime, h.all[1].ServerTime, h.all[1].Factors = 1500*time.Millisecond, time.Second, time.Second/2, []string{"password"}
	h.all[1].Origin = projections.Origin{IP: netip.MustParseAddr("192.0.2.7"), Country: "DE", ASN: 64500, Device: "Firefox on Linux", Agent: "Mozilla"}
	_, _, text := h.get("flows/executions/x1/")
	for _, want := range []string{
		`"person":{"id":"ann","pk":7,"username":"annette"}`, `"duration_ms":1500,"user_ms":1000,"server_ms":500`, `"factors":["password"]`,
		`"origin":{"ip":"192.0.2.7","country":"DE","asn":64500,"device":"Firefox on Linux"}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	if _, _, text := h.get("flows/executions/x0/"); !strings.Contains(text, `"person":{"id":"u"}`) || !strings.Contains(text, `"origin":{}`) {
		t.Errorf("of somebody who was erased: %s", text)
	}
	if _, _, text := h.get("flows/executions/"); strings.Contains(text, "searched_back_to") {
		t.Errorf("of all: %s", text)
	}
	h.reached = begun
	if _, body, text := h.get("flows/executions/"); body["searched_back_to"] != "2026-11-22T12:00:00Z" {
		t.Errorf("of a search that gave up: %s", text)
	}
}
