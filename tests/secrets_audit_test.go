package tests

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// auditSinks are the formats in which events leave the house.
var auditSinks = []string{"ocsf", "ecs", "cef", "json"}

// alike is how many pages of a kind are looked at, and how many things of one
// kind are asked for.
const alike = 8

// someID is what differs between pages of a kind.
var someID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// consoleLink is a link within the console, or to one of its pictures.
var consoleLink = regexp.MustCompile(`(?:href|action|src)="(/if/admin/[^"#]*)`)

// TestAuditTellsNoSecrets has people live with marked secrets, and looks at all
// that auditors can see: no page, answer, export or sink has any of them. Then
// the people are erased, and looks again: nothing that stays has their names.
func TestAuditTellsNoSecrets(t *testing.T) {
	d := &diary{}
	s := secretsOfLife(t, d)
	root, auditor := d.rootOf(t, s)
	for _, format := range auditSinks {
		for _, personal := range []bool{false, true} {
			root.must(t, http.StatusCreated, http.MethodPost, "/api/v3/ledger/sinks/", object{
				"name": fmt.Sprint(format, personal), "kind": "file", "target": fmt.Sprintf("marks/%s-%t.log", format, personal),
				"format": format, "personal": personal, "all": true, "start": "beginning", "linger": "milliseconds=50",
			})
		}
	}
	d.audit(t, root, auditor)
	for _, hit := range d.search(readFolder(t, s.data), filed{name: "the log", text: []byte(s.log.String())}) {
		t.Error(hit)
	}
	erased := d.eraseAll(t, root)
	before := len(d.answers)
	d.audit(t, root, auditor)
	d.delivered(t, s, root)
	for _, a := range d.answers[before:] {
		for _, m := range erased {
			if bytes.Contains(a.text, []byte(m.text)) {
				t.Errorf("%s (%d) has %s after the erasure: %s", a.name, a.status, m.what, around(a.text, m.text))
			}
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	files := readFolder(t, s.data)
	for _, hit := range d.search(files, filed{name: "the log", text: []byte(s.log.String())}) {
		t.Error(hit)
	}
	d.searchSinks(t, files)
	t.Logf("%d marks, %d files, %d answers", len(d.marks), len(files), len(d.answers))
}

// rootOf returns a client with the token, and one with a session of the same
// superuser.
func (d *diary) rootOf(t *testing.T, s *server) (root, auditor *client) {
	t.Helper()
	find := func(what string) string {
		i := slices.IndexFunc(d.marks, func(m mark) bool { return m.what == what })
		return d.marks[i].text
	}
	root, auditor = d.client(s), d.client(s)
	root.bearer = find("bootstrap token")
	if _, err := auditor.login("default-authentication-flow", "akadmin", find("bootstrap password")); err != nil {
		t.Fatal(err)
	}
	return root, auditor
}

// audit looks at everything there is to see.
func (d *diary) audit(t *testing.T, root, auditor *client) {
	t.Helper()
	seen, kinds, todo := map[string]bool{}, map[string]int{}, []string{"/if/admin/"}
	for len(todo) > 0 {
		page := strings.ReplaceAll(todo[0], "&amp;", "&")
		todo = todo[1:]
		kind, _, _ := strings.Cut(someID.ReplaceAllString(page, "ID"), "?")
		if seen[page] || kinds[kind] == alike {
			continue
		}
		seen[page] = true
		kinds[kind]++
		a, err := auditor.send(http.MethodGet, page, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.status >= 500 {
			t.Errorf("GET %s: %d", page, a.status)
		}
		for _, link := range consoleLink.FindAllSubmatch(a.body, -1) {
			todo = append(todo, string(link[1]))
		}
	}
	if len(kinds) < 15 {
		t.Errorf("only %d kinds of pages: %v", len(kinds), kinds)
	}
	ids := d.idsOf(t, root)
	for _, r := range rules(t) {
		about := strings.HasPrefix(r.path, "ledger/") || strings.HasPrefix(r.path, "flows/executions/") || strings.HasPrefix(r.path, "events/events/")
		if r.method != http.MethodGet || !about || strings.HasSuffix(r.path, "stream/") {
			continue
		}
		for _, path := range ids.filled(r.path) {
			a, err := root.send(http.MethodGet, "/api/v3/"+path, nil)
			if err != nil || a.status >= 500 {
				t.Fatalf("GET %s: %v %v", path, a, err)
			}
		}
	}
	for _, format := range []string{"jsonl", "csv", "ocsf", "ecs", "cef", "syslog"} {
		d.export(t, root, "ledger/export/?format="+format)
	}
	d.export(t, root, "flows/executions/export/?format=jsonl")
	d.export(t, root, "flows/executions/export/?format=csv")
}

// export takes a file away, and looks for what must not be in it: nobody has
// asked for names. With names it is searched as all answers are.
func (d *diary) export(t *testing.T, root *client, path string) {
	t.Helper()
	root.must(t, http.StatusOK, http.MethodGet, "/api/v3/"+path+"&personal=true", nil)
	a := root.must(t, http.StatusOK, http.MethodGet, "/api/v3/"+path, nil)
	if len(a.body) < 1000 {
		t.Errorf("%s: %d bytes", path, len(a.body))
	}
	for _, m := range d.marks {
		if m.what == "session cookie" {
			continue // it is searched everywhere in the end
		}
		for how, pattern := range forms(m) {
			if bytes.Contains(a.body, pattern) {
				t.Errorf("%s has %s, %s", path, m.what, how)
			}
		}
	}
}

// someIDs are ids of things that there are, by the part of the path in front.
type someIDs map[string][]string

var anUUID = regexp.MustCompile(`"(?:pk|id|uuid|event)": ?"([0-9a-f]{8}-[0-9a-f-]{27})"`)

// idsOf asks for things to look at.
func (d *diary) idsOf(t *testing.T, root *client) someIDs {
	t.Helper()
	ids := someIDs{}
	for _, list := range []string{"flows/executions/", "ledger/sinks/", "ledger/erasures/", "ledger/changes/", "events/events/"} {
		a, err := root.send(http.MethodGet, "/api/v3/"+list+"?page_size=200", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range anUUID.FindAllSubmatch(a.body, -1) {
			ids[list] = append(ids[list], string(m[1]))
		}
	}
	if len(ids["flows/executions/"]) < 10 {
		t.Errorf("only %d executions to look at", len(ids["flows/executions/"]))
	}
	return ids
}

// filled are the paths of a pattern for the things that there are.
func (ids someIDs) filled(pattern string) (paths []string) {
	list, rest, one := strings.Cut(pattern, "{")
	if !one {
		return []string{pattern}
	}
	_, rest, _ = strings.Cut(rest, "}")
	for _, id := range ids[list][:min(len(ids[list]), alike)] {
		paths = append(paths, list+id+rest)
	}
	return paths
}

// eraseAll deletes everybody but the superuser, and returns what was known of
// them.
func (d *diary) eraseAll(t *testing.T, root *client) (gone []mark) {
	t.Helper()
	a := must(root.must(t, http.StatusOK, http.MethodGet, "/api/v3/core/users/?page_size=100", nil).object())(t)
	for _, one := range a["results"].([]any) {
		u := object(one.(map[string]any))
		if u.text("username") != "akadmin" {
			root.must(t, http.StatusNoContent, http.MethodDelete, fmt.Sprintf("/api/v3/core/users/%v/", u["pk"]), nil)
		}
	}
	for _, m := range d.marks {
		switch m.what {
		case "user name", "name", "mail address", "attribute of a user", "user name by API", "name by API", "mail address by API", "new name by API":
			gone = append(gone, m)
		}
	}
	if len(gone) < 8 {
		t.Fatalf("only %d things are known of people", len(gone))
	}
	return gone
}

// delivered waits until all sinks have what there is.
func (d *diary) delivered(t *testing.T, s *server, root *client) {
	t.Helper()
	head := func() string {
		a := must(root.must(t, http.StatusOK, http.MethodGet, "/api/v3/ledger/sinks/health/", nil).object())(t)
		return fmt.Sprint(a)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		full := 0
		for _, f := range readFolder(t, filepath.Join(s.data)) {
			if strings.Contains(f.name, "marks") && bytes.Contains(f.text, []byte("UserDeleted")) {
				full++
			}
		}
		if full >= 2*len(auditSinks) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d sinks have the deletions: %s", full, 2*len(auditSinks), head())
		}
	}
}

// searchSinks looks for marks in what went out: secrets anywhere, names and
// what was typed for one where names are not wanted.
func (d *diary) searchSinks(t *testing.T, files []filed) {
	t.Helper()
	found := 0
	for _, f := range files {
		if !strings.Contains(f.name, filepath.Join("marks", "")) || !strings.HasSuffix(f.name, ".log") {
			continue
		}
		found++
		for _, m := range d.marks {
			for how, pattern := range forms(m) {
				if (m.kind == secret || strings.Contains(f.name, "-false")) && bytes.Contains(f.text, pattern) {
					t.Errorf("%s has %s, %s", filepath.Base(f.name), m.what, how)
				}
			}
		}
	}
	if found != 2*len(auditSinks) {
		t.Errorf("%d files of sinks", found)
	}
}

// around is what stands around a text, for whoever looks for its reason.
func around(text []byte, what string) []byte {
	i := bytes.Index(text, []byte(what))
	return text[max(0, i-400):min(len(text), i+len(what)+200)]
}
