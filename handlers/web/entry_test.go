package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/execution"
)

// endingFlows logs out whoever comes.
type endingFlows struct{ *fakeSite }

// Visit implements [Flows].
func (endingFlows) Visit(context.Context, execution.Visit) (execution.Answer, error) {
	return execution.Answer{
		Execution: "run", Final: true, Ended: true, Challenge: map[string]any{"component": "xak-flow-redirect", "to": "/"},
	}, nil
}

// signIn gives the browser a session of jane.
func (f *fakeSite) signIn(b *browser) string {
	id := f.id("session")
	f.cookies["cookie-of-"+id] = id
	f.users[id] = "user-jane"
	b.cookies["authentik_session"] = "cookie-of-" + id
	return id
}

func TestEntries(t *testing.T) {
	const login = "/flows/-/default/authentication/"
	for _, c := range []struct {
		name, path string
		in         bool
		status     int
		location   string
	}{
		{"root of a stranger", "/", false, 302, login + "?next=%2F"},
		{"root of a user", "/", true, 302, "/if/user/"},
		{"account of a stranger", "/if/user/", false, 303, login + "?next=%2Fif%2Fuser%2F"},
		{"default keeps the query", "/flows/-/default/authentication/?next=%2Fx&a=b", false, 302, "/if/flow/login/?next=%2Fx&a=b"},
		{"default logout", "/flows/-/default/invalidation/", true, 302, "/if/flow/logout/"},
		{"default without a flow", "/flows/-/default/recovery/", false, 404, ""},
		{"default of nonsense", "/flows/-/default/nonsense/", false, 404, ""},
		{"cancel", "/flows/-/cancel/", false, 302, "/flows/-/default/invalidation/"},
		{"cancel with next", "/flows/-/cancel/?next=%2Fif%2Fuser%2F%3Fa", true, 302, "/if/user/?a"},
		{"cancel to another host", "/flows/-/cancel/?next=https%3A%2F%2Fevil.example", true, 302, "/flows/-/default/invalidation/"},
		{"cancel to //host", "/flows/-/cancel/?next=%2F%2Fevil.example", true, 302, "/flows/-/default/invalidation/"},
		{"configure of a stranger", "/flows/-/configure/stage-totp/?a=b", false, 302, login + "?next=%2Fflows%2F-%2Fconfigure%2Fstage-totp%2F%3Fa%3Db"},
		{"configure", "/flows/-/configure/stage-totp/?next=%2F", true, 302, "/if/flow/totp-setup/?next=%2F"},
		{"configure of nothing", "/flows/-/configure/other/", true, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			site := newSite()
			b := site.browser(t)
			if c.in {
				site.signIn(b)
			}
			p := b.get(c.path)
			if p.status != c.status || p.location != c.location {
				t.Errorf("got %d to %q, want %d to %q", p.status, p.location, c.status, c.location)
			}
			if c.name == "configure" && site.query.Get("next") != "/" {
				t.Errorf("the flow leads on to %q", site.query.Get("next"))
			}
			if strings.Contains(c.path, "cancel") && len(site.cancelled) != 1 {
				t.Errorf("cancelled %v", site.cancelled)
			}
		})
	}
}

func TestLocal(t *testing.T) {
	for _, good := range []string{"/", "/if/user/", "/a?next=//b", "/a#b", "/ä", "/a?u=https://x.example/"} {
		if !local(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"", "a", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `/a\b`,
		"https://evil.example/", "HTTPS://evil.example", "javascript:alert(1)", " /a", "\t//evil.example",
		"/\t/evil.example", "/a\nb", "/a\r\nSet-Cookie: x", "/\x00", "/\u0085", "/%zz", "/" + strings.Repeat("a", maxTarget),
	} {
		if local(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestAccount(t *testing.T) {
	site := newSite()
	b := site.browser(t)
	mine := site.signIn(b)
	firefox := "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
	site.sessions = []Session{
		{ID: mine, IP: "192.0.2.7", Place: "Côte <b>", UserAgent: firefox, LastUsed: fakeNow},
		{ID: "session-phone", IP: "2001:db8::1", UserAgent: "<script>x</script>", LastUsed: fakeNow.Add(-3 * time.Hour), Expires: fakeNow.Add(time.Hour)},
	}
	site.signIns = []SignIn{
		{Time: fakeNow, Succeeded: true, IP: "192.0.2.7", UserAgent: firefox, Method: "auth_mfa"},
		{Time: fakeNow.Add(-time.Hour), IP: "198.51.100.9", Place: "Berlin, Germany", UserAgent: "curl/8", Method: "password"},
	}

	site.tokens = []Token{
		{Name: "backup", Limited: true, LastUsed: fakeNow.Add(-2 * time.Hour), Expires: fakeNow.Add(time.Hour)}, {Name: "my-mail", Password: true},
	}
	site.offers = Offers{Change: []Offer{{Title: "Change <it>", Path: "/flows/-/configure/stage-1/"}}, Leave: "/if/flow/leave/"}

	p := b.get("/if/user/")
	wants(t, p, http.StatusOK, "Jane Doe", "jane@example.org", "Firefox on Windows", "This device", "until the browser closes",
		"used 3 hours ago", "1 Mar 2026, 13:00 UTC", "Succeeded", "Failed", "Password and second factor", "198.51.100.9</span>, Berlin, Germany",
		"Côte &lt;b&gt; · used", "Your tokens", `backup <span class="tag">API</span> <span class="tag">Limited</span>`, "used 2 hours ago · until",
		`my-mail <span class="tag">App password</span>`, "never used · never ends",
		`href="/flows/-/configure/stage-1/?next=%2Fif%2Fuser%2F">Change &lt;it&gt;</a>`, `href="/if/flow/leave/?next=%2Fif%2Fuser%2F">Delete your account</a>`,
		`href="/flows/-/default/invalidation/"`, "&lt;script&gt;x")
	if n := strings.Count(p.body, "This device"); n != 1 {
		t.Errorf("%d sessions are this device", n)
	}

	token := map[string][]string{"csrfmiddlewaretoken": {b.cookies["authentik_csrf"]}}
	wants(t, b.post("/if/user/sessions/session-phone/revoke/", nil), http.StatusForbidden, "Try again", `href="/if/user/"`)
	wants(t, b.post("/if/user/sessions/session-other/revoke/", token), http.StatusNotFound)
	wants(t, b.get("/if/user/sessions/session-phone/revoke/"), http.StatusMethodNotAllowed)
	if p := b.post("/if/user/sessions/session-phone/revoke/", token); p.status != 303 || p.location != "/if/user/" {
		t.Errorf("another session: got %d to %q", p.status, p.location)
	}
	if len(site.sessions) != 1 {
		t.Fatalf("left are %+v", site.sessions)
	}
	site.offers = Offers{}
	p = b.get("/if/user/")
	wants(t, p, http.StatusOK, "Only here, on this device.")
	if strings.Contains(p.body, "Your account</h2>") {
		t.Error("nothing is offered under a heading of its own")
	}
	if p := b.post("/if/user/sessions/"+mine+"/revoke/", token); p.status != 303 || p.location != "/" {
		t.Errorf("own session: got %d to %q", p.status, p.location)
	}
	if _, kept := b.cookies["authentik_session"]; kept {
		t.Error("the browser keeps the cookie of the revoked session")
	}
	if p := b.post("/if/user/sessions/x/revoke/", token); p.status != 303 || !strings.HasPrefix(p.location, loginPage) {
		t.Errorf("a stranger: got %d to %q", p.status, p.location)
	}
}

func TestAssets(t *testing.T) {
	b := newSite().browser(t)
	for path, cache := range map[string]string{
		assetPath("app.css"):                             "public, max-age=31536000, immutable",
		assetPath("app.js"):                              "public, max-age=31536000, immutable",
		"/static/web/older/app.css":                      "no-cache",
		"/static/dist/assets/images/flow_background.svg": "public, max-age=3600",
		"/static/dist/assets/images/user_default.svg":    "public, max-age=3600",
	} {
		p := b.get(path)
		wants(t, p, http.StatusOK)
		if got := p.header.Get("Cache-Control"); got != cache {
			t.Errorf("%s: cache %q, want %q", path, got, cache)
		}
		if p.header.Get("X-Content-Type-Options") != "nosniff" || len(p.body) == 0 {
			t.Errorf("%s: %d bytes, headers %v", path, len(p.body), p.header)
		}
	}
	for _, path := range []string{assetPath("layout.html"), "/static/dist/assets/images/none.svg"} {
		wants(t, b.get(path), http.StatusNotFound)
	}
	entries, err := FS.ReadDir("assets")
	if err != nil || len(entries) != len(assetTypes) {
		t.Errorf("%d files, %d types (%v)", len(entries), len(assetTypes), err)
	}
}

func TestSecurityHeaders(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)
	_, shown := b.follow("/if/flow/login/")
	for name, p := range map[string]page200{"page": shown, "error": b.get("/if/flow/none/"), "redirect": b.get("/")} {
		for key, want := range map[string]string{
			"Content-Security-Policy": contentPolicy, "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "same-origin",
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		} {
			if got := p.header.Get(key); got != want {
				t.Errorf("%s: %s: got %q, want %q", name, key, got, want)
			}
		}
	}
}
