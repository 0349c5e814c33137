// Package auditapi gives the ledger to those who audit it. It opens nothing:
// what is sealed stays sealed.
package auditapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// A Server serves the ledger's addresses.
type Server struct {
	Ledger  Ledger
	Stories Stories
	Callers Callers
	Log     *slog.Logger
}

// Ledger is the store, for reading.
type Ledger interface {
	ReadAll(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error]
}

// Stories tells executions to people. Both fail with NotFound when there is no
// such execution.
type Stories interface {
	// Story writes what happened, as text.
	Story(ctx context.Context, out io.Writer, id string) error
	// State writes plan and context as of a revision, as JSON without secrets.
	State(ctx context.Context, out io.Writer, id string, at eventstore.Revision) error
}

// Callers tells who makes a request.
type Callers interface {
	Of(w http.ResponseWriter, r *http.Request) (session.Caller, error)
}

// Mount adds the routes.
func (s *Server) Mount(r *mux.Router) {
	r.Path("/api/v3/ledger/events/").Methods(http.MethodGet).HandlerFunc(s.events)
	r.Path("/api/v3/flows/executions/{id}/story/").Methods(http.MethodGet).HandlerFunc(s.story)
	r.Path("/api/v3/flows/executions/{id}/state/").Methods(http.MethodGet).HandlerFunc(s.state)
}

// story answers with the story of an execution, as text.
func (s *Server) story(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, viewEvents, "text/plain; charset=utf-8", func(out io.Writer) error {
		return s.Stories.Story(r.Context(), out, mux.Vars(r)["id"])
	})
}

// state answers with the state of an execution as of ?revision=, by default
// the newest.
func (s *Server) state(w http.ResponseWriter, r *http.Request) {
	at := eventstore.Revision(math.MaxInt64)
	if text := r.URL.Query().Get("revision"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			s.fail(w, r, domain.Errorf(domain.Invalid, "revision is a number from 0 on."))
			return
		}
		at = eventstore.Revision(n)
	}
	s.show(w, r, inspectFlow, "application/json", func(out io.Writer) error {
		return s.Stories.State(r.Context(), out, mux.Vars(r)["id"], at)
	})
}

// show answers an auditor with what write writes.
func (s *Server) show(w http.ResponseWriter, r *http.Request, permission, kind string, write func(io.Writer) error) {
	var body bytes.Buffer
	err := s.auditor(w, r, permission)
	if err == nil {
		err = write(&body)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	if _, err := body.WriteTo(w); err != nil {
		s.Log.DebugContext(r.Context(), "answer not written", "error", err)
	}
}

// The permissions of auditors.
const (
	viewEvents  = "authentik_events.view_event"
	inspectFlow = "authentik_flows.inspect_flow"
)

// auditor refuses whoever may not look.
func (s *Server) auditor(w http.ResponseWriter, r *http.Request, permission string) error {
	c, err := s.Callers.Of(w, r)
	switch {
	case err != nil:
		return err
	case c.User == "":
		return domain.Errorf(domain.Forbidden, "Authentication credentials were not provided.")
	case !c.May(permission):
		return domain.Errorf(domain.Forbidden, "You do not have permission to perform this action.")
	}
	return nil
}

// An Event is an event as auditors read it: Sealed says how many bytes of it
// only the program itself can read.
type Event struct {
	Position   string          `json:"position"`
	Stream     string          `json:"stream"`
	Revision   int64           `json:"revision"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Schema     int             `json:"schema"`
	RecordedAt time.Time       `json:"recorded_at"`
	Header     json.RawMessage `json:"header"`
	Payload    json.RawMessage `json:"payload"`
	Sealed     int             `json:"sealed"`
}

// EventOf shows a recorded event.
func EventOf(e eventstore.Recorded) Event {
	return Event{
		Position: e.Position.String(), Stream: string(e.Stream), Revision: int64(e.Revision), ID: e.ID.String(), Type: e.Type,
		Schema: e.Schema, RecordedAt: e.RecordedAt, Header: e.Header, Payload: e.Payload, Sealed: len(e.Sealed),
	}
}

// maxPage is how many events one answer holds at most.
const maxPage = 1000

// events answers with the events after a position, oldest first:
// {"results": [...], "next": "POSITION"}.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	page, next, err := s.read(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.write(w, r, http.StatusOK, map[string]any{"results": page, "next": next.String()})
}

func (s *Server) read(w http.ResponseWriter, r *http.Request) (page []Event, next eventstore.Position, err error) {
	if err := s.auditor(w, r, viewEvents); err != nil {
		return nil, next, err
	}
	if after := r.URL.Query().Get("after"); after != "" {
		if next, err = eventstore.ParsePosition(after); err != nil {
			return nil, next, domain.Errorf(domain.Invalid, "after is no position.")
		}
	}
	limit := maxPage
	if text := r.URL.Query().Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return nil, next, domain.Errorf(domain.Invalid, "limit is a number from 1 to %d.", maxPage)
		}
	}
	page = []Event{}
	for e, err := range s.Ledger.ReadAll(r.Context(), next) {
		if err != nil {
			return nil, next, fmt.Errorf("read the ledger: %w", err)
		}
		page, next = append(page, EventOf(e)), e.Position
		if len(page) == limit {
			break
		}
	}
	return page, next, nil
}

// statuses is the table from codes to statuses; what is missing is a fault of
// ours.
var statuses = map[domain.Code]int{
	domain.Invalid: http.StatusBadRequest, domain.NotFound: http.StatusNotFound, domain.Forbidden: http.StatusForbidden, domain.Unauthenticated: http.StatusForbidden,
}

// fail shows an error, and logs it if it is ours.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	code, sentence := domain.Explain(err)
	status, known := statuses[code]
	if !known {
		status = http.StatusInternalServerError
		s.Log.ErrorContext(r.Context(), "request failed", "error", err)
	}
	s.write(w, r, status, map[string]any{"detail": sentence})
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.Log.DebugContext(r.Context(), "answer not written", "error", err)
	}
}
