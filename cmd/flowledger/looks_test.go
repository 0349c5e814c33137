package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/projections"
)

// unrecorded shows audit data, or has an address as if it did, and leaves no
// event; each for a reason.
var unrecorded = map[string]string{
	"events/events/actions/": "it lists words of the contract, and nothing that happened",
	"flows/inspector/{key}/": "it shows the caller's own execution (spec/events.md 4.10)",
}

// showsAudit tells whether a line of the table of routes is about audit data:
// it stands where that is shown, or needs a permission of those who read it.
// Sinks are configured things.
func showsAudit(method, path, who string) bool {
	who = strings.TrimPrefix(who, "hidden: ")
	return method == http.MethodGet && !strings.HasPrefix(path, "ledger/sinks/") &&
		(strings.HasPrefix(path, "ledger/") || strings.HasPrefix(path, "events/events/") || strings.HasPrefix(path, "reports/") ||
			strings.HasPrefix(path, "flows/executions/") || who == "authentik_events.view_event" || who == "authentik_flows.inspect_flow" ||
			strings.HasPrefix(who, "authentik_reports."))
}

// A reader is an auditor with a token, whose every question is a new one.
type reader struct {
	t       *testing.T
	app     *app
	handler http.Handler
	now     time.Time
}

func newReader(t *testing.T, a *app) *reader {
	t.Helper()
	r := &reader{t: t, app: a, now: time.Now()}
	a.looks.Now = func() time.Time { return r.now }
	r.handler = a.handler(config{}, newMetrics(a))
	return r
}

// ask asks, and returns the answer and the types of what became of it in the
// ledger.
func (r *reader) ask(method, path string) (*httptest.ResponseRecorder, []string) {
	r.t.Helper()
	r.now = r.now.Add(time.Hour)
	before := r.app.head(r.t)
	w := httptest.NewRecorder()
	q := httptest.NewRequest(method, path, nil)
	q.Header.Set("Authorization", "Bearer a-token")
	r.handler.ServeHTTP(w, q)
	return w, r.app.types(r.t, before)
}

// keys finds something behind each route that takes a key.
func (r *reader) keys(erased string) map[string]string {
	r.t.Helper()
	r.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/v3/flows/executor/default-authentication-flow/", nil))
	r.app.sync(r.t)
	found, err := r.app.executions.Search(r.t.Context(), projections.ExecutionFilter{Slug: "default-authentication-flow"}, "", projections.Page{Limit: 1})
	if err != nil || len(found.Executions) != 1 {
		r.t.Fatal(found, err)
	}
	listed, _, _, err := r.app.audit.List(r.t.Context(), projections.AuditFilter{AnyAction: true}, false, projections.Page{Limit: 1})
	if err != nil || len(listed) != 1 {
		r.t.Fatal(listed, err)
	}
	exported, _ := r.ask(http.MethodPost, "/api/v3/events/events/export/")
	id := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(exported.Body.String())
	if id == nil {
		r.t.Fatalf("no export: %d %s", exported.Code, exported.Body)
	}
	changed, _, err := r.app.changes.List(r.t.Context(), projections.ChangeFilter{}, projections.Page{Limit: 1})
	if err != nil || len(changed) != 1 {
		r.t.Fatal(changed, err)
	}
	return map[string]string{
		"ledger/changes/": changed[0].Event, "ledger/verdicts/policies/": "3f0c6e0a-7f0e-4c55-9a44-2d1f9f6b9f10",
		"flows/executions/": found.Executions[0].ID, "events/events/": listed[0].ID, "reports/exports/": id[1], "ledger/erasures/": erased,
	}
}

// Whoever reads audit data by the API is on record, on each of its routes: a
// new one that records nothing fails here.
func TestEveryLookIsRecorded(t *testing.T) {
	a, erased := erasedWorld(t)
	if _, err := a.start(t, config{bootstrapToken: "a-token"}); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, a)
	keys := r.keys(erased)
	table, err := os.ReadFile(routesFile)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 || !showsAudit(cells[0], cells[1], cells[2]) || unrecorded[cells[1]] != "" {
			continue
		}
		path := cells[1]
		if i := strings.Index(path, "{"); i >= 0 {
			path = path[:i] + keys[path[:i]] + path[strings.Index(path, "}")+1:]
		}
		switch {
		case strings.HasSuffix(path, "export/"):
			path += "?format=csv"
		case strings.HasSuffix(path, "stats/"):
			path += "?count_steps=hours=24"
		}
		answer, left := r.ask(http.MethodGet, "/api/v3/"+path)
		tried++
		if answer.Code != http.StatusOK || !slices.ContainsFunc(left, func(e string) bool { return strings.HasPrefix(e, "Audit") }) {
			t.Errorf("%s: %d %.200s, left %v", path, answer.Code, answer.Body, left)
		}
	}
	if tried < 20 {
		t.Errorf("only %d routes show audit data", tried)
	}
	a.filtersStaySealed(t)
}

// filtersStaySealed finds nothing of what was asked for in the clear.
func (a *app) filtersStaySealed(t *testing.T) {
	t.Helper()
	r := newReader(t, a)
	from := a.head(t)
	for _, path := range []string{
		"flows/executions/?search=marker-of-a-word", "ledger/export/?format=csv&purpose=marker-of-a-purpose&execution__stage=marker-of-a-stage",
		"ledger/events/?type=marker-of-a-type", "flows/executions/export/?format=csv&user=akadmin&cause=marker-of-a-cause",
	} {
		if answer, _ := r.ask(http.MethodGet, "/api/v3/"+path); answer.Code != http.StatusOK {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
	for e, err := range a.store.ReadAll(context.Background(), eventstore.PositionOf(from)) {
		if err != nil {
			t.Fatal(err)
		}
		if clear := string(e.Header) + string(e.Payload); strings.Contains(clear, "marker-of") {
			t.Errorf("%s says %s", e.Type, clear)
		}
	}
}
