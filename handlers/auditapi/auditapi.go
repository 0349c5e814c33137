// Package auditapi gives the ledger to those who audit it. It opens nothing
// but what it is told in words: what is sealed stays sealed.
package auditapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// A Server serves the ledger's addresses. All fields must be set.
type Server struct {
	Ledger     Ledger
	Index      Index
	Stories    Stories
	Past       Past
	Executions Executions
	People     People
	Callers    Callers
	Forgery    Forgery
	Retention  Retention
	Erased     Erased
	Models     Models
	Looks      Looks
	Tail       Tail
	Records    Records                         // without names and addresses
	Opened     Records                         // with them
	Version    string                          // of the program
	Ending     <-chan struct{}                 // closed when the program ends, and streams with it; nil for never
	Wait       func(ctx context.Context) error // until what is read has seen all that is written
	Log        *slog.Logger

	routes  []Route // what was mounted
	streams gate
	exports gate
	pace    pace
}

// Ledger is the store, for reading.
type Ledger interface {
	ReadAll(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error]
	ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error]
}

// Index finds events by what their envelopes say.
type Index interface {
	// Following returns the events behind a position that f wants, the oldest
	// first, at most limit.
	Following(ctx context.Context, f projections.AuditFilter, after eventstore.Position, limit int) ([]projections.Entry, error)
	// Timeline returns everything that happened in an execution, the oldest first.
	Timeline(ctx context.Context, execution string) ([]projections.Entry, error)
}

// Executions are all executions.
type Executions interface {
	// Search returns a page of the executions that f wants, in an order.
	Search(ctx context.Context, f projections.ExecutionFilter, order string, p projections.Page) (projections.ExecutionPage, error)
	ByID(ctx context.Context, id string) (projections.Execution, bool, error)
}

// Stories tells executions to people. All fail with NotFound when there is no
// such execution.
type Stories interface {
	// Story writes what happened, as text.
	Story(ctx context.Context, out io.Writer, id string) error
	// State writes plan and context as of a revision, as JSON without secrets.
	State(ctx context.Context, out io.Writer, id string, at eventstore.Revision) error
	// Definitions lists the configured things that an execution went by, each
	// as of the revision that it used.
	Definitions(ctx context.Context, id string) ([]Definition, error)
	// UserID finds a user by name or by id; empty for nobody.
	UserID(ctx context.Context, text string) (string, error)
}

// Callers tells who makes a request.
type Callers interface {
	Of(w http.ResponseWriter, r *http.Request) (session.Caller, error)
}

// Forgery tells requests of the own pages from those of others.
type Forgery interface {
	CheckCSRF(r *http.Request, c session.Caller) error
}

// Looks records who looks, before anything is shown.
type Looks interface {
	Queried(ctx context.Context, c session.Caller, l looked.Look) error
	Inspected(ctx context.Context, c session.Caller, execution string, live bool) error
	Refused(ctx context.Context, c session.Caller, f looked.Refusal) error
	Exported(ctx context.Context, c session.Caller, e audit.AuditExported, about string) error
}

// The permissions of auditors.
const (
	viewEvents  = "authentik_events.view_event"
	inspectFlow = "authentik_flows.inspect_flow"
)

// base is where the API begins.
const base = "/api/v3/"

// A Route is one method of one path that the server serves, and the permission
// that it needs.
type Route struct {
	Method string
	Path   string // below /api/v3/
	Needs  string // app.codename
}

// Routes lists what was mounted, by path.
func (s *Server) Routes() []Route {
	return slices.SortedFunc(slices.Values(s.routes), func(a, b Route) int { return cmp.Compare(a.Path, b.Path) })
}

// Mount adds the routes.
func (s *Server) Mount(r *mux.Router) {
	s.route(r, "ledger/events/", viewEvents, "ledger", s.events)
	s.route(r, "ledger/stream/", viewEvents, "stream", s.stream)
	s.route(r, "ledger/export/", viewEvents, "export", s.export)
	s.route(r, "flows/executions/", viewEvents, "executions", s.executions)
	s.route(r, "flows/executions/export/", viewEvents, "export", s.exportExecutions)
	s.route(r, "flows/executions/{id}/", viewEvents, "executions", s.execution)
	s.route(r, "flows/executions/{id}/events/", viewEvents, "executions", s.executionEvents)
	s.route(r, "flows/executions/{id}/story/", viewEvents, "executions", s.story)
	s.route(r, "flows/executions/{id}/state/", inspectFlow, "executions", s.state)
	s.route(r, "flows/executions/{id}/decisions/", inspectFlow, "executions", s.decisions)
	s.route(r, "flows/executions/{id}/differences/", inspectFlow, "executions", s.differences)
	s.serve(r, "ledger/retention/", "retention", verb{http.MethodGet, viewEvents, s.retention}, verb{http.MethodPut, "", s.setRetention})
	s.route(r, "ledger/erasures/{id}/", viewEvents, "erasures", s.erasure)
	s.modelRoutes(r)
}

// An endpoint answers a question. It records the look before it writes.
type endpoint func(w http.ResponseWriter, r *http.Request, c session.Caller) error

// A verb is a method of a path, and what may be done with it by whom.
type verb struct {
	method     string
	permission string // app.codename; empty for superusers
	run        endpoint
}

// route adds a path that can be read, given below /api/v3/.
func (s *Server) route(r *mux.Router, path, permission, view string, run endpoint) {
	s.serve(r, path, view, verb{http.MethodGet, permission, run})
}

// serve adds a path, given below /api/v3/. Who may not is refused, and the
// refusal is recorded under the name of the view.
func (s *Server) serve(r *mux.Router, path, view string, verbs ...verb) {
	var allowed []string
	for _, v := range verbs {
		allowed = append(allowed, v.method)
		s.routes = append(s.routes, Route{Method: v.method, Path: path, Needs: v.permission})
	}
	r.Path(base + path).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		c, err := s.Callers.Of(w, r)
		if err == nil {
			method := r.Method
			if method == http.MethodHead {
				method = http.MethodGet
			}
			at := slices.IndexFunc(verbs, func(v verb) bool { return v.method == method })
			if at < 0 {
				w.Header().Set("Allow", strings.Join(allowed, ", "))
				s.write(w, r, http.StatusMethodNotAllowed, detail("Method \""+r.Method+"\" not allowed."))
				return
			}
			err = s.run(w, r, c, view, verbs[at])
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// run does what a verb says, for whom it is meant.
func (s *Server) run(w http.ResponseWriter, r *http.Request, c session.Caller, view string, v verb) error {
	if err := s.admit(r, c, v.permission, view); err != nil {
		return err
	}
	if v.method != http.MethodGet {
		if err := s.Forgery.CheckCSRF(r, c); err != nil {
			return err
		}
	}
	// Half a query would find more than was asked for.
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		return domain.Errorf(domain.Invalid, "The query is malformed.")
	}
	if err := s.Wait(r.Context()); err != nil { // what the caller did before must show
		return err
	}
	return v.run(w, r, c)
}

// admit refuses whoever may not look.
func (s *Server) admit(r *http.Request, c session.Caller, permission, view string) error {
	refusal, answer := looked.Refusal{View: view}, error(nil)
	switch {
	case c.User == "":
		refusal.Cause, answer = "unauthenticated", domain.Errorf(domain.Forbidden, "Authentication credentials were not provided.")
	case !c.May(permission):
		refusal.Cause, answer = "permission", domain.Errorf(domain.Forbidden, "You do not have permission to perform this action.")
	default:
		return nil
	}
	return cmp.Or(s.Looks.Refused(r.Context(), c, refusal), answer)
}

// statuses is the table from codes to statuses; what is missing is a fault of
// ours.
var statuses = map[domain.Code]int{
	domain.Invalid: http.StatusBadRequest, domain.NotFound: http.StatusNotFound, domain.Forbidden: http.StatusForbidden,
	domain.Unauthenticated: http.StatusForbidden, domain.Busy: http.StatusServiceUnavailable,
}

// detail is an error in one sentence, in the contract's shape.
func detail(sentence string) map[string]any { return map[string]any{"detail": sentence} }

// fail shows an error, field by field if it has fields, and logs it if it is
// ours.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	code, sentence := domain.Explain(err)
	status, known := statuses[code]
	if !known {
		status, sentence = http.StatusInternalServerError, "Internal error."
		s.Log.ErrorContext(r.Context(), "request failed", "error", err)
	}
	if code == domain.Busy {
		w.Header().Set("Retry-After", "1")
	}
	if errors.Is(err, errTooMany) {
		status = http.StatusTooManyRequests
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && known && len(e.Fields) > 0 {
		s.write(w, r, status, e.Fields)
		return
	}
	s.write(w, r, status, detail(sentence))
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.Log.DebugContext(r.Context(), "answer not written", "error", err)
	}
}

// parameter is what the names of parameters look like. Names are recorded in
// the clear, and so nobody may write anything else with them.
var parameter = regexp.MustCompile(`^[a-z_]{1,40}$`)

// asked are the parameters of a request that say what is wanted, without those
// that say which part of it.
func asked(r *http.Request) map[string]string {
	out := map[string]string{}
	for name, values := range r.URL.Query() {
		switch {
		case !parameter.MatchString(name):
		case name == "after" || name == "limit" || name == "page" || name == "page_size":
		default:
			out[name] = strings.Join(values, ",")
		}
	}
	return out
}
