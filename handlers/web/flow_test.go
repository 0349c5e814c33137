package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
)

func wants(t *testing.T, p page200, status int, texts ...string) {
	t.Helper()
	if p.status != status {
		t.Fatalf("status: got %d (to %q), want %d\n%s", p.status, p.location, status, p.body)
	}
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			t.Errorf("page lacks %q:\n%s", text, p.body)
		}
	}
}

func TestLogin(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)

	at, p := b.follow("/")
	if want := "/if/flow/login/?execution=run-3&next=%2F"; at != want {
		t.Fatalf("arrived at %s, want %s", at, want)
	}
	wants(t, p, http.StatusOK, `<label for="uid_field">Email or username</label>`, `autocomplete="username"`, "Log in", "Forgot username or password?")

	p = b.submit(p, url.Values{"uid_field": {"j<b>hn"}})
	wants(t, p, http.StatusOK, `role="alert"><p>Failed to authenticate.</p>`, `value="j&lt;b&gt;hn"`, "<title>Error: Welcome")

	p = b.submit(p, url.Values{"uid_field": {"jane"}})
	if p.status != http.StatusSeeOther || p.location != at {
		t.Fatalf("after the name: got %d to %q, want 303 to %s", p.status, p.location, at)
	}
	p = b.get(at)
	wants(t, p, http.StatusOK, "jane", "Not you?", `autocomplete="current-password"`, "data-reveal")

	p = b.submit(p, url.Values{"password": {"wrong-horse"}})
	wants(t, p, http.StatusOK, "Invalid password", `aria-describedby="password-problem"`)
	if strings.Contains(p.body, "wrong-horse") {
		t.Error("the page repeats the password")
	}

	before := b.cookies["authentik_session"]
	p = b.submit(p, url.Values{"password": {" s3cret "}})
	if p.status != http.StatusSeeOther || p.location != "/" {
		t.Fatalf("after the password: got %d to %q, want 303 to /", p.status, p.location)
	}
	if b.cookies["authentik_session"] == before {
		t.Error("the session kept its identifier through the login")
	}
	_, p = b.follow("/")
	wants(t, p, http.StatusOK, "Jane Doe")
}

func TestVisitSaysWhatTheAddressSays(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)
	_, p := b.follow("/if/flow/login/?next=%2Fapp&login_hint=jane")
	b.submit(p, url.Values{"uid_field": {"nobody"}})

	got := site.visits[2]
	query := url.Values{"next": {"/app"}, "login_hint": {"jane"}}
	if diff := cmp.Diff(query, got.Query); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	if got.Entry != "interface" || got.Slug != "login" || got.Sequence != 1 || got.Fresh || got.Caller.Session == "" {
		t.Errorf("visit: got %+v", got)
	}
	if want := `{"component":"ak-stage-identification","uid_field":"nobody"}`; string(got.Response) != want {
		t.Errorf("response: got %s, want %s", got.Response, want)
	}
	if !site.visits[0].Fresh || site.visits[1].Fresh {
		t.Error("only an address without an execution is to start one")
	}
}

func TestEachTabHasItsExecution(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)
	one, p1 := b.follow("/if/flow/login/")
	two, _ := b.follow("/if/flow/login/")
	if one == two {
		t.Fatalf("both tabs are at %s", one)
	}
	b.submit(p1, url.Values{"uid_field": {"jane"}})
	wants(t, b.get(one), http.StatusOK, "current-password")
	wants(t, b.get(one), http.StatusOK, "current-password") // a reload
	wants(t, b.get(two), http.StatusOK, "uid_field")
}

func TestForeignExecutionIsReplaced(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	theirs, _ := site.browser(t).follow("/if/flow/login/")
	b := site.browser(t)
	b.follow("/if/flow/login/")
	for _, address := range []string{theirs, "/if/flow/login/?execution=" + strings.Repeat("x", 65), "/if/flow/login/?execution=none"} {
		at, p := b.follow(address)
		if at == address {
			t.Errorf("%s is shown to a stranger", address)
		}
		for _, v := range site.visits {
			if len(v.Execution) > maxExecution {
				t.Errorf("the flow is asked for an execution of %d letters", len(v.Execution))
			}
		}
		wants(t, p, http.StatusOK, "uid_field")
	}
}

func TestBrowserWithoutCookies(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)
	b.refuses = true
	_, p := b.follow("/if/flow/login/")
	wants(t, p, http.StatusOK, "uid_field")
	p = b.submit(p, url.Values{"uid_field": {"jane"}})
	wants(t, p, http.StatusForbidden, "The form is not from this page.", "Try again")
}

func TestPosts(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)
	at, p := b.follow("/if/flow/login/")
	good := url.Values{"csrfmiddlewaretoken": {b.cookies["authentik_csrf"]}, "component": {"ak-stage-identification"}, "sequence": {"1"}, "uid_field": {"jane"}}
	with := func(key, value string) url.Values {
		form := url.Values{}
		for k, v := range good {
			form[k] = v
		}
		form.Set(key, value)
		return form
	}

	t.Run("a forged form is refused", func(t *testing.T) {
		visits := len(site.visits)
		wants(t, b.post(at, with("csrfmiddlewaretoken", "guess")), http.StatusForbidden, "The form is not from this page.")
		if len(site.visits) != visits {
			t.Error("it reached the flow")
		}
	})
	t.Run("a large form is refused", func(t *testing.T) {
		wants(t, b.post(at, with("uid_field", strings.Repeat("x", maxForm))), http.StatusRequestEntityTooLarge, "larger than")
	})
	t.Run("a broken form is refused", func(t *testing.T) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader("a=%zz"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		wants(t, b.do(r), http.StatusBadRequest, "cannot be read")
	})
	t.Run("an earlier challenge cannot be answered", func(t *testing.T) {
		wants(t, b.post(at, with("sequence", "7")), http.StatusOK, "uid_field")
	})
	t.Run("an answer without a number is taken", func(t *testing.T) {
		wants(t, b.post(at, with("sequence", "one")), http.StatusSeeOther)
	})
	t.Run("an execution that is over starts again and says so", func(t *testing.T) {
		for _, run := range site.runs {
			run.over = true
		}
		p = b.post(at, good)
		wants(t, p, http.StatusOK, "we have started again", "uid_field")
		wants(t, b.submit(p, url.Values{"uid_field": {"jane"}}), http.StatusSeeOther)
	})
	t.Run("other methods are not served", func(t *testing.T) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, at, nil)
		wants(t, b.do(r), http.StatusMethodNotAllowed)
	})
}

func TestDeniedAtOnce(t *testing.T) {
	site := newSite()
	site.flows["login"] = []fakeStage{{final: true, ask: map[string]any{
		"component": "ak-stage-access-denied", "flow_info": info("Welcome"), "pending_user": "", "pending_user_avatar": "",
		"error_message": "Flow does not apply to current user.",
	}}}
	_, p := site.browser(t).follow("/if/flow/login/")
	wants(t, p, http.StatusOK, "Flow does not apply to current user.", "Reference <code>run-")
}

// What has ended shows its end for ever: the way on begins anew, with what the
// address said, and logs nobody out.
func TestTheEndLeadsToAFreshStart(t *testing.T) {
	for _, component := range []string{"ak-stage-access-denied", "ak-stage-flow-error"} {
		site := newSite()
		site.flows["login"] = []fakeStage{loginFlow()[0], {final: true, ask: map[string]any{
			"component": component, "flow_info": info("Welcome"), "request_id": "r",
		}}}
		b := site.browser(t)
		at, p := b.follow("/if/flow/login/?next=%2Fapp")
		b.submit(p, url.Values{"uid_field": {"jane"}})
		wants(t, b.get(at), http.StatusOK, `href="/if/flow/login/?next=%2Fapp">Start over`)
	}
}

// Whoever only looks at the headers of a page gets them (RFC 9110, 9.1).
func TestHead(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)
	for address, want := range map[string]int{
		"/": http.StatusFound, "/if/flow/login/": http.StatusSeeOther, "/if/user/": http.StatusSeeOther,
		"/flows/-/cancel/": http.StatusMethodNotAllowed, // that it cancels is more than a look
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, address, nil)
		wants(t, b.do(r), want)
	}
}

func TestUnknownFlow(t *testing.T) {
	b := newSite().browser(t)
	wants(t, b.get("/if/flow/nowhere/"), http.StatusNotFound, "There is no such flow.", "req-1")
	wants(t, b.get("/if/flow/nowhere"), http.StatusMovedPermanently)
	wants(t, b.get("/nowhere"), http.StatusNotFound, "nothing at this address")
}

func TestErrors(t *testing.T) {
	for code, f := range failures {
		site := newSite()
		site.fail = domain.Errorf(code, "A sentence about %s.", code)
		p := site.browser(t).get("/if/flow/login/")
		wants(t, p, f.status, "A sentence about", f.title)
		if site.log.Len() != 0 {
			t.Errorf("%s is logged: %s", code, site.log.String())
		}
	}
	site := newSite()
	site.fail = &domain.Error{Code: domain.Internal, Message: "disk full at sector 9"}
	p := site.browser(t).get("/if/flow/login/")
	wants(t, p, http.StatusInternalServerError, "Something went wrong", "req-1")
	if strings.Contains(p.body, "sector") {
		t.Error("the page tells what happened inside")
	}
	if !strings.Contains(site.log.String(), "sector 9") {
		t.Errorf("the log does not: %s", site.log.String())
	}
	site.fail = domain.Errorf(domain.Busy, "Later.")
	if p := site.browser(t).get("/if/flow/login/"); p.header.Get("Retry-After") == "" {
		t.Error("busy, but no Retry-After")
	}
}

func TestRedirectChallenges(t *testing.T) {
	for to, want := range map[string]struct {
		status   int
		location string
		refresh  string
	}{
		"/if/user/?a=b":                {303, "/if/user/?a=b", ""},
		"https://id.example.org/app":   {303, "https://id.example.org/app", ""},
		"https://wiki.example.org/x?y": {200, "", "0; url=https://wiki.example.org/x?y"},
		"http://id.example.org/":       {200, "", "0; url=http://id.example.org/"},
		"javascript:alert(1)":          {500, "", ""},
		"//evil.example.org/":          {500, "", ""},
		"data:text/html,x":             {500, "", ""},
		"":                             {500, "", ""},
	} {
		site := newSite()
		site.flows["go"] = []fakeStage{{final: true, ask: map[string]any{"component": "xak-flow-redirect", "to": to}}}
		p := site.browser(t).get("/if/flow/go/")
		if p.status != want.status || p.location != want.location || p.header.Get("Refresh") != want.refresh {
			t.Errorf("%s: got %d, location %q, refresh %q; want %+v", to, p.status, p.location, p.header.Get("Refresh"), want)
		}
	}
}

func TestEndedSessionLosesItsCookie(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)
	b.follow("/if/flow/login/")
	ended := &endingFlows{site}
	s := &Server{Callers: site, Forgery: site, Flows: ended, Account: site}
	b.site = s.handle(s.fetchFlow)
	b.get("/if/flow/logout/")
	if _, kept := b.cookies["authentik_session"]; kept {
		t.Error("the browser keeps the cookie of a session that is over")
	}
}
