package caller_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/session"
)

const cookieName, csrfName = "authentik_session", "authentik_csrf"

func TestAStranger(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	for name, value := range map[string]string{"none": "", "short": "x", "invented": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"} {
		j.cookies = map[string]string{}
		if value != "" {
			j.cookies[cookieName] = value
		}
		if c := j.is(); c.Session != "" || c.User != "" || c.Stale {
			t.Errorf("cookie %s: %+v", name, c)
		}
	}
	if got := w.jar().is().Network.IP; got != "192.0.2.1" {
		t.Errorf("address %q", got)
	}
}

func TestBegin(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	c := j.does(w.Begin)
	if c.Session == "" || w.story(c.Session) != "Begun" {
		t.Fatalf("session %q: %s", c.Session, w.story(c.Session))
	}
	got := j.set(cookieName)
	if got == nil || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/" || got.Secure || got.MaxAge != 0 {
		t.Errorf("cookie %+v", got)
	}
	if csrf := j.set(csrfName); csrf == nil || csrf.HttpOnly || csrf.SameSite != http.SameSiteLaxMode {
		t.Errorf("csrf cookie %+v", csrf)
	}
	if again := j.does(w.Begin); again.Session != c.Session || len(j.last) != 0 {
		t.Errorf("another session %q, cookies %v", again.Session, j.last)
	}
	w.now = w.now.Add(24 * time.Hour)
	if late := j.is(); late.Session != "" {
		t.Errorf("a session without a user lives for ever: %+v", late)
	}
}

// At login the identifier is replaced. The old one proves nobody, and dies
// when the new one has arrived.
func TestRotation(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	c := j.logsIn(session.Authenticate{})
	old := j.cookies[cookieName]
	if got := j.is(); got.User != "" || !got.Stale || got.Session != c.Session {
		t.Errorf("with the cookie from before the login: %+v", got)
	}
	elsewhere := w.jar()
	elsewhere.cookies[cookieName], elsewhere.address = old, "198.51.100.7:1"
	if got := elsewhere.is(); got.Session != "" || got.Stale {
		t.Errorf("with the old cookie from another address: %+v", got)
	}
	if got := j.does(w.Renew); got.User != "ada" || got.Stale {
		t.Errorf("renewed: %+v", got)
	}
	if j.cookies[cookieName] == old {
		t.Fatal("the identifier is the old one")
	}
	thief := w.jar()
	thief.cookies[cookieName] = old
	if got := thief.is(); got.User != "" || !got.Stale {
		t.Errorf("the old cookie, the new one not yet seen: %+v", got)
	}
	if got := j.is(); got.User != "ada" || !got.Superuser {
		t.Errorf("with the new cookie: %+v", got)
	}
	if got := thief.is(); got.Session != "" || got.Stale {
		t.Errorf("the old cookie after the first use of the new one: %+v", got)
	}
}

// An old cookie whose successor never arrives dies with the grace.
func TestGrace(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	j.logsIn(session.Authenticate{})
	old := w.jar()
	old.cookies[cookieName] = j.cookies[cookieName]
	j.does(w.Renew)
	w.now = w.now.Add(59 * time.Second)
	if got := old.is(); !got.Stale {
		t.Errorf("within the grace: %+v", got)
	}
	w.now = w.now.Add(time.Second)
	if got := old.is(); got.Stale || got.Session != "" {
		t.Errorf("after the grace: %+v", got)
	}
}

func TestCookieLasts(t *testing.T) {
	for name, test := range map[string]struct {
		browser bool
		want    int
	}{"remembered": {false, 86400}, "as long as the browser": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.jar()
			j.logsIn(session.Authenticate{Browser: test.browser})
			j.does(w.Renew)
			if got := j.set(cookieName); got.MaxAge != test.want || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode {
				t.Errorf("cookie %+v, want Max-Age %d", got, test.want)
			}
		})
	}
}

func TestSessionEnds(t *testing.T) {
	for name, test := range map[string]struct {
		login session.Authenticate
		wait  time.Duration
		used  bool // now and then
		want  string
	}{
		"its time is over":          {session.Authenticate{Expires: start.Add(time.Hour)}, time.Hour, false, "expired"},
		"although it is used":       {session.Authenticate{Expires: start.Add(26 * time.Hour)}, 26 * time.Hour, true, "expired"},
		"nobody uses it":            {session.Authenticate{Expires: start.Add(30 * 24 * time.Hour)}, 7 * 24 * time.Hour, false, "idle"},
		"a browser's, unused":       {session.Authenticate{Browser: true}, 12 * time.Hour, false, "idle"},
		"in time":                   {session.Authenticate{}, 23 * time.Hour, false, ""},
		"a browser's that is used":  {session.Authenticate{Browser: true}, 23 * time.Hour, true, ""},
		"kept, and used in between": {session.Authenticate{Expires: start.Add(30 * 24 * time.Hour)}, 14 * 24 * time.Hour, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.jar()
			c := j.logsIn(test.login)
			j.does(w.Renew)
			end := w.now.Add(test.wait)
			for step := test.wait / 8; test.used && w.now.Add(step).Before(end); {
				w.now = w.now.Add(step)
				if got := j.is(); got.User != "ada" {
					t.Fatalf("after %s: %+v", w.now.Sub(start), got)
				}
			}
			w.now = end
			got := j.is()
			if alive := got.User == "ada"; alive != (test.want == "") {
				t.Errorf("the caller is %+v", got)
			}
			s := w.state(c.Session)
			// The cookie of a session whose time is over leads nowhere: the
			// sweeper ends it.
			if s.Cause != test.want && test.want != "expired" {
				t.Errorf("it ended because of %q, want %q: %s", s.Cause, test.want, w.story(c.Session))
			}
		})
	}
}

// What ends a session takes effect with the next request.
func TestRevocation(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	c := j.logsIn(session.Authenticate{})
	j.does(w.Renew)
	j.is()
	w.handle(c.Session, session.Revoke{Cause: "admin"})
	if got := j.is(); got.User != "" || got.Session != "" {
		t.Errorf("revoked: %+v", got)
	}
}

func TestInactiveUser(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	j.logsIn(session.Authenticate{})
	j.does(w.Renew)
	w.people["ada"] = w.people["bob"]
	if got := j.is(); got.User != "" || got.Superuser {
		t.Errorf("an inactive user: %+v", got)
	}
}

func TestEnd(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	j.logsIn(session.Authenticate{})
	j.does(w.Renew)
	value := j.cookies[cookieName]
	if got := j.does(w.End); got.User != "" || got.Session != "" {
		t.Errorf("ended: %+v", got)
	}
	if got := j.set(cookieName); got == nil || got.MaxAge >= 0 || got.Value != "" {
		t.Errorf("cookie %+v", got)
	}
	j.cookies[cookieName] = value
	if got := j.is(); got.Session != "" {
		t.Errorf("the old value: %+v", got)
	}
}

// A session that is tied to its network ends when that changes.
func TestBindingWithoutDatabases(t *testing.T) {
	for name, test := range map[string]struct {
		bound session.Binding
		want  string
	}{
		"not tied":         {session.Binding{Network: "no_binding", GeoIP: "no_binding"}, "Begun Authenticated"},
		"to the network":   {session.Binding{Network: "bind_asn_network_ip"}, "Begun Authenticated BindingBroken Revoked Ended"},
		"to the geography": {session.Binding{GeoIP: "bind_continent"}, "Begun Authenticated BindingBroken Revoked Ended"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.jar()
			c := j.logsIn(session.Authenticate{Bound: test.bound})
			j.does(w.Renew)
			if got := j.is(); got.User != "ada" {
				t.Fatalf("at the same address: %+v", got)
			}
			j.address = "203.0.113.9:1"
			got := j.is()
			if kept := got.User == "ada"; kept != (name == "not tied") {
				t.Errorf("at another address: %+v", got)
			}
			if story := w.story(c.Session); story != test.want {
				t.Errorf("events %s, want %s", story, test.want)
			}
		})
	}
}
