package caller_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/caller"
)

func code(err error) domain.Code {
	if err == nil {
		return ""
	}
	c, _ := domain.Explain(err)
	return c
}

func TestBearerTokens(t *testing.T) {
	w := newWorld(t)
	meta := codec.Meta{Subject: "user:ada", Time: w.now}
	create := token.Create{
		Intent: token.API, User: "ada", Identifier: "i", Digest: domain.NewSecret("digest"), Credential: "c",
		Expiring: true, Expires: w.now.Add(time.Hour),
	}
	if _, err := w.Tokens.Handle(t.Context(), eventstore.Stream("token", "t1"), create, meta); err != nil {
		t.Fatal(err)
	}
	w.keys.tokens["good"] = "t1"
	with := func(header string) (session.Caller, error) {
		j := w.jar()
		if header != "" {
			j.headers.Set("Authorization", header)
		}
		return w.Of(httptest.NewRecorder(), j.request(http.MethodGet))
	}
	for header, want := range map[string]string{
		"Bearer good": "ada", "bearer  good ": "ada", "Bearer bad": "refused", "Bearer ": "refused", "": "",
		"Basic good": "", "Bearer": "",
	} {
		c, err := with(header)
		got := c.User
		if code(err) == domain.Unauthenticated {
			got = "refused"
		} else if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
		if want == "ada" && (c.Token != "t1" || !c.Superuser) {
			t.Errorf("%q: %+v", header, c)
		}
	}
	w.keys.owner = "bob" // who is not active
	if c, err := with("Bearer good"); code(err) != domain.Unauthenticated || c.User != "" {
		t.Errorf("an inactive owner: %+v, %v", c, err)
	}
	w.keys.owner = "ada"
	w.now = w.now.Add(time.Hour) // the read model may be a moment late
	if c, err := with("Bearer good"); err == nil || c.User != "" {
		t.Errorf("an expired token: %+v, %v", c, err)
	}
}

// A bearer token stands before a cookie, and a bad one is no stranger.
func TestABadTokenIsNoCookie(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	j.logsIn(session.Authenticate{})
	j.does(w.Renew)
	j.headers.Set("Authorization", "Bearer bad")
	if c, err := w.Of(httptest.NewRecorder(), j.request(http.MethodGet)); code(err) != domain.Unauthenticated || c.User != "" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestForwardedFor(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, test := range map[string]struct {
		peer    string
		headers []string
		want    string
		hops    []string
	}{
		"no proxy":                        {"192.0.2.1:1", nil, "192.0.2.1", nil},
		"an invented header":              {"192.0.2.1:1", []string{"1.1.1.1"}, "192.0.2.1", nil},
		"one proxy":                       {"10.0.0.1:1", []string{"192.0.2.1"}, "192.0.2.1", []string{"10.0.0.1"}},
		"two proxies":                     {"10.0.0.1:1", []string{"192.0.2.1, 10.0.0.2"}, "192.0.2.1", []string{"10.0.0.1", "10.0.0.2"}},
		"invented in front of a proxy":    {"10.0.0.1:1", []string{"1.1.1.1, 192.0.2.1"}, "192.0.2.1", []string{"10.0.0.1"}},
		"a proxy's address invented":      {"10.0.0.1:1", []string{"10.9.9.9, 192.0.2.1"}, "192.0.2.1", []string{"10.0.0.1"}},
		"in two lines":                    {"10.0.0.1:1", []string{"1.1.1.1", "192.0.2.1"}, "192.0.2.1", []string{"10.0.0.1"}},
		"rubbish":                         {"10.0.0.1:1", []string{"rubbish"}, "10.0.0.1", nil},
		"rubbish in front":                {"10.0.0.1:1", []string{"rubbish, 192.0.2.1"}, "192.0.2.1", []string{"10.0.0.1"}},
		"IPv6":                            {"[fd00::1]:1", []string{"2001:db8::1"}, "2001:db8::1", []string{"fd00::1"}},
		"an IPv4 peer in an IPv6 address": {"[::ffff:10.0.0.1]:1", []string{"192.0.2.1"}, "192.0.2.1", []string{"10.0.0.1"}},
		"no address":                      {"@", []string{"192.0.2.1"}, "255.255.255.255", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Network = caller.Network{Trusted: trusted}
			j := w.jar()
			j.address, j.headers["X-Forwarded-For"] = test.peer, test.headers
			got := j.is().Network
			if got.IP != test.want {
				t.Errorf("address %s, want %s", got.IP, test.want)
			}
			if diff := cmp.Diff(test.hops, got.Forwarded); diff != "" {
				t.Errorf("hops (-want +got):\n%s", diff)
			}
		})
	}
}

// A header of a thousand hops is read in bounded time, and what is kept of
// headers is cut.
func TestHeadersAreBounded(t *testing.T) {
	w := newWorld(t)
	w.Network = caller.Network{Trusted: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}
	j := w.jar()
	j.headers.Set("X-Forwarded-For", strings.Repeat("10.0.0.1,", 1000)+"10.0.0.1")
	j.headers.Set("User-Agent", strings.Repeat("é", 1000))
	got := j.is().Network
	if len(got.Forwarded) > 20 || len(got.UserAgent) > 500 || !strings.HasPrefix(got.UserAgent, "éé") {
		t.Errorf("%d hops, agent of %d bytes", len(got.Forwarded), len(got.UserAgent))
	}
}

func TestSecureCookies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, test := range map[string]struct {
		base, peer, proto string
		tls               bool
		want              bool
		url               string
	}{
		"plain":                   {peer: "192.0.2.1:1", url: "http://login.example.org"},
		"TLS":                     {peer: "192.0.2.1:1", tls: true, want: true, url: "https://login.example.org"},
		"behind a proxy with TLS": {peer: "10.0.0.1:1", proto: "https", want: true, url: "https://login.example.org"},
		"behind a proxy without":  {peer: "10.0.0.1:1", proto: "http", url: "http://login.example.org"},
		"an invented header":      {peer: "192.0.2.1:1", proto: "https", url: "http://login.example.org"},
		"the public address says": {base: "https://sso.example.org/", peer: "192.0.2.1:1", want: true, url: "https://sso.example.org"},
		"and is plain":            {base: "http://sso.example.org", peer: "192.0.2.1:1", tls: true, url: "http://sso.example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Network = caller.Network{Trusted: trusted, Base: test.base}
			j := w.jar()
			j.address = test.peer
			if test.proto != "" {
				j.headers.Set("X-Forwarded-Proto", test.proto)
			}
			answer, r := httptest.NewRecorder(), j.request(http.MethodGet)
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			c, err := w.Of(answer, r)
			if err == nil {
				err = w.Begin(answer, r, &c)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, cookie := range answer.Result().Cookies() {
				if cookie.Secure != test.want {
					t.Errorf("%s: secure %t, want %t", cookie.Name, cookie.Secure, test.want)
				}
			}
			if c.BaseURL != test.url {
				t.Errorf("address %s, want %s", c.BaseURL, test.url)
			}
		})
	}
}

func TestCSRF(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	j.logsIn(session.Authenticate{})
	c := j.does(w.Renew)
	good := j.cookies[csrfName]
	other := w.jar()
	other.does(w.Begin)
	anonymous := c
	anonymous.User = ""
	byToken := c
	byToken.Token = "t1"
	for name, test := range map[string]struct {
		caller session.Caller
		header string
		want   domain.Code
	}{
		"the session's own":       {c, good, ""},
		"none":                    {c, "", domain.Forbidden},
		"invented":                {c, "x", domain.Forbidden},
		"another session's":       {c, other.cookies[csrfName], domain.Forbidden},
		"nobody is logged in":     {anonymous, "", ""},
		"a bearer token needs no": {byToken, "", ""},
	} {
		r := j.request(http.MethodPost)
		if test.header != "" {
			r.Header.Set("X-authentik-CSRF", test.header)
		}
		if got := code(w.CheckCSRF(r, test.caller)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	fresh := w.jar()
	for name, test := range map[string]struct {
		jar   *jar
		token string
		want  domain.Code
	}{
		"a form's own":            {j, good, ""},
		"a form without":          {j, "", domain.Forbidden},
		"a form's of elsewhere":   {j, other.cookies[csrfName], domain.Forbidden},
		"a browser without one":   {fresh, good, domain.Forbidden},
		"an empty one, and token": {fresh, "", domain.Forbidden},
	} {
		if got := code(w.Check(test.jar.request(http.MethodPost), test.token)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// A page's form gets the token of this very answer, else of the browser, else
// a new one.
func TestFormTokens(t *testing.T) {
	w := newWorld(t)
	j := w.jar()
	answer := httptest.NewRecorder()
	made := w.Token(answer, j.request(http.MethodGet))
	if set := answer.Result().Cookies(); made == "" || len(set) != 1 || set[0].Value != made {
		t.Fatalf("token %q, cookies %v", made, set)
	}
	if again := w.Token(answer, j.request(http.MethodGet)); again != made {
		t.Error("the page has two tokens")
	}
	j.cookies[csrfName] = made
	if kept := w.Token(httptest.NewRecorder(), j.request(http.MethodGet)); kept != made {
		t.Error("the browser's token was replaced")
	}
	j.cookies[csrfName] = strings.Repeat("x", 101)
	if got := w.Token(httptest.NewRecorder(), j.request(http.MethodGet)); len(got) > 100 {
		t.Error("a long token was taken over")
	}
}

func TestIdentify(t *testing.T) {
	seen := map[string]bool{}
	h := caller.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := caller.RequestID(r.Context())
		if id == "" || seen[id] || w.Header().Get("X-Request-Id") != id {
			t.Errorf("request id %q, header %q", id, w.Header().Get("X-Request-Id"))
		}
		seen[id] = true
	}))
	for range 2 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
	if caller.RequestID(t.Context()) != "" {
		t.Error("an id without a request")
	}
}

// A token with a scope may do what is in it, as far as its owner may.
func TestScopedTokens(t *testing.T) {
	w := newWorld(t)
	create := func(id, owner string, scope ...string) {
		t.Helper()
		made := token.Create{
			Intent: token.API, User: owner, Identifier: id, Digest: domain.NewSecret("digest"), Credential: id, Scope: scope,
		}
		if _, err := w.Tokens.Handle(t.Context(), eventstore.Stream("token", id), made, codec.Meta{Subject: "user:" + owner, Time: w.now}); err != nil {
			t.Fatal(err)
		}
		w.keys.tokens[id] = id
	}
	create("wide", "ada")
	create("narrow", "ada", "authentik_core.view_user", "authentik_core.view_group")
	create("poor", "eve", "authentik_core.view_user")
	w.people["eve"] = user.Person{ID: "eve", Username: "eve", Active: true}
	with := func(key string) session.Caller {
		t.Helper()
		j := w.jar()
		w.keys.owner = map[string]string{"poor": "eve"}[key]
		if w.keys.owner == "" {
			w.keys.owner = "ada"
		}
		j.headers.Set("Authorization", "Bearer "+key)
		return j.is()
	}
	for key, want := range map[string]struct{ super, scoped, view, change bool }{
		"wide": {true, false, true, true}, "narrow": {false, true, true, false}, "poor": {false, true, false, false},
	} {
		c := with(key)
		got := struct{ super, scoped, view, change bool }{
			c.Superuser, c.Scoped, c.May("authentik_core.view_user"), c.May("authentik_core.change_user"),
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", key, got, want)
		}
	}
	// What was changed a moment ago counts, although the read model may be late.
	give := token.Change{User: new("eve")}
	if _, err := w.Tokens.Handle(t.Context(), eventstore.Stream("token", "wide"), give, codec.Meta{Subject: "user:eve", Time: w.now}); err != nil {
		t.Fatal(err)
	}
	w.keys.owner = "ada"
	j := w.jar()
	j.headers.Set("Authorization", "Bearer wide")
	if c, err := w.Of(httptest.NewRecorder(), j.request(http.MethodGet)); code(err) != domain.Unauthenticated || c.User != "" {
		t.Errorf("a token that was given away: %+v, %v", c, err)
	}
}
