package console

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/handlers/story"
	"github.com/flowledger/flowledger/projections"
)

// now is when all tests of pages happen.
var now = time.Date(2026, 3, 9, 10, 30, 0, 0, time.UTC)

// A fake is all that a server asks, and a note of what it was told.
type fake struct {
	caller     session.Caller
	names      map[string]string
	executions []projections.Execution
	overview   projections.Overview
	outcomes   map[string]int
	fresh      Freshness
	story      story.Story
	states     []story.Snapshot // by revision

	filter projections.ExecutionFilter // of the last search
	order  string
	part   projections.Page
	looks  []string // what was recorded, a line each
}

// auditor is somebody who may see all that the console shows.
func auditor() session.Caller {
	return session.Caller{User: "auditor", Session: "s", Granted: session.Grants{viewEvents: true, inspectFlow: true}, Now: now, Request: "req-1"}
}

// newFake returns a server whose caller may see all, and what it asks.
func newFake() (*Server, *fake) {
	f := &fake{caller: auditor(), names: map[string]string{"u-ada": "ada"}}
	return &Server{
		Callers: f, Forgery: f, Looks: f, People: f, Executions: f, Stories: f,
		Fresh: func(context.Context) (Freshness, error) { return f.fresh, nil },
		Wait:  func(context.Context) error { return nil },
		Now:   func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, f
}

func (f *fake) Of(http.ResponseWriter, *http.Request) (session.Caller, error) { return f.caller, nil }
func (f *fake) Token(http.ResponseWriter, *http.Request) string               { return "csrf" }
func (f *fake) Check(_ *http.Request, token string) error {
	if token != "csrf" {
		return domain.Errorf(domain.Forbidden, "The form is not ours.")
	}
	return nil
}

func (f *fake) Queried(_ context.Context, _ session.Caller, l looked.Look) error {
	line := "queried " + l.View
	if l.About != "" {
		line += " about " + l.About
	}
	f.looks = append(f.looks, line)
	return nil
}

func (f *fake) Inspected(_ context.Context, _ session.Caller, execution string, _ bool) error {
	f.looks = append(f.looks, "inspected "+execution)
	return nil
}

func (f *fake) Refused(_ context.Context, _ session.Caller, r looked.Refusal) error {
	f.looks = append(f.looks, "refused "+r.View+" "+r.Cause)
	return nil
}

func (f *fake) Named(_ context.Context, ids []string) (map[string]string, error) { return f.names, nil }
func (f *fake) UserID(_ context.Context, text string) (string, error) {
	for id, name := range f.names {
		if name == text || id == text {
			return id, nil
		}
	}
	return "", nil
}

func (f *fake) Search(_ context.Context, filter projections.ExecutionFilter, order string, p projections.Page) (projections.ExecutionPage, error) {
	f.filter, f.order, f.part = filter, order, p
	return projections.ExecutionPage{Executions: f.executions, Total: len(f.executions), Exact: true}, nil
}

func (f *fake) ByID(_ context.Context, id string) (projections.Execution, bool, error) {
	for _, x := range f.executions {
		if x.ID == id {
			return x, true, nil
		}
	}
	return projections.Execution{}, false, nil
}

func (f *fake) Overview(context.Context, time.Time, time.Time, time.Duration) (projections.Overview, error) {
	return f.overview, nil
}

func (f *fake) Outcomes(context.Context, string, time.Time, time.Time) (map[string]int, error) {
	return f.outcomes, nil
}

func (f *fake) Story(_ context.Context, id string) (story.Story, error) {
	if f.story.ID != id {
		return story.Story{}, domain.Errorf(domain.NotFound, "There is no execution %q.", id)
	}
	return f.story, nil
}

func (f *fake) State(_ context.Context, _ string, at eventstore.Revision) (story.Snapshot, error) {
	if at == math.MaxInt64 {
		at = eventstore.Revision(len(f.states) - 1)
	}
	return f.states[at], nil
}

func (f *fake) Decisions(context.Context, string) (out []story.Decision, err error) {
	for _, step := range f.story.Steps {
		if step.Decision != nil {
			out = append(out, *step.Decision)
		}
	}
	return out, nil
}

// get asks for a page.
func get(t *testing.T, s *Server, address string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(s, httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil))
}

func serve(s *Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	m := mux.NewRouter()
	s.Mount(m)
	m.ServeHTTP(w, r)
	return w
}
