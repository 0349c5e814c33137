package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/openapi"
)

var fakeNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A fakeSite is everything behind the pages, in memory: sessions by cookie,
// flows that are lists of stages, and one user.
type fakeSite struct {
	cookies map[string]string // cookie value to session
	users   map[string]string // session to user
	flows   map[string][]fakeStage
	runs    map[string]*fakeRun
	visits  []execution.Visit
	made    int

	sessions  []Session
	signIns   []SignIn
	offers    Offers
	query     url.Values // that a stage was to be set up with
	cancelled []string
	tokens    []Token
	scoped    bool  // everybody comes with a token that is limited
	fail      error // what every look-up ends in
	api       func() *openapi.Document
	log       bytes.Buffer
}

// A fakeStage asks something and judges the answer.
type fakeStage struct {
	ask   map[string]any
	judge func(answer map[string]any) map[string]any // response_errors; nil is right
	final bool                                       // the execution is over when this is shown
}

type fakeRun struct {
	slug, session string
	at            int
	over          bool
	next          string
}

func newSite() *fakeSite {
	return &fakeSite{
		cookies: map[string]string{}, users: map[string]string{},
		flows: map[string][]fakeStage{}, runs: map[string]*fakeRun{},
	}
}

func (f *fakeSite) handler() http.Handler {
	s := &Server{Callers: f, Forgery: f, Flows: f, Account: f, API: f.api, Log: slog.New(slog.NewTextHandler(&f.log, nil))}
	m := mux.NewRouter()
	s.Mount(m)
	m.NotFoundHandler = s.NotFound()
	return m
}

func (f *fakeSite) id(kind string) string {
	f.made++
	return fmt.Sprintf("%s-%d", kind, f.made)
}

// Of implements [Callers].
func (f *fakeSite) Of(_ http.ResponseWriter, r *http.Request) (session.Caller, error) {
	c := session.Caller{Request: "req-1", BaseURL: "https://id.example.org", Now: fakeNow}
	if cookie, err := r.Cookie("authentik_session"); err == nil {
		c.Session = f.cookies[cookie.Value]
		c.User = f.users[c.Session]
	}
	c.Scoped = f.scoped
	return c, nil
}

// Begin implements [Callers].
func (f *fakeSite) Begin(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	c.Session = f.id("session")
	return f.Renew(w, r, c)
}

// Renew implements [Callers].
func (f *fakeSite) Renew(w http.ResponseWriter, _ *http.Request, c *session.Caller) error {
	maps.DeleteFunc(f.cookies, func(_, s string) bool { return s == c.Session })
	value := f.id("cookie")
	f.cookies[value] = c.Session
	http.SetCookie(w, &http.Cookie{Name: "authentik_session", Value: value, Path: "/"})
	return nil
}

// End implements [Callers].
func (f *fakeSite) End(w http.ResponseWriter, _ *http.Request, _ *session.Caller) error {
	http.SetCookie(w, &http.Cookie{Name: "authentik_session", Path: "/", MaxAge: -1})
	return nil
}

// Token implements [Forgery].
func (f *fakeSite) Token(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie("authentik_csrf"); err == nil {
		return cookie.Value
	}
	value := f.id("csrf")
	http.SetCookie(w, &http.Cookie{Name: "authentik_csrf", Value: value, Path: "/"})
	return value
}

// Check implements [Forgery].
func (f *fakeSite) Check(r *http.Request, token string) error {
	if cookie, err := r.Cookie("authentik_csrf"); err != nil || token == "" || cookie.Value != token {
		return domain.Errorf(domain.Forbidden, "The form is not from this page.")
	}
	return nil
}

// Visit implements [Flows].
func (f *fakeSite) Visit(_ context.Context, v execution.Visit) (execution.Answer, error) {
	f.visits = append(f.visits, v)
	if f.fail != nil {
		return execution.Answer{}, f.fail
	}
	flow, ok := f.flows[v.Slug]
	if !ok {
		return execution.Answer{}, domain.Errorf(domain.NotFound, "There is no such flow.")
	}
	id := v.Execution
	run := f.runs[id]
	fresh := run == nil || run.over || run.slug != v.Slug || run.session != v.Caller.Session
	if fresh {
		id = f.id("run")
		run = &fakeRun{slug: v.Slug, session: v.Caller.Session, next: v.Query.Get("next")}
		f.runs[id] = run
	}
	a := execution.Answer{Execution: id, Sequence: run.at + 1}
	stage := flow[run.at]
	if stage.final {
		run.over = true
		a.Final, a.Challenge = true, stage.ask
		return a, nil
	}
	if v.Response == nil || fresh || (v.Sequence != 0 && v.Sequence != run.at+1) {
		a.Challenge = stage.ask
		return a, nil
	}
	return f.judge(v, run, a)
}

func (f *fakeSite) judge(v execution.Visit, run *fakeRun, a execution.Answer) (execution.Answer, error) {
	flow := f.flows[run.slug]
	var answer map[string]any
	if err := json.Unmarshal(v.Response, &answer); err != nil {
		return a, err
	}
	if judge := flow[run.at].judge; judge != nil {
		if problems := judge(answer); problems != nil {
			a.Challenge = maps.Clone(flow[run.at].ask)
			a.Challenge["response_errors"] = problems
			return a, nil
		}
	}
	if run.at++; run.at < len(flow) {
		a.Advanced = true
		return a, nil
	}
	run.over, a.Final, a.Renew = true, true, true
	f.users[run.session] = "user-jane"
	to := "/"
	if run.next != "" {
		to = run.next
	}
	a.Challenge = map[string]any{"component": "xak-flow-redirect", "to": to, "final_redirect": true}
	return a, nil
}

// Default implements [Flows].
func (f *fakeSite) Default(_ context.Context, designation string, _ session.Caller) (string, error) {
	slug := map[string]string{"authentication": "login", "invalidation": "logout", "nonsense": "odd"}[designation]
	if slug == "" {
		return "", domain.Errorf(domain.NotFound, "There is no flow for that.")
	}
	return slug, nil
}

// Configure implements [Flows].
func (f *fakeSite) Configure(_ context.Context, stage string, query url.Values, _ session.Caller) (string, error) {
	f.query = query
	if stage != "stage-totp" {
		return "", domain.Errorf(domain.NotFound, "There is nothing to set up.")
	}
	return "totp-setup", nil
}

// Offers implements [Flows].
func (f *fakeSite) Offers(context.Context, session.Caller) (Offers, error) { return f.offers, nil }

// Cancel implements [Flows].
func (f *fakeSite) Cancel(_ context.Context, c session.Caller) error {
	f.cancelled = append(f.cancelled, c.Session)
	return f.fail
}

// Profile implements [Account].
func (f *fakeSite) Profile(context.Context, string) (Profile, error) {
	return Profile{Username: "jane", Name: "Jane Doe", Email: "jane@example.org"}, f.fail
}

// Sessions implements [Account].
func (f *fakeSite) Sessions(context.Context, string) ([]Session, error) { return f.sessions, nil }

// Tokens implements [Account].
func (f *fakeSite) Tokens(context.Context, string) ([]Token, error) { return f.tokens, nil }

// SignIns implements [Account].
func (f *fakeSite) SignIns(_ context.Context, _ string, limit int) ([]SignIn, error) {
	return f.signIns[:min(limit, len(f.signIns))], nil
}

// Revoke implements [Account].
func (f *fakeSite) Revoke(_ context.Context, _ session.Caller, id string) error {
	for i, s := range f.sessions {
		if s.ID == id {
			f.sessions = append(f.sessions[:i:i], f.sessions[i+1:]...)
			return nil
		}
	}
	return domain.Errorf(domain.NotFound, "You have no such session.")
}

// A browser keeps cookies and fills in forms. It does not follow redirects, so
// that tests see each.
type browser struct {
	t       *testing.T
	site    http.Handler
	cookies map[string]string
	refuses bool // it keeps no cookies
}

func (f *fakeSite) browser(t *testing.T) *browser {
	return &browser{t: t, site: f.handler(), cookies: map[string]string{}}
}

// An answered request, with its body read.
type page200 struct {
	status   int
	location string
	header   http.Header
	body     string
}

func (b *browser) do(r *http.Request) page200 {
	b.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		switch {
		case b.refuses:
		case c.MaxAge < 0:
			delete(b.cookies, c.Name)
		default:
			b.cookies[c.Name] = c.Value
		}
	}
	return page200{w.Code, w.Header().Get("Location"), w.Header(), w.Body.String()}
}

func (b *browser) get(target string) page200 {
	b.t.Helper()
	return b.do(httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, target, nil))
}

func (b *browser) post(target string, form url.Values) page200 {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// follow gets target and goes on until a page is shown.
func (b *browser) follow(target string) (string, page200) {
	b.t.Helper()
	for range 10 {
		p := b.get(target)
		if p.location == "" {
			return target, p
		}
		target = p.location
	}
	b.t.Fatalf("redirects never end, last to %s", target)
	return "", page200{}
}

var (
	hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	formAction  = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
)

// submit fills in the first form of a page and posts it.
func (b *browser) submit(p page200, typed url.Values) page200 {
	b.t.Helper()
	action := formAction.FindStringSubmatch(p.body)
	if action == nil {
		b.t.Fatalf("no form on the page:\n%s", p.body)
	}
	form := url.Values{}
	for _, hidden := range hiddenInput.FindAllStringSubmatch(p.body, -1) {
		form.Add(hidden[1], hidden[2])
	}
	for name, values := range typed {
		form[name] = append(form[name], values...)
	}
	return b.post(strings.ReplaceAll(action[1], "&amp;", "&"), form)
}

// rejected is the response_errors of one problem.
func rejected(field, text string) map[string]any {
	return map[string]any{field: []any{map[string]any{"string": text, "code": "invalid"}}}
}

// info is the flow_info of the fake flows.
func info(title string) map[string]any {
	return map[string]any{
		"title": title, "background": "/static/dist/assets/images/flow_background.svg",
		"background_themed_urls": nil, "cancel_url": "/flows/-/cancel/", "layout": "stacked",
	}
}

// loginFlow asks for a name and a password, as most flows do.
func loginFlow() []fakeStage {
	return []fakeStage{
		{
			ask: map[string]any{
				"component": "ak-stage-identification", "flow_info": info("Welcome"), "user_fields": []string{"email", "username"},
				"password_fields": false, "primary_action": "Log in", "flow_designation": "authentication",
				"show_source_labels": false, "sources": []any{}, "captcha_stage": nil,
				"recovery_url": "/if/flow/recovery/?next=%2Fapp", "enable_remember_me": true,
			},
			judge: func(answer map[string]any) map[string]any {
				if answer["uid_field"] == "jane" {
					return nil
				}
				return rejected("non_field_errors", "Failed to authenticate.")
			},
		},
		{
			ask: map[string]any{
				"component": "ak-stage-password", "flow_info": info("Welcome"), "pending_user": "jane",
				"pending_user_avatar": "/static/dist/assets/images/user_default.svg", "allow_show_password": true,
			},
			judge: func(answer map[string]any) map[string]any {
				if answer["password"] == " s3cret " {
					return nil
				}
				return rejected("password", "Invalid password")
			},
		},
	}
}
