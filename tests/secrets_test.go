package tests

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// A mark is a random word that is typed somewhere, and must not be found
// elsewhere.
type mark struct {
	text string
	what string
	kind markKind
}

type markKind int

const (
	// secret must be in no file, log or answer, and neither must its digest:
	// passwords can be guessed from one.
	secret markKind = iota
	// bearer is random enough for its digest to be kept.
	bearer
	// typed is what somebody put into a field for names. It may be a password,
	// and it may be shown to the one who typed it.
	typed
	// personal may be in views.db only, which holds the current profiles.
	personal
)

// A diary collects marks, and what the server answered.
type diary struct {
	mu      sync.Mutex // guards all
	marks   []mark
	answers []filed
}

// A filed text is something to search, with its name.
type filed struct {
	name   string
	text   []byte
	status int // of an answer; 0 for a file
}

func (d *diary) mark(kind markKind, what string) string {
	// Letters that no encoding escapes, few enough for one page of a file.
	text := "zq" + strings.ToLower(rand.Text()[:16])
	return d.keep(kind, what, text)
}

// address marks a mail address, and what stands before its @.
func (d *diary) address(what string) string {
	return d.keep(personal, what, d.mark(personal, what)+"@example.test")
}

func (d *diary) keep(kind markKind, what, text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.marks = append(d.marks, mark{text: text, what: what, kind: kind})
	return text
}

// RoundTrip implements [http.RoundTripper]: it files the answers and keeps the
// session cookies as marks.
func (d *diary) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	for _, cookie := range response.Cookies() {
		if cookie.Name == "authentik_session" && len(cookie.Value) > 16 {
			d.keep(bearer, "session cookie", cookie.Value)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers = append(d.answers, filed{name: request.Method + " " + request.URL.Path, text: body, status: response.StatusCode})
	return response, nil
}

// client is a browser that writes into the diary.
func (d *diary) client(s *server) *client {
	c := s.browser()
	c.http.Transport = d
	c.agent = "Browser/" + d.mark(personal, "user agent")
	return c
}

// TestSecrets types known words into everything that the first start asks for,
// and searches what is left behind. What follows is with [TestAuditTellsNoSecrets].
func TestSecrets(t *testing.T) {
	for name, live := range map[string]func(*testing.T, *diary) *server{"set-up": secretsOfSetup} {
		t.Run(name, func(t *testing.T) {
			d := &diary{}
			s := live(t, d)
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
			files := readFolder(t, s.data)
			logs := filed{name: "the log", text: []byte(s.log.String())}
			for _, hit := range d.search(files, logs) {
				t.Error(hit)
			}
			t.Logf("%d marks, %d files, %d answers", len(d.marks), len(files), len(d.answers))
		})
	}
}

// secretsOfSetup is the first start: the link, the flow, a login.
func secretsOfSetup(t *testing.T, d *diary) *server {
	s := startBare(t)
	link := setupLink(t, s)
	c := d.client(s)
	p, err := c.open(link)
	if err != nil {
		t.Fatal(err)
	}
	password, mail := d.mark(secret, "first password"), d.address("first mail address")
	for range 3 {
		if p.loggedIn() {
			break
		}
		fields := map[string]string{}
		for name, kind := range p.inputs() {
			switch kind {
			case "password":
				fields[name] = password
			case "email":
				fields[name] = mail
			case "text":
				fields[name] = d.mark(personal, "text of the set-up flow")
			}
		}
		if p, err = c.hand(p, fields); err != nil {
			t.Fatal(err)
		}
	}
	if !p.loggedIn() {
		t.Fatalf("the set-up ends at %s: %s", p.address, end(p.text(), 500))
	}
	again := d.client(s)
	if _, err := again.login("default-authentication-flow", "akadmin", password); err != nil {
		t.Fatal(err)
	}
	again.must(t, http.StatusOK, http.MethodGet, "/api/v3/core/users/me/", nil)
	return s
}

// setupLink finds the link that the first start prints.
func setupLink(t *testing.T, s *server) string {
	t.Helper()
	link := regexp.MustCompile(regexp.QuoteMeta(s.base) + `(/[^\s"\\]+)`).FindStringSubmatch(s.log.String())
	if link == nil {
		t.Fatalf("the first start prints no link:\n%s", s.log)
	}
	return link[1]
}

// secretsOfLife is the rest: logins that work and that do not, the admin API,
// blueprints, and requests that make no sense.
func secretsOfLife(t *testing.T, d *diary) *server {
	rootPassword, rootToken := d.mark(secret, "bootstrap password"), d.mark(bearer, "bootstrap token")
	s := startBare(t, "--bootstrap-password", rootPassword, "--bootstrap-token", rootToken,
		"--bootstrap-email", d.address("bootstrap mail address"), "--log-level", "info")
	root := d.client(s)
	root.bearer = rootToken
	user := d.mark(personal, "user name")
	userPassword := d.mark(secret, "password in a blueprint")
	root.mustImport(t, fmt.Sprintf(secretsBlueprint, user, d.mark(personal, "name")+" Lovelace",
		d.address("mail address"), userPassword, d.mark(personal, "attribute of a user")))
	secretsOfAdmin(t, d, root)
	secretsOfLogins(t, d, s, user, userPassword)
	secretsOfChange(t, d, s, root, user, userPassword)
	secretsOfNonsense(t, d, s)
	return s
}

const secretsBlueprint = `version: 1
metadata: {name: secrets}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: secrets-together}
    attrs: {name: secrets, title: Sign in, designation: authentication, authentication: none}
  - model: authentik_stages_password.passwordstage
    id: password
    identifiers: {name: secrets-password}
    attrs: {backends: [authentik.core.auth.InbuiltBackend]}
  - model: authentik_stages_identification.identificationstage
    id: identification
    identifiers: {name: secrets-identification}
    attrs: {user_fields: [username, email], password_stage: !KeyOf password}
  - model: authentik_stages_user_login.userloginstage
    id: login
    identifiers: {name: secrets-login}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf identification, order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 20}
  - model: authentik_core.user
    identifiers: {username: %s}
    attrs: {name: "%s", email: "%s", password: "%s", attributes: {nickname: %s}}
`

// secretsOfAdmin creates, changes and looks at people through the API.
func secretsOfAdmin(t *testing.T, d *diary, root *client) {
	t.Helper()
	a := root.must(t, http.StatusCreated, http.MethodPost, "/api/v3/core/users/", object{
		"username": d.mark(personal, "user name by API"), "name": d.mark(personal, "name by API"),
		"email": d.address("mail address by API"),
	})
	made, err := a.object()
	if err != nil {
		t.Fatal(err)
	}
	one := fmt.Sprintf("/api/v3/core/users/%v/", made["pk"])
	root.must(t, http.StatusNoContent, http.MethodPost, one+"set_password/", object{"password": d.mark(secret, "password by API")})
	root.must(t, http.StatusOK, http.MethodPatch, one, object{"name": d.mark(personal, "new name by API")})
	root.must(t, http.StatusOK, http.MethodGet, "/api/v3/core/users/?search="+d.mark(personal, "search"), nil)
	root.must(t, http.StatusOK, http.MethodGet, "/api/v3/events/events/", nil)
	for _, document := range []string{
		"version: 1\nentries:\n  - {model: authentik_core.user, identifiers: {username: %s}, attrs: {name: x, password: {a: %s}}}\n",
		"version: 1\nentries:\n  - {model: authentik_core.user, identifiers: {username: %s}, attrs: {name: x, password: %s, is_active: perhaps}}\n",
		"version: 1\nentries:\n  - {model: authentik_core.user, identifiers: {username: %s}, attrs: {name: x, password: %s}\n",
	} {
		if _, err := root.importBlueprint(fmt.Sprintf(document,
			d.mark(personal, "user name in a bad blueprint"), d.mark(secret, "password in a bad blueprint"))); err != nil {
			t.Fatal(err)
		}
	}
}

// secretsOfLogins logs in, by pages and by API, well and badly.
func secretsOfLogins(t *testing.T, d *diary, s *server, user, password string) {
	t.Helper()
	for _, slug := range []string{"default-authentication-flow", "secrets-together"} {
		logins := [][2]string{
			{user, d.mark(secret, "wrong password")},
			{d.mark(typed, "unknown name"), d.mark(secret, "password of nobody")},
			{d.mark(typed, "password typed as a name"), password},
			{d.mark(typed, "unknown mail address") + "@example.test", password},
			{user, password},
		}
		for _, login := range logins {
			c := d.client(s)
			if _, err := c.challenge(slug); err != nil {
				t.Fatal(err)
			}
			ch, err := c.respond(slug, object{"component": "ak-stage-identification", "uid_field": login[0], "password": login[1]})
			if err == nil && ch.text("component") == "ak-stage-password" {
				_, err = c.respond(slug, object{"component": "ak-stage-password", "password": login[1]})
			}
			if err != nil {
				t.Fatal(err)
			}
			pages := d.client(s)
			p, err := pages.open(flowPage(slug, "") + "?next=%2Fif%2Fuser%2F%3F" + d.mark(personal, "next"))
			for hops := 0; err == nil && p.component() != "" && hops < 2; hops++ {
				p, err = pages.hand(p, map[string]string{"uid_field": login[0], "password": login[1]})
			}
			if err != nil {
				t.Fatal(err)
			}
			if login[0] == user && login[1] == password && !p.loggedIn() {
				t.Fatalf("the login leads to %s: %s", p.address, end(p.text(), 300))
			}
		}
	}
}

const changeBlueprint = `version: 1
metadata: {name: secrets of a change}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: secrets-change}
    attrs: {name: secrets change, title: Change, designation: stage_configuration, authentication: require_authenticated}
  - model: authentik_policies_password.passwordpolicy
    id: rules
    identifiers: {name: secrets-rules}
    attrs: {amount_symbols: 1, check_zxcvbn: true, error_message: Not this one.}
  - model: authentik_policies_unique_password.uniquepasswordpolicy
    id: unique
    identifiers: {name: secrets-unique}
    attrs: {num_historical_passwords: 2}
  - model: authentik_stages_prompt.prompt
    id: field
    identifiers: {name: secrets-field}
    attrs: {field_key: password, label: Password, type: password, required: true}
  - model: authentik_stages_prompt.promptstage
    id: ask
    identifiers: {name: secrets-ask}
    attrs: {fields: [!KeyOf field], validation_policies: [!KeyOf rules, !KeyOf unique]}
  - model: authentik_stages_user_write.userwritestage
    id: write
    identifiers: {name: secrets-write}
    attrs: {user_creation_mode: never_create}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf ask, order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf write, order: 20}
`

// secretsOfChange changes a password, with policies that refuse some, and
// tries one on a policy.
func secretsOfChange(t *testing.T, d *diary, s *server, root *client, user, password string) {
	t.Helper()
	root.mustImport(t, changeBlueprint)
	c := d.client(s)
	if _, err := c.login("default-authentication-flow", user, password); err != nil {
		t.Fatal(err)
	}
	first := d.mark(secret, "new password") + "-!"
	for _, step := range []struct{ typed, component string }{
		{d.mark(secret, "refused password"), "ak-stage-prompt"},
		{first, "xak-flow-redirect"},
		{first, "ak-stage-prompt"},
		{d.mark(secret, "newer password") + "-!", "xak-flow-redirect"},
		{first, "ak-stage-prompt"},
	} {
		if _, err := c.challenge("secrets-change"); err != nil {
			t.Fatal(err)
		}
		ch, err := c.respond("secrets-change", object{"component": "ak-stage-prompt", "password": step.typed})
		if err != nil {
			t.Fatal(err)
		}
		if got := ch.text("component"); got != step.component {
			t.Fatalf("a changed password leads to %q, want %q: %s", got, step.component, ch.text("response_errors"))
		}
	}
	a := root.must(t, http.StatusOK, http.MethodGet, "/api/v3/policies/all/?search=secrets-rules", nil)
	key := regexp.MustCompile(`"pk":\s*"([-0-9a-f]+)"`).FindSubmatch(a.body)
	me, err := c.must(t, http.StatusOK, http.MethodGet, "/api/v3/core/users/me/", nil).object()
	if err != nil || key == nil {
		t.Fatalf("no policy or nobody to try: %v", err)
	}
	root.must(t, http.StatusOK, http.MethodPost, fmt.Sprintf("/api/v3/policies/all/%s/test/", key[1]), object{
		"user": me["user"].(map[string]any)["pk"], "context": object{"password": d.mark(secret, "password on trial")},
	})
}

// secretsOfNonsense sends secrets where they do not belong.
func secretsOfNonsense(t *testing.T, d *diary, s *server) {
	t.Helper()
	const slug = "default-authentication-flow"
	c := d.client(s)
	inside := func(format string) []byte { return fmt.Appendf(nil, format, d.mark(secret, "password in nonsense")) }
	for _, body := range []raw{
		{"application/json", inside(`{"component":"ak-stage-password","password":"%s"`)},
		{"application/json", inside(`{"component":"ak-stage-password","password":["%s"]}`)},
		{"application/json", inside(`{"component":"%s"}`)},
		{"application/json", inside(`{"%s":1}`)},
		{"application/json", inside(`"%s"`)},
		{"text/plain", inside(`%s`)},
		{"application/x-www-form-urlencoded", inside(`password=%s`)},
		{"application/json", append(inside(`{"password":"%s","x":"`), bytes.Repeat([]byte("x"), 4<<20)...)},
	} {
		if _, err := c.send(http.MethodPost, executor(slug), body); err != nil {
			t.Fatal(err)
		}
	}
	stranger := d.client(s)
	stranger.bearer = d.mark(bearer, "made-up token")
	for _, path := range []string{"/api/v3/core/users/", executor(slug), "/api/v3/core/users/me/"} {
		if _, err := stranger.send(http.MethodGet, path, nil); err != nil {
			t.Fatal(err)
		}
	}
	forger := d.client(s)
	forger.cookies["authentik_session"] = d.mark(bearer, "made-up session")
	forger.cookies["authentik_csrf"] = d.mark(bearer, "made-up CSRF token")
	for _, path := range []string{
		"/if/user/", executor(slug) + "flow_token%3D" + d.mark(bearer, "made-up flow token"), executor(slug) + "a%3D" + d.mark(personal, "query"),
		"/if/flow/" + slug + "/?flow_token=" + d.mark(bearer, "made-up flow token of a page"),
	} {
		if _, err := forger.send(http.MethodGet, path, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// search looks for each mark where it must not be.
func (d *diary) search(files []filed, logs filed) (hits []string) {
	for _, m := range d.marks {
		places := []filed{logs}
		for _, f := range files {
			if m.kind != personal || strings.HasPrefix(filepath.Base(f.name), "events.db") {
				places = append(places, f)
			}
		}
		for _, a := range d.answers {
			// An answer may show names to those who may see them, and what was
			// typed to the one who typed it; an error shows nothing.
			if m.kind == secret || m.kind != personal && a.status >= 400 {
				places = append(places, a)
			}
		}
		for _, p := range places {
			for how, pattern := range forms(m) {
				if bytes.Contains(p.text, pattern) {
					hits = append(hits, fmt.Sprintf("%s (%d) has %s, %s", p.name, p.status, m.what, how))
				}
			}
		}
	}
	return hits
}

// forms are the ways in which a mark may hide.
func forms(m mark) map[string][]byte {
	forms := map[string][]byte{"plain": []byte(m.text), "in capitals": bytes.ToUpper([]byte(m.text))}
	encode := func(what string, data []byte) {
		forms[what+" in hex"] = []byte(hex.EncodeToString(data))
		forms[what+" in HEX"] = bytes.ToUpper([]byte(hex.EncodeToString(data)))
		// In the middle of a longer text it begins at any of three bits.
		for offset := range 3 {
			text := base64.StdEncoding.EncodeToString(append(make([]byte, offset), data...))
			text = strings.TrimRight(text, "=")
			inner := text[(offset*8+5)/6 : len(text)-1]
			forms[fmt.Sprintf("%s in base64, %d", what, offset)] = []byte(inner)
			forms[fmt.Sprintf("%s in base64 for addresses, %d", what, offset)] = []byte(strings.NewReplacer("+", "-", "/", "_").Replace(inner))
		}
	}
	encode("plain", []byte(m.text))
	if m.kind == secret || m.kind == typed || m.kind == personal {
		digest := sha256.Sum256([]byte(m.text))
		forms["digest"] = digest[:]
		encode("digest", digest[:])
	}
	return forms
}

// readFolder reads all files of a folder.
func readFolder(t *testing.T, folder string) (files []filed) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files = append(files, filed{name: path, text: text})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestSecretsAreFound plants each form of a mark in a file of the ledger, and
// proves that the search finds it.
func TestSecretsAreFound(t *testing.T) {
	for name, kind := range map[string]markKind{"secret": secret, "bearer": bearer, "typed": typed, "personal": personal} {
		t.Run(name, func(t *testing.T) {
			d := &diary{}
			d.mark(kind, name)
			for how, pattern := range forms(d.marks[0]) {
				text := append(append([]byte("SQLite format 3\x00…"), pattern...), "…"...)
				if hits := d.search([]filed{{name: "events.db-wal", text: text}}, filed{}); len(hits) == 0 {
					t.Errorf("%s is not found", how)
				}
				if hits := d.search(nil, filed{name: "log", text: text}); len(hits) == 0 {
					t.Errorf("%s is not found in a log", how)
				}
			}
			for offset := range 3 {
				long := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-", offset) + d.marks[0].text + `"}`))
				if hits := d.search([]filed{{name: "events.db", text: []byte(long)}}, filed{}); len(hits) == 0 {
					t.Errorf("base64 of a text that has the mark at %d is not found: %s", offset, long)
				}
			}
			if hits := d.search([]filed{{name: "events.db", text: []byte("nothing")}}, filed{}); len(hits) != 0 {
				t.Errorf("got %q in a file that has nothing", hits)
			}
		})
	}
}
