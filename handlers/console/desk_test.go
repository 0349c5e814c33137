package console

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
)

// pages are the pages of a town, for somebody who asks for them.
type pages struct {
	t      *testing.T
	town   *town
	caller session.Caller
	looks  []string
	router *mux.Router
}

func newPages(t *testing.T) *pages {
	t.Helper()
	p := &pages{t: t, town: newTown(), caller: session.Caller{User: "u1", Superuser: true, Session: "s0", Now: noon}, router: mux.NewRouter()}
	s := &Server{
		Verdicts: fakeVerdicts{p.town}, Sources: fakeSources{p.town}, Changes: fakeChanges{p.town}, Things: fakeThings{p.town}, People: fakePeople{p.town}, Persons: fakePeople{p.town},
		Logins: fakeLogins{p.town}, Accesses: fakeAccesses{p.town}, Trail: fakeTrail{p.town}, Deliveries: fakeDeliveries{p.town},
		Erasures: fakeErasures{p.town}, Retention: fakeRetention{p.town}, Executions: fakeRuns{p.town}, Looks: p, Forgery: p, Callers: p,
		Fresh: func(context.Context) (Freshness, error) { return Freshness{}, nil }, Wait: func(context.Context) error { return nil },
		Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	}
	s.Mount(p.router)
	return p
}

func (p *pages) Of(http.ResponseWriter, *http.Request) (session.Caller, error) { return p.caller, nil }

func (p *pages) Token(http.ResponseWriter, *http.Request) string { return "token" }

func (p *pages) Check(_ *http.Request, token string) error {
	if token != "token" {
		return domain.Errorf(domain.Forbidden, "The form is not ours.")
	}
	return nil
}

// Queried writes down a look, as one line.
func (p *pages) Queried(_ context.Context, _ session.Caller, l looked.Look) error {
	line := []string{l.View}
	for _, name := range slices.Sorted(maps.Keys(l.Filters)) {
		line = append(line, name+"="+l.Filters[name])
	}
	if l.About != "" {
		line = append(line, "about "+l.About)
	}
	if len(l.Opened) > 0 {
		line = append(line, "opened "+strings.Join(l.Opened, " "))
	}
	p.looks = append(p.looks, strings.Join(line, " "))
	return nil
}

// Inspected implements Looks.
func (p *pages) Inspected(_ context.Context, _ session.Caller, execution string, _ bool) error {
	p.looks = append(p.looks, "inspected "+execution)
	return nil
}

// Refused implements Looks.
func (p *pages) Refused(_ context.Context, _ session.Caller, f looked.Refusal) error {
	p.looks = append(p.looks, "refused "+f.View+": "+f.Cause)
	return nil
}

func (p *pages) get(path string) *httptest.ResponseRecorder {
	p.t.Helper()
	w := httptest.NewRecorder()
	p.router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func (p *pages) post(path string, form url.Values, forged bool) *httptest.ResponseRecorder {
	p.t.Helper()
	all := url.Values{"csrfmiddlewaretoken": {"token"}}
	maps.Copy(all, form)
	if forged {
		all.Set("csrfmiddlewaretoken", "guess")
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(all.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.router.ServeHTTP(w, r)
	return w
}
