package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// A desk is a program with the shipped blueprints, and its administrator.
type desk struct {
	t        *testing.T
	handler  http.Handler
	document *openapi3.T
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	a, _ := newApp(t)
	if _, err := a.start(t, config{bootstrapToken: "key-of-the-desk", bootstrapPassword: "a good passphrase 5"}); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, handler: a.handler(config{}, newMetrics(a))}
	var err error
	if d.document, err = openapi3.NewLoader().LoadFromData([]byte(d.do(http.MethodGet, "/schema/", nil).text)); err != nil {
		t.Fatal(err)
	}
	return d
}

// An apiReply is an answer of the API.
type apiReply struct {
	status int
	text   string
}

func (d *desk) do(method, path string, body any) apiReply {
	d.t.Helper()
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			d.t.Fatal(err)
		}
		text = string(encoded)
	}
	r := httptest.NewRequestWithContext(d.t.Context(), method, "/api/v3"+path, strings.NewReader(text))
	r.Header.Set("Authorization", "Bearer key-of-the-desk")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return apiReply{w.Code, w.Body.String()}
}

// results are the entries of a list.
func (d *desk) results(path string) []any {
	d.t.Helper()
	var page struct{ Results []any }
	got := d.do(http.MethodGet, path, nil)
	if err := json.Unmarshal([]byte(got.text), &page); err != nil || got.status != http.StatusOK {
		d.t.Fatalf("%s: %d %s", path, got.status, got.text)
	}
	return page.Results
}

// fill makes one of everything that the document says can be made, so that no
// list is empty.
func (d *desk) fill() {
	for _, path := range slices.Sorted(maps.Keys(d.document.Paths.Map())) {
		op := d.document.Paths.Value(path).Post
		list := d.document.Paths.Value(path).Get
		if path == "/stages/source/" || op == nil || list == nil || // there are no sources
			op.RequestBody == nil || strings.Contains(path, "{") {
			continue
		}
		body := map[string]any{}
		schema := op.RequestBody.Value.Content["application/json"].Schema.Value
		for _, name := range schema.Required {
			body[name] = d.sample(name, path, schema.Properties[name].Value)
		}
		maps.Copy(body, samples[path])
		if got := d.do(http.MethodPost, path, body); got.status != http.StatusCreated {
			d.t.Errorf("%s %v: %d %s", path, body, got.status, got.text)
		}
	}
}

// permit gives a role a permission.
func (d *desk) permit() {
	role := d.results("/rbac/roles/")[0].(map[string]any)["pk"].(string)
	got := d.do(http.MethodPost, "/rbac/permissions/assigned_by_roles/"+role+"/assign/", map[string]any{"permissions": []string{"authentik_events.view_event"}})
	if got.status != http.StatusOK {
		d.t.Errorf("permit: %d %s", got.status, got.text)
	}
}

// samples are bodies that a schema alone cannot tell.
var samples = map[string]map[string]any{
	"/ledger/sinks/":           {"target": "https://siem.example.org/"},
	"/policies/bindings/":      {"order": 7, "timeout": 7, "user": 1},
	"/policies/reputation/":    {"check_ip": true},
	"/policies/event_matcher/": {"action": "login"},
	"/policies/expression/":    {"expression": "return True"},
	"/stages/identification/":  {"user_fields": []string{"username"}},
	"/stages/redirect/":        {"target_static": "https://example.org"},
	"/managed/blueprints/":     {"content": "version: 1\nmetadata: {name: filter-me}\nentries: []\n", "path": ""},
	"/flows/bindings/":         {"order": 77},
	"/events/events/":          {"action": "custom_filter_me", "app": "filter-me"},
}

// sample is a value that a field may have: of references, one that leads
// somewhere.
func (d *desk) sample(name, path string, s *openapi3.Schema) any {
	first := func(path string) any {
		return d.results(path)[0].(map[string]any)["pk"]
	}
	switch {
	case name == "target":
		return first("/flows/instances/")
	case name == "stage":
		return first("/stages/all/")
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type.Is("array") && name == "fields":
		return []any{first("/stages/prompt/prompts/")}
	case s.Type.Is("array"):
		return []any{}
	case s.Type.Is("integer"):
		return 1
	}
	return strings.Trim("filter-me-"+strings.ReplaceAll(path, "/", "-"), "-")
}

// deaf are the parameters of the contract that change nothing here, and why.
var deaf = map[string]string{
	"/core/applications/":           "there are no applications to pick from",
	"/core/user_consent/":           "nobody has agreed to anything here; handlers/adminapi tests user and application, and there are no words to search",
	"/policies/reputation/scores/":  "nobody has a reputation here; handlers/adminapi tests it",
	"/events/notifications/":        "nobody was told of anything here; handlers/adminapi tests it",
	"/reports/exports/":             "no export was made here; handlers/adminapi tests it",
	"/events/events/top_per_user/":  "no application was authorized here; handlers/adminapi tests it",
	"/stages/source/":               "there are no sources, and so no such stages",
	"/rbac/roles/ inherited":        "it goes with users; handlers/adminapi tests it",
	"/rbac/permissions/roles/":      "there are no permissions on single things",
	"/core/authenticated_sessions/": "nobody is logged in here; handlers/adminapi tests it",
	"/schema/ lang":                 "the document is in one language",
}

// Each parameter that the contract has for a list does something: it picks, it
// changes what is shown, or it is refused.
func TestListsHearTheirParameters(t *testing.T) {
	contract := published(t)
	d := newDesk(t)
	d.fill()
	d.permit()
	for _, path := range slices.Sorted(maps.Keys(d.document.Paths.Map())) {
		theirs := contract.Paths.Value(path)
		if d.document.Paths.Value(path).Get == nil || theirs == nil || theirs.Get == nil || strings.Contains(path, "{") || deaf[path] != "" {
			continue
		}
		for _, p := range theirs.Get.Parameters {
			name := p.Value.Name
			if p.Value.In != "query" || name == "page" || name == "page_size" || name == "ordering" || deaf[path+" "+name] != "" {
				continue
			}
			if !d.hears(path, p.Value) {
				t.Errorf("%s does not hear %s", path, name)
			}
		}
	}
}

// needed are parameters without which a list is refused.
var needed = map[string]map[string]string{
	"/events/events/stats/":                {"count_steps": "hours=24"},
	"/rbac/permissions/assigned_by_roles/": {"model": "authentik_events.event"},
}

// hears tells whether some value of a parameter makes a difference.
func (d *desk) hears(path string, p *openapi3.Parameter) bool {
	query := url.Values{}
	for name, value := range needed[path] {
		query.Set(name, value)
	}
	all := d.do(http.MethodGet, path+"?"+query.Encode(), nil)
	for _, value := range probes(p.Schema.Value) {
		query.Set(p.Name, value)
		got := d.do(http.MethodGet, path+"?"+query.Encode(), nil)
		if got.status == http.StatusBadRequest && strings.Contains(got.text, `"`+p.Name+`"`) || got.status == http.StatusOK && got.text != all.text {
			return true
		}
	}
	return false
}

// probes are values that a list of few things tells apart.
func probes(s *openapi3.Schema) []string {
	if s.Type != nil && s.Type.Is("array") {
		s = s.Items.Value
	}
	if len(s.AllOf) == 1 {
		s = s.AllOf[0].Value
	}
	switch {
	case len(s.Enum) > 0:
		var out []string
		for _, choice := range s.Enum {
			out = append(out, fmt.Sprint(choice))
		}
		return out
	case s.Type != nil && s.Type.Is("boolean"):
		return []string{"true", "false"}
	case s.Type != nil && (s.Type.Is("integer") || s.Type.Is("number")):
		return []string{"987654", "1", "0"}
	case s.Format == "uuid":
		return []string{"00000000-0000-0000-0000-00000000ffff", "no uuid"}
	case s.Format == "date-time":
		return []string{"2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"}
	}
	return []string{"zz-nothing-is-called-so"}
}
