package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// guarded is a login with a policy on its second factor, and a flow that is
// not for everybody.
const guarded = `
version: 1
metadata: {name: guarded}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: guarded}
    attrs: {name: Guarded, title: Guarded, designation: authentication}
  - model: authentik_stages_identification.identificationstage
    id: who
    identifiers: {name: who}
    attrs: {user_fields: [username]}
  - model: authentik_stages_password.passwordstage
    id: password
    identifiers: {name: password}
    attrs: {backends: [authentik.core.auth.InbuiltBackend]}
  - model: authentik_stages_dummy.dummystage
    id: extra
    identifiers: {name: extra}
  - model: authentik_stages_user_login.userloginstage
    id: login
    identifiers: {name: login}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf who, order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf password, order: 20}
  - model: authentik_flows.flowstagebinding
    id: extra-binding
    identifiers: {target: !KeyOf flow, stage: !KeyOf extra, order: 30}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 40}
  - model: authentik_policies_expression.expressionpolicy
    id: outside
    identifiers: {name: only-from-outside}
    attrs:
      expression: |
        network = "10.0.0.0/8"
        return not ak_client_ip in ip_network(network)
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf extra-binding, policy: !KeyOf outside, order: 0}
  - model: authentik_flows.flow
    id: closed
    identifiers: {slug: closed}
    attrs: {name: Closed, title: Closed, designation: stage_configuration}
  - model: authentik_policies_expression.expressionpolicy
    id: nobody
    identifiers: {name: nobody}
    attrs:
      expression: |
        ak_message("closed on Sundays")
        return False
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf closed, policy: !KeyOf nobody, order: 0}
`

// walk visits a flow with answers, in a session of its own, and returns the
// execution.
func (a *app) walk(t *testing.T, slug string, answers ...string) string {
	t.Helper()
	s := newKey()
	meta := system("session:" + s)
	begin := session.Begin{Kind: "browser", Now: time.Now(), Expires: time.Now().Add(time.Hour)}
	if _, err := a.sessionHandler.Handle(t.Context(), eventstore.Stream("session", s), begin, meta); err != nil {
		t.Fatal(err)
	}
	c := session.Caller{Session: s, Network: session.Network{IP: "10.1.2.3"}, Request: "r1", Now: time.Now()}
	v := execution.Visit{Slug: slug, Entry: "api", Query: url.Values{}, Caller: c}
	id := ""
	for i := -1; i < len(answers); i++ {
		if i >= 0 {
			v.Response = []byte(answers[i])
		}
		answer, err := a.executor.Visit(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if id = answer.Execution; answer.Advanced {
			v.Response = nil
			if _, err := a.executor.Visit(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.sync(t)
	return id
}

// folder makes a data folder in which somebody has logged in and somebody was
// turned away, and returns it with the two executions.
func folder(t *testing.T) (data, login, denied string) {
	t.Helper()
	data = t.TempDir()
	file := filepath.Join(t.TempDir(), "guarded.yaml")
	if err := os.WriteFile(file, []byte(guarded), 0o600); err != nil {
		t.Fatal(err)
	}
	does(t, "", "import", "--data", data, file)
	if got := does(t, "hunter2\n", "user", "--data", data, "create", "--name", "Ada L.", "--email", "ada@example.org", "ada"); got != "created ada, key 2\n" {
		t.Fatalf("create says %q", got)
	}
	err := with(t.Context(), storage{data: data, store: "sqlite:"}, discard(), func(_ context.Context, a *app) error {
		login = a.walk(t, "guarded", `{"uid_field":"ada"}`, `{"password":"wrong"}`, `{"password":"hunter2"}`)
		denied = a.walk(t, "closed")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return data, login, denied
}

var (
	ids     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	keyText = regexp.MustCompile(`\b[A-Z2-7]{52}\b`)
	times   = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?(\.\d+)?( UTC)?`)
	spans   = regexp.MustCompile(`\+\d+\.\d{3} s`)
	millis  = regexp.MustCompile(`\b\d+ ms\b`)
	digests = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
)

// normal replaces what differs from run to run: ids by their number, times.
func normal(text string) string {
	known := map[string]string{}
	text = ids.ReplaceAllStringFunc(keyText.ReplaceAllString(text, "KEY"), func(id string) string {
		if known[id] == "" {
			known[id] = fmt.Sprintf("ID%d", len(known)+1)
		}
		return known[id]
	})
	text = digests.ReplaceAllString(millis.ReplaceAllString(text, "N ms"), "DIGEST")
	return spans.ReplaceAllString(times.ReplaceAllString(text, "TIME"), "+0.000 s")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestStories(t *testing.T) {
	data, login, denied := folder(t)
	t.Run("a login", func(t *testing.T) {
		text := does(t, "", "execution", "--data", data, login)
		golden(t, "story_login.txt", normal(text))
		for _, want := range []string{"only-from-outside", "decided in line 2", "return not ak_client_ip in ip_network(network)", "Logged ada in"} {
			if !strings.Contains(text, want) {
				t.Errorf("the story does not say %q", want)
			}
		}
		if strings.Contains(text, "hunter2") || strings.Contains(text, `"wrong"`) {
			t.Error("the story tells a password")
		}
	})
	t.Run("a denied one", func(t *testing.T) {
		text := does(t, "", "execution", "--data", data, denied)
		golden(t, "story_denied.txt", normal(text))
		for _, want := range []string{"policy nobody", "decided in line 2", "return False", "closed on Sundays"} {
			if !strings.Contains(text, want) {
				t.Errorf("the story does not say %q", want)
			}
		}
	})
	t.Run("as of a revision", func(t *testing.T) {
		var s struct {
			Revision int               `json:"revision"`
			Status   string            `json:"status"`
			Current  string            `json:"current_stage"`
			Asked    string            `json:"challenge"`
			Plan     []execution.Entry `json:"plan"`
		}
		if err := json.Unmarshal([]byte(does(t, "", "execution", "--data", data, "--at", "4", login)), &s); err != nil {
			t.Fatal(err)
		}
		if s.Revision != 4 || s.Status != "running" || s.Current != "who" || s.Asked != "ak-stage-identification" || len(s.Plan) != 4 {
			t.Errorf("%+v", s)
		}
		if _, stderr, status := flowledger(t, "", "execution", "--data", data, "--at", "1000", login); status != exitFailed || !strings.Contains(stderr, "ends at revision") {
			t.Errorf("behind the end: %d %s", status, stderr)
		}
	})
	t.Run("events", func(t *testing.T) { testEvents(t, data, login) })
	t.Run("rebuild", func(t *testing.T) { testRebuild(t, data) })
	t.Run("people and tokens", func(t *testing.T) { testPeople(t, data) })
}

func testEvents(t *testing.T, data, login string) {
	count := func(args ...string) int {
		return strings.Count(does(t, "", append([]string{"events", "--data", data}, args...)...), "\n")
	}
	all := count()
	execution := count("--stream", "execution-"+login)
	for name, got := range map[string][2]int{
		"of a type":            {count("--type", "UserLoggedIn"), 1},
		"of a type and stream": {count("--type", "UserLoggedIn", "--stream", "execution-"+login), 1},
		"of an hour":           {count("--since", "1h"), all},
		"since a time to come": {count("--since", "2999-01-01T00:00:00Z"), 0},
		"of an unknown stream": {count("--stream", "execution-x"), 0},
		"caused by the execution, in other streams": {count("--execution", login) - execution, 2}, // attached, authenticated
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d lines, want %d", name, got[0], got[1])
		}
	}
	if execution == 0 || all <= execution {
		t.Errorf("%d events, %d of the execution", all, execution)
	}
	for line := range strings.Lines(does(t, "", "events", "--data", data, "--json")) {
		var e struct {
			Type     string          `json:"type"`
			Stream   string          `json:"stream"`
			Position string          `json:"position"`
			Payload  json.RawMessage `json:"payload"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Type == "" || e.Stream == "" || e.Position == "" || len(e.Payload) == 0 {
			t.Fatalf("%s: %v", line, err)
		}
		if strings.Contains(line, "hunter2") || strings.Contains(line, "ada@example.org") {
			t.Errorf("in the clear: %s", line)
		}
	}
}

// testRebuild compares every table before and after.
func testRebuild(t *testing.T, data string) {
	before := tables(t, filepath.Join(data, "views.db"))
	text := does(t, "", "rebuild", "--data", data)
	if !regexp.MustCompile(`^rebuilt from \d+ events in \d+\.\d s, \d+ events/s\n$`).MatchString(text) {
		t.Errorf("says %q", text)
	}
	if diff := cmp.Diff(before, tables(t, filepath.Join(data, "views.db"))); diff != "" {
		t.Errorf("tables (-before +after):\n%s", diff)
	}
	if len(before) < 8 || !strings.Contains(before["users"], "ada") {
		t.Errorf("%d tables", len(before))
	}
}

// tables are the rows of each table, as text.
func tables(t *testing.T, path string) map[string]string {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out := map[string]string{}
	var names []string
	query := func(text string, row func(*sqlite.Stmt)) {
		t.Helper()
		err := sqlitex.ExecuteTransient(conn, text, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
			row(s)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", func(s *sqlite.Stmt) {
		names = append(names, s.ColumnText(0))
	})
	for _, name := range names {
		var b bytes.Buffer
		columns := 0
		query(fmt.Sprintf("SELECT count(*) FROM pragma_table_info('%s')", name), func(s *sqlite.Stmt) { columns = s.ColumnInt(0) })
		order := make([]string, columns)
		for i := range order {
			order[i] = fmt.Sprint(i + 1)
		}
		query(fmt.Sprintf("SELECT * FROM %q ORDER BY %s", name, strings.Join(order, ", ")), func(s *sqlite.Stmt) {
			for i := range s.ColumnCount() {
				fmt.Fprintf(&b, "%q ", s.ColumnText(i))
			}
			b.WriteByte('\n')
		})
		out[name] = b.String()
	}
	return out
}

func testPeople(t *testing.T, data string) {
	if got := does(t, "", "user", "--data", data, "list"); !regexp.MustCompile(`(?m)^2 +ada +Ada L\. +ada@example\.org +true$`).MatchString(got) {
		t.Errorf("list says\n%s", got)
	}
	if _, stderr, status := flowledger(t, "x\n", "user", "--data", data, "create", "ada"); status != exitFailed || !strings.Contains(stderr, "This field must be unique.") {
		t.Errorf("the name again: %d %s", status, stderr)
	}
	does(t, "another\n", "user", "--data", data, "set-password", "ada")
	key := strings.TrimSpace(does(t, "", "token", "--data", data, "create", "--ttl", "1h", "ada"))
	err := with(t.Context(), storage{data: data, store: "sqlite:"}, discard(), func(ctx context.Context, a *app) error {
		id, owner, err := (&bearers{app: a}).Bearer(ctx, key)
		if who, _ := a.users.Person(ctx, owner); err != nil || id == "" || who.Username != "ada" {
			t.Errorf("the key %d letters long is of %q, %v", len(key), who.Username, err)
		}
		x := a.state(t, a.walk(t, "guarded", `{"uid_field":"ada"}`, `{"password":"hunter2"}`))
		if x.Failures != 1 {
			t.Errorf("the old password works: %+v", x.Status)
		}
		x = a.state(t, a.walk(t, "guarded", `{"uid_field":"ada"}`, `{"password":"another"}`))
		if x.Status != execution.Completed {
			t.Errorf("the new password does not work: %s", x.Status)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (a *app) state(t *testing.T, id string) execution.State {
	t.Helper()
	s, _, err := a.executionHandler.Load(t.Context(), eventstore.Stream("execution", id))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
