package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
)

// The benchmark of the administration API. FLOWLEDGER_TEST_SCALE=1 runs it at
// full size, and then the limit counts; by default it is a hundredth, which
// tests that all is asked and answered. A number above 1 is how often, instead
// of 20 times. FLOWLEDGER_TEST_SCALE_DATA names a folder that is filled once and
// used again.
const (
	scaleVariable = "FLOWLEDGER_TEST_SCALE"
	scaleFolder   = "FLOWLEDGER_TEST_SCALE_DATA"
	scaleLimit    = 100 * time.Millisecond
)

func TestScale(t *testing.T) {
	size, rounds, full := filling{flows: 100, users: 1000, events: 10_000}, 3, os.Getenv(scaleVariable) != ""
	switch {
	case full:
		size, rounds = filling{flows: 10_000, users: 100_000, events: 1_000_000}, 20
		if n, _ := strconv.Atoi(os.Getenv(scaleVariable)); n > 1 {
			rounds = n
		}
	case testing.Short():
		t.Skip("starts a server on a filled folder")
	}
	data, filled := os.Getenv(scaleFolder), false
	if data == "" {
		data = filepath.Join(t.TempDir(), "data")
	}
	if _, err := os.Stat(filepath.Join(data, "events.db")); err == nil {
		filled = true
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	p := compile(t, data)
	if !filled {
		begun := time.Now()
		fill(t, data, size)
		t.Logf("filled in %.1f s", time.Since(begun).Seconds())
		out, err := exec.Command(p.binary, "rebuild", "--data", data).Output()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s", out)
		t.Logf("first start, which applies the shipped blueprints: %v", p.start())
		p.stop()
	}
	t.Logf("started in %v", p.start())
	now, most := p.resident()
	t.Logf("memory after the start: %d MiB, at most %d", now, most)

	report := &timings{t: t, limited: full}
	p.lists(report, size, rounds)
	p.writes(report, rounds)
	p.logins(report, rounds, size)
	report.print()
	now, most = p.resident()
	t.Logf("memory at the end: %d MiB, at most %d", now, most)
	p.stop()
}

// A question is one way to ask a list.
type question struct {
	path, query string
	count       int // that the answer must have; -1 for any
}

// questions are what clients ask of lists, beside the pages and the orders of
// all of them. The counts are those of a filled folder, to which the first
// start adds an administrator.
func questions(size filling) []question {
	flow := fmt.Sprintf("flow-%05d", size.flows/2)
	all := -1
	return []question{
		{"flows/instances/", "search=" + flow, 1},
		{"flows/instances/", "search=flow+" + fmt.Sprint(size.flows/2), all},
		{"flows/instances/", "search=welcome", all},
		{"flows/instances/", "slug=" + flow, 1},
		{"flows/instances/", "designation=recovery&ordering=-title", all},
		{"flows/bindings/", "target=" + scaleID("flow", 0), 3},
		{"flows/bindings/", "stage=" + scaleID("shared", 0), (size.flows + 19) / 20},
		{"flows/bindings/", "stage=" + scaleID("shared", 0) + "&ordering=order&page_size=100", all},
		{"stages/all/", "search=" + flow, 2},
		{"stages/all/", "search=shared", 1},
		{"stages/all/", "name=" + flow + "-second", 1},
		{"stages/identification/", "search=" + flow, 1},
		{"stages/user_login/", "search=shared", 1},
		{"stages/prompt/prompts/", "field_key=answer_7", size.flows / 50},
		{"stages/prompt/prompts/", "search=Question", size.flows},
		{"stages/prompt/stages/", "fields=" + scaleID("prompt", 1), 1},
		{"policies/all/", "bindings__isnull=true", all},
		{"policies/all/", "promptstage__isnull=false", all},
		{"policies/all/", "search=" + flow + "&ordering=-name", 1},
		{"policies/bindings/", "policy=" + scaleID("policy", 0), 1},
		{"policies/bindings/", "policy__isnull=true&enabled=true", all},
		{"policies/expression/", "search=flow-00040-policy", 1},
		{"core/users/", "search=" + username(size.users/2), 1},
		{"core/users/", "search=lovelace", all},
		{"core/users/", "search=ada+lovelace&is_active=true", all},
		{"core/users/", "username=" + username(7), 1},
		{"core/users/", "is_superuser=true", 2},
		{"core/users/", "groups_by_name=group-0001", size.users / 10},
		{"core/users/", "attributes=" + url.QueryEscape(`{"team":"team-7"}`), size.users / 100},
		{"core/users/", "path_startswith=users/1", all},
		{"core/users/", "type=internal&ordering=-last_login", all},
		{"core/users/", "include_groups=false&page_size=100", all},
		{"core/groups/", "search=group-000", 10},
		{"core/groups/", "include_users=false&page_size=100", all},
		{"core/groups/", "name=group-0001", 1},
		{"core/groups/", "members_by_username=" + username(0), all},
		{"core/groups/", "include_parents=true&include_children=true", all},
		{"core/tokens/", "search=token-000007", 1},
		{"core/tokens/", "user__username=" + username(3), 1},
		{"core/tokens/", "intent=app_password", all},
		{"core/authenticated_sessions/", "session__last_ip=192.0.1.1", all},
		{"core/user_consent/", "application=" + scaleID("application", 1), all},
		{"stages/invitation/invitations/", "search=invitation-00003", 1},
		{"stages/invitation/invitations/", "flow__slug=flow-00001", all},
		{"stages/invitation/invitations/", "created_by__username=" + username(1), all},
		{"events/notifications/", "search=number", all},
		{"events/notifications/", "seen=false", all},
		{"events/events/", "action=login", all},
		{"events/events/", "username=" + username(0), all},
		{"events/events/", "search=firefox", all},
		{"events/events/", "client_ip=192.0.1.1", all},
		{"events/events/", "context_model_name=flow", all},
		{"events/events/", "ordering=created", all},
		{"policies/reputation/scores/", "search=" + username(0), all},
		{"policies/reputation/scores/", "ordering=-score", all},
	}
}

// lists asks all lists for their first, second, largest and last page, in
// another order, by name and in vain, and what else there is to ask.
func (p *process) lists(r *timings, size filling, rounds int) {
	asked := questions(size)
	for _, path := range listPaths(p.t) {
		status, answer := p.call(http.MethodGet, path, nil)
		pages, is := answer["pagination"].(map[string]any)
		if status != http.StatusOK || !is {
			continue
		}
		for _, query := range []string{"", "page_size=100", fmt.Sprint("page=", pages["total_pages"]), "ordering=-pk", "ordering=name", "search=a", "search=zzqqxx"} {
			asked = append(asked, question{path, query, -1})
		}
	}
	for _, path := range []string{
		"stages/all/user_settings/", "flows/instances/flow-00000/", "stages/all/" + scaleID("shared", 0) + "/", "stages/user_login/" + scaleID("shared", 0) + "/",
		"stages/all/" + scaleID("shared", 0) + "/used_by/", "flows/instances/flow-00000/used_by/", "core/groups/" + scaleID("group", 1) + "/", "core/users/1/",
		"core/users/1/used_by/", "core/users/me/", "flows/instances/flow-00000/diagram/", "policies/all/" + scaleID("policy", 0) + "/used_by/",
		"events/events/volume/", "events/events/stats/?count_steps=days%3D1", "events/events/top_per_user/", "core/users/paths/",
		"ledger/events/", "ledger/events/?type=UserLoggedIn", "flows/executions/", "flows/executions/?slug=flow-00001",
	} {
		path, query, _ := strings.Cut(path, "?")
		asked = append(asked, question{path, query, -1})
	}
	slices.SortStableFunc(asked, func(a, b question) int { return strings.Compare(a.path, b.path) })
	for range rounds { // one after the other, so that what else happens on the machine meets all of them
		for _, q := range asked {
			p.ask(r, q)
		}
	}
}

func (p *process) ask(r *timings, q question) {
	p.t.Helper()
	busy, begun := p.busy(), time.Now()
	status, answer := p.call(http.MethodGet, q.path+"?"+q.query, nil)
	took := time.Since(begun)
	if status == http.StatusNotFound && !strings.Contains(q.query, "page") {
		return // not served yet
	}
	if status != http.StatusOK {
		p.t.Errorf("%s?%s: %d %v", q.path, q.query, status, answer)
	}
	if pages, ok := answer["pagination"].(map[string]any); ok && q.count >= 0 && pages["count"] != float64(q.count) {
		p.t.Errorf("%s?%s finds %v, want %d", q.path, q.query, pages["count"], q.count)
	}
	limit := scaleLimit
	if strings.Contains(q.query, "page_size") {
		limit = 0 // five times a first page
	}
	r.add("GET "+q.path+" "+q.query, took, p.busy()-busy, limit)
}

// listPaths are the routes that need no key, and may be lists.
func listPaths(t testing.TB) (paths []string) {
	t.Helper()
	a, err := open(storage{store: "memory:"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	s := a.admin(nil)
	s.Mount(mux.NewRouter())
	for _, route := range s.Routes() {
		if route.Method == http.MethodGet && !strings.Contains(route.Path, "{") && !slices.Contains(paths, route.Path) {
			paths = append(paths, route.Path)
		}
	}
	return paths
}
