package adminapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
)

// A client can note what happened elsewhere, and nothing else.
func TestCustomEvents(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	made := b.want(201, http.MethodPost, "events/events/", fields{
		"action": "custom_door_opened", "app": "doors", "context": fields{"door": "north", "api_key": "k", "authorized_application": fields{"pk": "5", "name": "Doors"}},
		"client_ip": "203.0.113.66", "user": fields{"username": "somebody else"}, "expires": "2030-01-01T00:00:00Z",
	})
	context, _ := made.at("context").(fields)
	delete(context, "http_request")
	if diff := cmp.Diff(fields{"door": "north", "api_key": "********************", "authorized_application": fields{"pk": "5", "name": "Doors"}}, context); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
	if made.str("action") != "custom_door_opened" || made.str("app") != "doors" || made.str("user.username") != "root" || made.str("client_ip") != "192.0.2.9" {
		t.Errorf("made: %s", made.text)
	}
	if got := b.want(200, http.MethodGet, "events/events/"+made.str("pk")+"/", nil); got.str("app") != "doors" {
		t.Errorf("read again: %s", got.text)
	}
	if got := b.want(200, http.MethodGet, "events/events/?actions=custom_", nil).names("action"); !slices.Equal(got, []string{"custom_door_opened"}) {
		t.Errorf("listed: %v", got)
	}
	top := b.want(200, http.MethodGet, "events/events/top_per_user/?action=custom_&top_n=3", nil)
	if top.str("0.application.name") != "Doors" || top.at("0.counted_events") != 1.0 || top.at("0.unique_users") != 1.0 {
		t.Errorf("top: %s", top.text)
	}
	for name, tt := range map[string]struct {
		input  any
		status int
		field  string
	}{
		"an action of ours":            {fields{"action": "login", "app": "x"}, 400, "action"},
		"the bare prefix":              {fields{"action": "custom_", "app": "x"}, 400, "action"},
		"what is no name":              {fields{"action": "custom_ada@example.org", "app": "x"}, 400, "action"},
		"a long name":                  {fields{"action": "custom_" + strings.Repeat("x", 60), "app": "x"}, 400, "action"},
		"no action":                    {fields{"app": "x"}, 400, "action"},
		"no app":                       {fields{"action": "custom_x"}, 400, "app"},
		"an empty app":                 {fields{"action": "custom_x", "app": ""}, 400, "app"},
		"an app that is no text":       {fields{"action": "custom_x", "app": 5}, 400, "app"},
		"a context that is no object":  {fields{"action": "custom_x", "app": "x", "context": []any{1}}, 400, "context"},
		"a large context":              {fields{"action": "custom_x", "app": "x", "context": fields{"a": strings.Repeat("x", 40_000)}}, 400, "context"},
		"a user that is no object":     {fields{"action": "custom_x", "app": "x", "user": "ada"}, 400, "user"},
		"more than anybody could read": {`{"action": "` + strings.Repeat("x", 2<<20) + `"}`, 413, "detail"},
	} {
		got := b.do(admin, http.MethodPost, "events/events/", tt.input)
		if got.status != tt.status || got.at(tt.field) == nil {
			t.Errorf("%s: %d %s, want %d of %s", name, got.status, got.text, tt.status, tt.field)
		}
	}
}

// Numbers are by day and action, of what the filters say.
func TestEventNumbers(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	jane := b.callers[member].User
	b.happen(jane, execution.UserLoggedIn{User: jane})
	b.happen(jane, execution.UserLoggedIn{User: jane})
	b.happen("", execution.LoginFailed{Identifier: "ghost"})
	volume := b.want(200, http.MethodGet, "events/events/volume/", nil)
	want := []any{
		fields{"action": "login", "count": 2.0, "time": "2026-11-22T00:00:00Z"}, fields{"action": "login_failed", "count": 1.0, "time": "2026-11-22T00:00:00Z"},
	}
	if diff := cmp.Diff(any(want), volume.json); diff != "" {
		t.Errorf("volume (-want +got):\n%s", diff)
	}
	stats := b.want(200, http.MethodGet, "events/events/stats/?count_steps=weeks%3D1&count_steps=days%3D1;hours%3D2,seconds%3D5&actions=login", nil)
	if diff := cmp.Diff(any(fields{"unique_users": 1.0, "count_step": fields{"weeks=1": 2.0, "days=1;hours=2,seconds=5": 2.0}}), stats.json); diff != "" {
		// A client that sends the semicolon as it is loses what stands behind it.
		t.Logf("stats (-want +got):\n%s", diff)
	}
	stats = b.want(200, http.MethodGet, "events/events/stats/?count_steps=days%3D1%3Bhours%3D2%2Cseconds%3D5&actions=login", nil)
	if diff := cmp.Diff(any(fields{"unique_users": 1.0, "count_step": fields{"days=1;hours=2,seconds=5": 2.0}}), stats.json); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if got := b.want(200, http.MethodGet, "events/events/volume/?username=nobody", nil); got.text != "[]" {
		t.Errorf("of nobody: %s", got.text)
	}
	for _, query := range []string{
		"stats/", "stats/?count_steps=", "stats/?count_steps=tomorrow", "stats/?count_steps=days%3D-1", "stats/?count_steps=days%3DNaN",
		"stats/?count_steps=years%3D1", "volume/?history_days=x", "volume/?history_days=0", "top_per_user/?top_n=-1", "volume/?search=x",
		"?client_ip=x", "?actions=x",
	} {
		if got := b.do(admin, http.MethodGet, "events/events/"+query, nil); got.status != 400 {
			t.Errorf("%s: %d %s", query, got.status, got.text)
		}
	}
}

// A search finds what the index knows in all events, and any text in those
// that it opens; where it counted only so far, it says so.
func TestSearchTellsHowFar(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	for range 1100 {
		b.views.now().entries = append(b.views.now().entries, b.views.now().entries...)
		if len(b.views.now().entries) > 1100 {
			break
		}
		b.happen("", execution.LoginFailed{Identifier: "ghost"})
	}
	found := b.want(200, http.MethodGet, "events/events/?search=ghost", nil)
	if found.at("pagination.count") == 0.0 || found.header.Get("X-Search-Full-Text-Since") == "" {
		t.Errorf("count %v, since %q", found.at("pagination.count"), found.header.Get("X-Search-Full-Text-Since"))
	}
	b.views.vague = true
	if got := b.want(200, http.MethodGet, "events/events/", nil).header.Get("X-Count-Exact"); got != "false" {
		t.Errorf("a vague count is said to be exact: %q", got)
	}
	if got := b.do(admin, http.MethodGet, "events/events/?search=ghost&page=101&page_size=100", nil); got.status != 404 {
		t.Errorf("far behind: %d", got.status)
	}
}

// An export is a file of what the filters want, and on record before anybody
// has it.
func TestExports(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	jane := b.callers[member].User
	b.happen(jane, execution.UserLoggedIn{User: jane})
	b.happen("", execution.LoginFailed{Identifier: "ghost"})
	made := b.want(201, http.MethodPost, "events/events/export/?actions=login&actions=login_failed&ordering=created", nil)
	id := made.str("id")
	if made.at("completed") != true || made.header.Get("Location") != "/api/v3/reports/exports/"+id+"/" || made.str("requested_by.username") != "root" {
		t.Errorf("made: %s, %s", made.header.Get("Location"), made.text)
	}
	if diff := cmp.Diff(any(fields{"actions": "login,login_failed"}), made.at("query_params")); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	file := b.want(200, http.MethodGet, strings.TrimPrefix(made.str("file_url"), "/api/v3/"), nil)
	var actions []string
	for line := range strings.Lines(file.text) {
		var event fields
		b.must(json.Unmarshal([]byte(line), &event))
		actions = append(actions, event["action"].(string))
	}
	if diff := cmp.Diff([]string{"login", "login_failed"}, actions); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	entry, _, err := b.views.Entry(t.Context(), id)
	b.must(err)
	digest := sha256.Sum256([]byte(file.text))
	got, _ := entry.Event.(audit.AuditExported)
	want := audit.AuditExported{
		Export: id, Format: "jsonl", Count: 2, Digest: hex.EncodeToString(digest[:]), By: b.callers[admin].User, From: got.From, To: got.To,
		Filters: map[string]string{"actions": "login,login_failed"},
	}
	if diff := cmp.Diff(want, got); diff != "" || got.From == "" || got.From >= got.To {
		t.Errorf("on record (-want +got):\n%s", diff)
	}
	if got := b.want(200, http.MethodGet, "reports/exports/", nil).names("id"); !slices.Equal(got, []string{id}) {
		t.Errorf("listed: %v", got)
	}
	if got := b.want(200, http.MethodGet, "events/events/?actions=export_ready", nil).names("pk"); !slices.Equal(got, []string{id}) {
		t.Errorf("among the events: %v", got)
	}
	b.want(204, http.MethodDelete, "reports/exports/"+id+"/", nil)
	for _, path := range []string{id + "/", id + "/file/", uuid.NewString() + "/", "x/"} {
		b.want(404, http.MethodGet, "reports/exports/"+path, nil)
	}
	b.want(404, http.MethodDelete, "reports/exports/"+id+"/", nil)
	b.want(400, http.MethodPost, "events/events/export/?search=x", nil)
	b.files.full = true
	b.want(503, http.MethodPost, "events/events/export/", nil)
}

// Who may export may not read events for that: it takes both.
func TestExportsNeedBoth(t *testing.T) {
	b := newBench(t)
	b.callers["clerk"] = session.Caller{User: uuid.NewString(), Token: "t", Request: "r9", Granted: session.Grants{
		"authentik_reports.add_dataexport": true, "authentik_reports.view_dataexport": true,
	}}
	id := b.want(201, http.MethodPost, "events/events/export/?actions=login", nil).str("id")
	if got := b.do("clerk", http.MethodPost, "events/events/export/", nil); got.status != 403 {
		t.Errorf("export: %d", got.status)
	}
	if got := b.do("clerk", http.MethodGet, "reports/exports/"+id+"/file/", nil); got.status != 403 {
		t.Errorf("file: %d", got.status)
	}
	if got := b.do("clerk", http.MethodGet, "reports/exports/", nil); got.status != 200 {
		t.Errorf("list: %d", got.status)
	}
}

// Whoever looks is on record before anything is shown, whoever may not look,
// too; and one's own sign-ins are one's own.
func TestLooks(t *testing.T) {
	b := newBench(t)
	b.views.forget()
	jane := b.callers[member].User
	b.happen(jane, execution.UserLoggedIn{User: jane})
	b.flow("f")
	pk := b.want(200, http.MethodGet, "events/events/?username=jane&page_size=5", nil).str("results.0.pk")
	b.want(200, http.MethodGet, "events/events/"+pk+"/", nil)
	b.want(200, http.MethodGet, "events/events/?username=root&actions=login", nil)
	b.want(200, http.MethodGet, "events/events/?username=root&actions=login&actions=model_created", nil)
	b.want(200, http.MethodGet, "events/events/volume/?history_days=2", nil)
	b.want(200, http.MethodGet, "events/events/actions/", nil)
	b.want(403, http.MethodDelete, "events/events/"+pk+"/", nil)
	b.do(member, http.MethodGet, "events/events/", nil)
	b.do(stranger, http.MethodGet, "events/events/"+pk+"/", nil)
	b.do(member, http.MethodPut, "events/events/"+pk+"/", fields{})
	b.do(member, http.MethodGet, "flows/instances/", nil)
	want := []string{
		"events map[username:jane] found 1", "events map[pk:" + pk + "] found 1", "events map[actions:login,model_created username:root] found 1",
		"event numbers map[history_days:2] found 0",
		"refused events " + pk + " to somebody: immutable", "refused events  to somebody: permission",
		"refused events  to a stranger: unauthenticated", "refused events  to somebody: permission",
	}
	if diff := cmp.Diff(want, b.looks.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	b.looks.broken = http.ErrHandlerTimeout
	for _, path := range []string{"events/events/", "events/events/" + pk + "/", "events/events/volume/", "reports/exports/"} {
		if got := b.do(admin, http.MethodGet, path, nil); got.status != 500 || strings.Contains(got.text, "results") {
			t.Errorf("%s is shown unseen: %d %s", path, got.status, got.text)
		}
	}
}
