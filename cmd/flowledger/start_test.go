package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

var here = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9000}

// start does what a start of the program does, and returns what it prints.
func (a *app) start(t *testing.T, cfg config) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := a.bootstrap(t.Context(), cfg, &out, here)
	return out.String(), err
}

var setup = regexp.MustCompile(`^Set up the administrator akadmin here: http://127\.0\.0\.1:9000/if/flow/initial-setup/\?flow_token=(\w+)\n$`)

func TestFirstStart(t *testing.T) {
	a, _ := newApp(t)
	first, err := a.start(t, config{})
	if err != nil || !setup.MatchString(first) {
		t.Fatalf("prints %q, %v", first, err)
	}
	who, err := a.users.FindPerson(t.Context(), []string{"username"}, "akadmin", false)
	if err != nil || !who.Superuser || who.Usable {
		t.Errorf("akadmin: %+v, %v", who, err)
	}
	for _, slug := range []string{"default-authentication-flow", "default-invalidation-flow", "initial-setup"} {
		if _, ok := a.objects.FlowBySlug(slug); !ok {
			t.Errorf("there is no flow %s", slug)
		}
	}
	// Another start changes nothing but the link.
	before := a.head(t)
	second, err := a.start(t, config{})
	if err != nil || !setup.MatchString(second) || second == first {
		t.Errorf("prints %q, %v", second, err)
	}
	if got := strings.Join(a.types(t, before), " "); got != "TokenRevoked TokenCreated" {
		t.Errorf("the second start appends %s", got)
	}
	links := &bearers{app: a}
	for text, want := range map[string]bool{first: false, second: true} {
		id, _, _, err := links.Link(t.Context(), setup.FindStringSubmatch(text)[1])
		if err != nil || (id != "") != want {
			t.Errorf("the link %q leads to %q, %v", text, id, err)
		}
	}
	// With a password there is no link.
	w := account.Writer{Via: "admin", Meta: system("user:" + who.ID)}
	if err := a.accounts.SetPassword(t.Context(), who.ID, domain.NewSecret("x"), w); err != nil {
		t.Fatal(err)
	}
	before = a.head(t)
	if third, err := a.start(t, config{}); err != nil || third != "" || a.head(t) != before {
		t.Errorf("prints %q, %v, appends %v", third, err, a.types(t, before))
	}
}

func TestFirstStartWithoutBrowser(t *testing.T) {
	a, _ := newApp(t)
	cfg := config{bootstrapPassword: "hunter2", bootstrapToken: "a-token", bootstrapEmail: "root@example.org", baseURL: "https://x"}
	if text, err := a.start(t, cfg); err != nil || text != "" {
		t.Fatalf("prints %q, %v", text, err)
	}
	who, err := a.users.FindPerson(t.Context(), []string{"email"}, "root@example.org", false)
	if err != nil || who.Username != "akadmin" {
		t.Fatalf("%+v, %v", who, err)
	}
	s, _, err := a.userHandler.Load(t.Context(), eventstore.Stream("user", who.ID))
	if ok, _ := user.Verify(s.Password, domain.NewSecret("hunter2")); !ok || err != nil {
		t.Errorf("the password does not work, %v", err)
	}
	if id, owner, err := (&bearers{app: a}).Bearer(t.Context(), "a-token"); id == "" || owner != who.ID || err != nil {
		t.Errorf("the token is %q of %q, %v", id, owner, err)
	}
	cfg.bootstrapPassword, cfg.bootstrapEmail = "other", "other@example.org"
	before := a.head(t)
	if _, err := a.start(t, cfg); err != nil || a.head(t) != before {
		t.Errorf("read a second time: %v, %v", a.types(t, before), err)
	}
}

// Whichever append of the first start fails: the second one does the rest.
func TestFirstStartSurvivesACrash(t *testing.T) {
	if testing.Short() {
		t.Skip("a start for each append")
	}
	a, f := newApp(t)
	if _, err := a.start(t, config{}); err != nil {
		t.Fatal(err)
	}
	total := f.failAt(0)
	want := a.census(t, "")
	for n := 1; n <= total; n += 1 + n/2 {
		t.Run(fmt.Sprint("append ", n), func(t *testing.T) {
			a, f := newApp(t)
			f.failAt(n)
			if _, err := a.start(t, config{}); !errors.Is(err, errRefused) {
				t.Fatalf("it was to fail: %v", err)
			}
			f.failAt(0)
			text, err := a.start(t, config{})
			if err != nil || !setup.MatchString(text) {
				t.Fatalf("prints %q, %v", text, err)
			}
			if got := a.census(t, ""); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// What bootstrap options ask for is done although the first start was cut
// short.
func TestBootstrapOptionsSurviveACrash(t *testing.T) {
	cfg := config{bootstrapPassword: "hunter2", bootstrapToken: "a-token", bootstrapEmail: "root@example.org"}
	a, f := newApp(t)
	if _, err := a.start(t, config{}); err != nil {
		t.Fatal(err)
	}
	shipped := f.failAt(0) - 1 // but for the link
	for n := shipped + 1; n <= shipped+3; n++ {
		a, f := newApp(t)
		f.failAt(n)
		if _, err := a.start(t, cfg); !errors.Is(err, errRefused) {
			t.Fatalf("append %d was to fail: %v", n, err)
		}
		f.failAt(0)
		if text, err := a.start(t, cfg); err != nil || text != "" {
			t.Errorf("append %d was refused: prints %q, %v", n, text, err)
		}
		who, err := a.users.FindPerson(t.Context(), []string{"username"}, "akadmin", false)
		id, _, found := (&bearers{app: a}).Bearer(t.Context(), "a-token")
		if err != nil || who.Email != "root@example.org" || !who.Usable || id == "" {
			t.Errorf("append %d was refused: e-mail %q, password %t, token %q, %v, %v", n, who.Email, who.Usable, id, err, found)
		}
	}
}

// Readiness says why not: a start that goes on, an event that nobody can read.
func TestReadiness(t *testing.T) {
	a, _ := newApp(t)
	ask := func() (int, string) {
		w := httptest.NewRecorder()
		a.readiness(w, httptest.NewRequest(http.MethodGet, "/-/health/ready/", nil))
		return w.Code, w.Body.String()
	}
	a.sync(t)
	if code, text := ask(); code != 503 || !strings.Contains(text, "starting") {
		t.Errorf("at the start: %d %s", code, text)
	}
	a.ready.Store(true)
	if code, text := ask(); code != 200 || text != "ready\n" {
		t.Errorf("then: %d %s", code, text)
	}
	_, err := a.store.Append(t.Context(), eventstore.Stream("user", "x"), eventstore.Any, eventstore.NewEvent{
		ID: uuid.New(), Type: "UserTeleported", Schema: 1, Header: []byte("{}"), Payload: []byte("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	position := fmt.Sprint("position ", a.head(t))
	deadline := time.Now().Add(5 * time.Second)
	for code, text := ask(); code == 200 || !strings.Contains(text, "UserTeleported") || !strings.Contains(text, position); code, text = ask() {
		if time.Now().After(deadline) {
			t.Fatalf("with an event that nobody can read: %d %s", code, text)
		}
	}
}
