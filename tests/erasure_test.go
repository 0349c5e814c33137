package tests

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is known of a person who comes and leaves.
var leaver = map[string]string{
	"user name": "lovelace-mark", "name": "Augusta Mark King", "e-mail": "augusta-mark@example.test",
	"attribute": "mark-of-the-engine", "address": "203.0.113.77", "agent": "MarkBrowser/7.7",
}

// comingAndGoing is a blueprint of flows to make a user and to delete oneself.
const comingAndGoing = `version: 1
metadata: {name: coming and going}
entries:
  - model: authentik_flows.flow
    id: join
    identifiers: {slug: join}
    attrs: {name: join, title: Join, designation: enrollment, authentication: none}
  - model: authentik_stages_prompt.prompt
    id: username
    identifiers: {name: join-username}
    attrs: {field_key: username, label: Username, type: username, required: true}
  - model: authentik_stages_prompt.prompt
    id: name
    identifiers: {name: join-name}
    attrs: {field_key: name, label: Name, type: text, required: true}
  - model: authentik_stages_prompt.prompt
    id: email
    identifiers: {name: join-email}
    attrs: {field_key: email, label: Email, type: email, required: true}
  - model: authentik_stages_prompt.prompt
    id: engine
    identifiers: {name: join-engine}
    attrs: {field_key: attributes.engine, label: Engine, type: text, required: true}
  - model: authentik_stages_prompt.prompt
    id: password
    identifiers: {name: join-password}
    attrs: {field_key: password, label: Password, type: password, required: true}
  - model: authentik_stages_prompt.promptstage
    id: prompt
    identifiers: {name: join-prompt}
    attrs: {fields: [!KeyOf username, !KeyOf name, !KeyOf email, !KeyOf engine, !KeyOf password]}
  - model: authentik_stages_user_write.userwritestage
    id: write
    identifiers: {name: join-write}
    attrs: {user_creation_mode: always_create}
  - model: authentik_stages_user_login.userloginstage
    id: login
    identifiers: {name: join-login}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf join, stage: !KeyOf prompt, order: 0}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf join, stage: !KeyOf write, order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf join, stage: !KeyOf login, order: 20}
  - model: authentik_policies_expression.expressionpolicy
    id: adult
    identifiers: {name: of age}
    attrs: {expression: "return True"}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf join, policy: !KeyOf adult, order: 0}
  - model: authentik_flows.flow
    id: leave
    identifiers: {slug: leave}
    attrs: {name: leave, title: Leave, designation: unenrollment, authentication: require_authenticated}
  - model: authentik_stages_user_delete.userdeletestage
    id: delete
    identifiers: {name: leave-delete}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf leave, stage: !KeyOf delete, order: 0}
`

// join makes the leaver's user in a browser of theirs.
func join(t *testing.T, s *server) *client {
	t.Helper()
	c := s.visitor(t)
	c.from, c.agent = leaver["address"], leaver["agent"]
	if _, err := c.challenge("join"); err != nil {
		t.Fatal(err)
	}
	got, err := c.respond("join", object{
		"username": leaver["user name"], "name": leaver["name"], "email": leaver["e-mail"], "attributes.engine": leaver["attribute"],
		"password": cheapPassword,
	})
	if err != nil || got.text("component") != "xak-flow-redirect" {
		t.Fatalf("join: %v, %v", got, err)
	}
	return c
}

// traces are the files of a folder in which something of the leaver can be
// read, in the clear or dressed up.
func traces(t *testing.T, folder string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for what, mark := range leaver {
			for _, form := range []string{mark, strings.ToLower(mark), base64.StdEncoding.EncodeToString([]byte(mark)), hex.EncodeToString([]byte(mark))} {
				if bytes.Contains(text, []byte(form)) {
					found = append(found, what+" in "+filepath.Base(path))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Somebody joins, logs in elsewhere, mistypes, and leaves, or is removed. What
// stays tells that somebody logged in, when, and under which policy; who it
// was can be read nowhere.
func TestErasure(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, s *server, c *client, pk string){
		"by leaving": func(t *testing.T, _ *server, c *client, _ string) {
			got, err := c.challenge("leave")
			if err != nil || got.text("component") != "xak-flow-redirect" {
				t.Fatalf("leave: %v, %v", got, err)
			}
		},
		"by an administrator": func(t *testing.T, s *server, _ *client, pk string) {
			s.admin(t).must(t, http.StatusNoContent, http.MethodDelete, "/api/v3/core/users/"+pk+"/", nil)
		},
		"by a blueprint": func(t *testing.T, s *server, _ *client, _ string) {
			s.admin(t).mustImport(t, "version: 1\nmetadata: {name: x}\nentries:\n  - model: authentik_core.user\n    state: absent\n    identifiers: {username: "+leaver["user name"]+"}\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, "--trusted-proxies", "127.0.0.0/8")
			admin := s.admin(t)
			admin.mustImport(t, comingAndGoing)
			admin.mustImport(t, cheapLogin("other", 1))
			first := join(t, s)
			second := s.visitor(t)
			second.from, second.agent = leaver["address"], leaver["agent"]
			if got, err := second.login("other-login", leaver["user name"], "wrong"); err == nil && got.text("component") != "ak-stage-password" {
				t.Fatalf("a wrong password: %v", got)
			}
			if _, err := second.respond("other-login", object{"password": cheapPassword}); err != nil {
				t.Fatal(err)
			}
			me := second.must(t, http.StatusOK, http.MethodGet, "/api/v3/core/users/me/", nil)
			o, err := me.object()
			if err != nil {
				t.Fatal(err)
			}
			pk := fmt.Sprint(at(o, "user.pk"))
			if len(traces(t, s.data)) == 0 {
				t.Fatal("nothing can be found before either")
			}
			leave(t, s, first, pk)
			for _, c := range []*client{first, second} {
				c.must(t, http.StatusForbidden, http.MethodGet, "/api/v3/core/users/me/", nil)
			}
			// Whoever reads while the log of the views is emptied prevents that
			// until something happens again.
			found := traces(t, s.data)
			for n := 0; found != nil && n < 50; n++ {
				admin.must(t, http.StatusOK, http.MethodGet, fmt.Sprint("/api/v3/ledger/events/?limit=1&after=", n, "&type=None", n), nil)
				found = traces(t, s.data)
			}
			if found != nil {
				t.Errorf("while the server runs: %q", found)
			}
			before := lists(t, admin)
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
			if found := traces(t, s.data); found != nil {
				t.Errorf("when it has ended: %q", found)
			}
			if out, errs, code := s.command("", "rebuild", "--data", s.data); code != 0 {
				t.Fatalf("rebuild: %s%s", out, errs)
			}
			story(t, s)
			if err := s.run(); err != nil {
				t.Fatal(err)
			}
			if after := lists(t, admin); after != before {
				t.Errorf("before the rebuild\n%s\nand after it\n%s", before, after)
			}
			join(t, s) // the name is free
		})
	}
}

// lists are what the read models tell of executions and users.
func lists(t *testing.T, admin *client) string {
	t.Helper()
	var b strings.Builder
	for _, path := range []string{"/api/v3/core/users/", "/api/v3/core/groups/", "/api/v3/core/authenticated_sessions/"} {
		b.Write(admin.must(t, http.StatusOK, http.MethodGet, path, nil).body)
	}
	return b.String()
}

// story checks what the ledger tells of the enrollment.
func story(t *testing.T, s *server) {
	t.Helper()
	out, errs, code := s.command("", "events", "--data", s.data, "--type", "UserLoggedIn", "--json")
	found := regexp.MustCompile(`execution-([-0-9a-f]+)`).FindStringSubmatch(out)
	if code != 0 || found == nil {
		t.Fatalf("events: %s%s", out, errs)
	}
	out, errs, code = s.command("", "execution", "--data", s.data, found[1])
	if code != 0 {
		t.Fatalf("execution: %s%s", out, errs)
	}
	for _, want := range []string{"UserLoggedIn", "of age", "join-prompt"} {
		if !strings.Contains(out, want) {
			t.Errorf("the story does not tell of %s:\n%s", want, out)
		}
	}
	for what, mark := range leaver {
		if strings.Contains(out, mark) {
			t.Errorf("the story tells the %s:\n%s", what, out)
		}
	}
}
