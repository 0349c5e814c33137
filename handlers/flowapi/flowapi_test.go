package flowapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/flowapi"
)

// A site is what lies behind the API: it answers one thing, and remembers what
// it was asked.
type site struct {
	answer execution.Answer
	err    error
	visits []execution.Visit
	caller session.Caller
	did    []string // to the cookies
	log    bytes.Buffer
}

func (s *site) Visit(_ context.Context, v execution.Visit) (execution.Answer, error) {
	s.visits = append(s.visits, v)
	return s.answer, s.err
}

func (s *site) Of(http.ResponseWriter, *http.Request) (session.Caller, error) { return s.caller, nil }

func (s *site) Begin(_ http.ResponseWriter, _ *http.Request, c *session.Caller) error {
	s.did = append(s.did, "begin")
	c.Session = "s1"
	return nil
}

func (s *site) Renew(http.ResponseWriter, *http.Request, *session.Caller) error {
	s.did = append(s.did, "renew")
	return nil
}

func (s *site) End(http.ResponseWriter, *http.Request, *session.Caller) error {
	s.did = append(s.did, "end")
	return nil
}

func (s *site) CheckCSRF(r *http.Request, c session.Caller) error {
	if c.User != "" && r.Header.Get("X-authentik-CSRF") != "token" {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token missing.")
	}
	return nil
}

// does makes a request.
func (s *site) does(method, target, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return s.serve(r)
}

func (s *site) serve(r *http.Request) *httptest.ResponseRecorder {
	routes := mux.NewRouter()
	(&flowapi.Server{Flows: s, Callers: s, Log: slog.New(slog.NewTextHandler(&s.log, nil))}).Mount(routes)
	w := httptest.NewRecorder()
	routes.ServeHTTP(w, r)
	return w
}

const (
	address = "/api/v3/flows/executor/signin/"
	asJSON  = "application/json"
)

func asked() *site {
	return &site{answer: execution.Answer{Challenge: map[string]any{"component": "ak-stage-dummy"}}}
}

func TestFetch(t *testing.T) {
	s := asked()
	w := s.does(http.MethodGet, address+"?query=next%3D%252Fx%26execution%3De1&execution=e2", "", "")
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != `{"component":"ak-stage-dummy"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": asJSON, "Cache-Control": "no-store", "X-Frame-Options": "SAMEORIGIN",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	v := s.visits[0]
	if v.Slug != "signin" || v.Entry != "api" || v.Query.Get("next") != "/x" || v.Execution != "e2" || v.Response != nil || v.Caller.Session != "s1" {
		t.Errorf("visit %+v", v)
	}
}

func TestExecutionOfTheInnerQuery(t *testing.T) {
	s := asked()
	s.does(http.MethodGet, address+"?query=execution%3De1", "", "")
	if got := s.visits[0].Execution; got != "e1" {
		t.Errorf("execution %q", got)
	}
}

// What can be read of a query is read.
func TestBrokenQuery(t *testing.T) {
	s := asked()
	s.does(http.MethodGet, address+"?query=a%3D%25ZZ%26next%3D%2Fx%26b%3Dc%3Bd", "", "")
	if got := s.visits[0].Query; got.Get("next") != "/x" || len(got) != 1 {
		t.Errorf("query %v", got)
	}
}

// The next challenge is fetched at the same address, as the client wrote it.
func TestRedirectStaysVerbatim(t *testing.T) {
	for _, target := range []string{
		address, address + "?", address + "?query=next%3D%2Fx", address + "?query=a+b&query=c%20d&x=%7E", address + "?query=%ZZ",
	} {
		s := &site{answer: execution.Answer{Advanced: true}}
		w := s.does(http.MethodPost, target, asJSON, "{}")
		if w.Code != http.StatusFound || w.Header().Get("Location") != target || w.Body.Len() > 0 {
			t.Errorf("%d, to %q, want %q", w.Code, w.Header().Get("Location"), target)
		}
	}
}

func TestCookies(t *testing.T) {
	for name, test := range map[string]struct {
		answer execution.Answer
		stale  bool
		want   []string
	}{
		"a step":                           {execution.Answer{Advanced: true}, false, []string{"begin"}},
		"a login":                          {execution.Answer{Final: true, Renew: true}, false, []string{"begin", "renew"}},
		"a login with steps behind it":     {execution.Answer{Advanced: true, Renew: true}, false, []string{"begin", "renew"}},
		"a logout":                         {execution.Answer{Final: true, Ended: true}, false, []string{"begin", "end"}},
		"a logout, and somebody logged in": {execution.Answer{Final: true, Ended: true, Renew: true}, false, []string{"begin", "end"}},
		"a cookie from before, no end":     {execution.Answer{}, true, []string{"begin"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{answer: test.answer, caller: session.Caller{Stale: test.stale}}
			s.does(http.MethodPost, address, asJSON, "{}")
			if diff := cmp.Diff(test.want, s.did); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		method, target, kind, body string
		want                       int
		detail                     string
	}{
		"another method":   {"PUT", address, asJSON, "{}", 405, `Method "PUT" not allowed.`},
		"delete":           {"DELETE", address, "", "", 405, `Method "DELETE" not allowed.`},
		"a form":           {"POST", address, "application/x-www-form-urlencoded", "a=b", 415, `Unsupported media type "application/x-www-form-urlencoded" in request.`},
		"no type":          {"POST", address, "", "{}", 415, `Unsupported media type "" in request.`},
		"a broken type":    {"POST", address, "application/", "{}", 415, ""},
		"a list":           {"POST", address, asJSON, "[]", 400, "Invalid data. Expected a dictionary."},
		"a text":           {"POST", address, asJSON, `"x"`, 400, "Invalid data. Expected a dictionary."},
		"nothing much":     {"POST", address, asJSON, "null", 400, "Invalid data. Expected a dictionary."},
		"cut short":        {"POST", address, asJSON, `{"password":"hunter2`, 400, "JSON parse error - at byte 20"},
		"no JSON":          {"POST", address, asJSON, `{"password":hunter2}`, 400, "JSON parse error - at byte 13"},
		"two objects":      {"POST", address, asJSON, `{}{}`, 400, "JSON parse error - at byte 3"},
		"deeply nested":    {"POST", address, asJSON, `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}", 400, "The request body is nested deeper than 64 levels."},
		"absurdly nested":  {"POST", address, asJSON, strings.Repeat(`{"a":`, 100_000), 400, ""},
		"too large":        {"POST", address, asJSON, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "The request body is larger than 1048576 bytes."},
		"a deep, but fair": {"POST", address, asJSON, `{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + "}", 200, ""},
		"an empty body":    {"POST", address, asJSON, "", 200, ""},
		"with a charset":   {"POST", address, "application/json; charset=utf-8", "{}", 200, ""},
		"elsewhere":        {"GET", "/api/v3/flows/executor/", "", "", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := asked()
			w := s.does(test.method, test.target, test.kind, test.body)
			if w.Code != test.want {
				t.Fatalf("%d %s, want %d", w.Code, w.Body, test.want)
			}
			if strings.Contains(w.Body.String(), "hunter2") || strings.Contains(s.log.String(), "hunter2") {
				t.Errorf("the input is repeated: %s %s", w.Body, s.log.String())
			}
			if test.detail != "" && detail(t, w) != test.detail {
				t.Errorf("says %q, want %q", detail(t, w), test.detail)
			}
			if allow := w.Header().Get("Allow"); (allow == "GET, HEAD, POST") != (test.want == 405) {
				t.Errorf("allows %q", allow)
			}
			if test.want != 200 && len(s.visits) > 0 {
				t.Error("the flow was visited nevertheless")
			}
		})
	}
}

func detail(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != asJSON {
		t.Errorf("type %q", got)
	}
	var body struct {
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return body.Detail
}

// Errors become statuses; what is not for the client goes to the log.
func TestErrors(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		want   int
		detail string
		logged bool
	}{
		"no such flow": {domain.Errorf(domain.NotFound, "No Flow matches the given query."), 404, "No Flow matches the given query.", false},
		"busy":         {domain.Errorf(domain.Busy, "Try again."), 503, "Try again.", false},
		"a token":      {domain.Errorf(domain.Unauthenticated, "Token invalid/expired"), 403, "Token invalid/expired", false},
		"expired":      {domain.Errorf(domain.Expired, "Over."), 410, "Over.", false},
		"ours":         {errors.New("password of the database: hunter2"), 500, "Internal error.", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{err: test.err}
			w := s.does(http.MethodGet, address, "", "")
			if w.Code != test.want || detail(t, w) != test.detail {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if logged := s.log.Len() > 0; logged != test.logged {
				t.Errorf("logged: %s", s.log.String())
			}
			if retry := w.Header().Get("Retry-After"); (retry == "1") != (test.want == 503) {
				t.Errorf("Retry-After %q", retry)
			}
			if diff := cmp.Diff([]string{"begin"}, s.did); diff != "" {
				t.Errorf("cookies: %s", diff)
			}
		})
	}
}

// A client that left is not logged as a fault of ours.
func TestTheClientLeft(t *testing.T) {
	s := &site{err: context.Canceled}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	s.serve(httptest.NewRequestWithContext(ctx, http.MethodGet, address, nil))
	if s.log.Len() > 0 {
		t.Errorf("logged: %s", s.log.String())
	}
}

func TestForgery(t *testing.T) {
	for name, test := range map[string]struct {
		user, token, method string
		want                int
	}{
		"a stranger's answer":           {"", "", "POST", 200},
		"a logged in user's, forged":    {"ada", "", "POST", 403},
		"a logged in user's":            {"ada", "token", "POST", 200},
		"a logged in user only fetches": {"ada", "", "GET", 200},
	} {
		s := asked()
		s.caller.User = test.user
		r := httptest.NewRequest(test.method, address, strings.NewReader("{}"))
		r.Header.Set("Content-Type", asJSON)
		r.Header.Set("X-authentik-CSRF", test.token)
		if w := s.serve(r); w.Code != test.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// brokenBody fails in the middle.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBrokenBody(t *testing.T) {
	s := asked()
	r := httptest.NewRequest(http.MethodPost, address, brokenBody{})
	r.Header.Set("Content-Type", asJSON)
	if w := s.serve(r); w.Code != 400 || detail(t, w) != "The request body could not be read." {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// FuzzResponse sends bodies of any kind: they are objects or refused, and
// never a fault of ours.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"a":[{}]}`, "[", `{"a":1e999}`, "\xff", `{"a":"` + "\x00" + `"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := asked()
		w := s.does(http.MethodPost, address, asJSON, body)
		if w.Code != 200 && w.Code != 400 && w.Code != 413 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var object map[string]json.RawMessage
		if w.Code == 200 && json.Unmarshal(s.visits[0].Response, &object) != nil {
			t.Errorf("%q was handed on", s.visits[0].Response)
		}
	})
}

// A token that is limited is not its user: a flow would make it so.
func TestLimitedTokens(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		s := asked()
		s.caller = session.Caller{User: "u", Token: "t", Scoped: true}
		w := s.does(method, address, asJSON, "{}")
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "limited to some permissions") || len(s.visits)+len(s.did) > 0 {
			t.Errorf("%s: %d %s, visits %d, %v", method, w.Code, w.Body, len(s.visits), s.did)
		}
	}
}
