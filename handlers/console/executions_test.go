package console

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/projections"
)

// aLogin is an execution as it is listed.
func aLogin(id string) projections.Execution {
	return projections.Execution{
		ID: id, Slug: "login", Designation: "authentication", Flow: domain.Ref{ID: "f", Revision: 3, Name: hostile}, User: "u-ada", Status: "denied",
		Cause: "stage_denied", Stage: domain.Ref{Name: hostile}, Started: now.Add(-time.Minute), Took: 2 * time.Second, Factors: []string{"password"},
		Origin: projections.Origin{IP: netip.MustParseAddr("203.0.113.7"), Country: "CH", Device: hostile},
	}
}

func TestFiltersAreRead(t *testing.T) {
	yes, revision := true, int64(3)
	tests := map[string]struct {
		query string
		want  projections.ExecutionFilter
	}{
		"nothing":        {"", projections.ExecutionFilter{}},
		"empty fields":   {"user=&ip=&since=", projections.ExecutionFilter{}},
		"an outcome":     {"status=denied", projections.ExecutionFilter{Statuses: []string{"denied"}}},
		"two outcomes":   {"status=denied&status=failed", projections.ExecutionFilter{Statuses: []string{"denied", "failed"}}},
		"a slug":         {"flow=login", projections.ExecutionFilter{Slug: "login"}},
		"a flow":         {"flow=0199E2A4-5c7e-7c4b-8a55-1d6f4c0a9b31", projections.ExecutionFilter{Flow: "0199e2a4-5c7e-7c4b-8a55-1d6f4c0a9b31"}},
		"a person":       {"user=ada", projections.ExecutionFilter{User: "u-ada"}},
		"an address":     {"ip=203.0.113.7", projections.ExecutionFilter{Network: netip.MustParsePrefix("203.0.113.7/32")}},
		"a network":      {"ip=203.0.113.7/24", projections.ExecutionFilter{Network: netip.MustParsePrefix("203.0.113.0/24")}},
		"times":          {"since=2026-03-09T08:00&until=2026-03-09T10:00:00%2B01:00", projections.ExecutionFilter{From: now.Add(-150 * time.Minute), Until: now.Add(-90 * time.Minute)}},
		"a revision":     {"flow_revision=3", projections.ExecutionFilter{FlowRevision: &revision}},
		"lengths":        {"duration__gte=1m30s&duration__lt=200", projections.ExecutionFilter{Longer: 90 * time.Second, Shorter: 200 * time.Second}},
		"flags":          {"running=true", projections.ExecutionFilter{Running: &yes}},
		"origins":        {"country=ch&asn=as64500", projections.ExecutionFilter{Country: "CH", ASN: 64500}},
		"what was said":  {"policy=p&verdict=failed", projections.ExecutionFilter{Policy: "p", Said: "failed"}},
		"words":          {"search=ada+lovelace", projections.ExecutionFilter{Words: []string{"ada lovelace"}}},
		"where it stood": {"stage=password&stage_kind=k&factor=totp&cause=c", projections.ExecutionFilter{Reached: "password", StageKind: "k", Factor: "totp", Cause: "c"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, f := newFake()
			if w := get(t, s, "/if/admin/executions/?"+tt.query); w.Code != http.StatusOK {
				t.Fatalf("status %d\n%s", w.Code, w.Body)
			}
			if diff := cmp.Diff(tt.want, f.filter, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Errorf("filter (-want +got):\n%s", diff)
			}
			if f.order != "-started" || f.part.Limit != listSize {
				t.Errorf("order %q, %+v", f.order, f.part)
			}
		})
	}
}

func TestBadFiltersAreNamed(t *testing.T) {
	for query, want := range map[string]string{
		"ip=xx": "Enter an address", "since=yesterday": "Enter a time", "country=DEU": "two letters", "asn=x": "AS64500",
		"status=gone": "It is one of", "duration__gte=-1s": "Enter a length", "flow_revision=-1": "from 0 on", "running=perhaps": "no such choice",
		"verdict=maybe": "no such choice", "search=" + strings.Repeat("x", 201): "too long",
	} {
		t.Run(query, func(t *testing.T) {
			s, f := newFake()
			w := get(t, s, "/if/admin/executions/?"+query)
			name, _, _ := strings.Cut(query, "=")
			if body := w.Body.String(); w.Code != http.StatusBadRequest || !strings.Contains(body, want) || !strings.Contains(body, `id="p-`+name+`"`) {
				t.Errorf("status %d\n%s", w.Code, body)
			}
			if f.order != "" || len(f.looks) > 0 {
				t.Errorf("it was looked for, %q", f.looks)
			}
		})
	}
	for query, want := range map[string]string{"ordering=name": "ordered by", "page=0": "from 1 on", "page=x": "from 1 on"} {
		s, _ := newFake()
		if w := get(t, s, "/if/admin/executions/?"+query); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: status %d\n%s", query, w.Code, w.Body)
		}
	}
}

func TestExecutionsAreListed(t *testing.T) {
	s, f := newFake()
	f.executions = []projections.Execution{aLogin("x-1"), {ID: "x-2", Status: "running", Started: now}}
	w := get(t, s, "/if/admin/executions/?user=ada&status=denied&ordering=-duration")
	body := w.Body.String()
	for _, want := range []string{
		`href="/if/admin/executions/x-1/"`, `href="/if/admin/people/u-ada/">ada</a>`, "Denied", "stage denied", "203.0.113.7", `aria-sort="descending"`,
		`href="?ordering=-duration&amp;status=denied" aria-label="Without Person: ada"`, `name="with" value="x-1"`,
		`/api/v3/flows/executions/export/?format=csv&amp;status=denied&amp;user=ada`, `/api/v3/ledger/export/?execution__status=denied&amp;execution__user=ada&amp;format=ocsf`, "1–2 of 2",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(body, hostile) {
		t.Error("a name is not escaped")
	}
	if want := "queried executions about u-ada"; !slices.ContainsFunc(f.looks, func(l string) bool { return strings.HasPrefix(l, want) }) {
		t.Errorf("recorded %q, want %q", f.looks, want)
	}
	if f.order != "-duration" {
		t.Errorf("order %q", f.order)
	}
	if strings.Contains(get(t, s, "/if/admin/executions/?user=nemo").Body.String(), "x-1") {
		t.Error("executions of somebody who does not exist")
	}
}

func TestTheOverview(t *testing.T) {
	s, f := newFake()
	f.overview = projections.Overview{
		Running: 1234,
		Slots: []projections.OverviewSlot{
			{At: now.Add(-time.Hour), Outcomes: map[string]int{"completed": 90, "denied": 10}}, {At: now, Outcomes: map[string]int{"running": 5}},
		},
		Flows:   []projections.FlowOutcomes{{Flow: "f-1", Name: hostile, Outcomes: map[string]int{"completed": 90, "denied": 10, "running": 5}}},
		Reasons: []projections.OutcomeReason{{Status: "denied", Cause: "stage_denied", Count: 10}},
	}
	f.fresh = Freshness{Behind: 3 * time.Second}
	body := get(t, s, "/if/admin/?range=1h").Body.String()
	for _, want := range []string{
		"1\u202f234", "90 %", "10 %", `href="/if/admin/executions/?flow=f-1&amp;since=2026-03-09T09%3A30%3A00Z"`,
		"cause=stage_denied&amp;since=2026-03-09T09%3A30%3A00Z&amp;status=denied", `role="img"`, `class="part denied"`, "3.0 s behind the ledger", `class="fresh late"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(body, hostile) {
		t.Error("a name is not escaped")
	}
	if !slices.ContainsFunc(f.looks, func(l string) bool { return strings.HasPrefix(l, "queried overview") }) {
		t.Errorf("recorded %q", f.looks)
	}
	if w := get(t, s, "/if/admin/?range=5y"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "<strong>range</strong>") {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
}

func TestScales(t *testing.T) {
	for top, want := range map[int]int{0: 2, 1: 2, 2: 2, 3: 4, 5: 10, 11: 20, 99: 100, 101: 200, 1999: 2000} {
		if got := scaleFor(top); got != want {
			t.Errorf("for %d: %d, want %d", top, got, want)
		}
	}
}

// What a filter is called in an address is what the API calls it.
func TestExportsAskTheSame(t *testing.T) {
	s, f := newFake()
	f.executions = []projections.Execution{aLogin("x-1")}
	body := get(t, s, "/if/admin/executions/?since=2026-03-09T08:00&page=1&ordering=started").Body.String()
	_, rest, _ := strings.Cut(body, `/api/v3/flows/executions/export/?`)
	query, _, _ := strings.Cut(rest, `"`)
	q, err := url.ParseQuery(strings.ReplaceAll(query, "&amp;", "&"))
	if err != nil || q.Get("since") != "2026-03-09T08:00:00Z" || q.Has("page") || q.Has("ordering") {
		t.Errorf("asks %q, %v", query, err)
	}
}
