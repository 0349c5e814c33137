package adminapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// base is where the API begins.
const base = "/api/v3/"

// An endpoint answers one method of one path. It leaves its errors to
// [Server.fail].
type endpoint func(w http.ResponseWriter, r *http.Request, c session.Caller) error

// verbs are the endpoints of a path by method.
type verbs map[string]endpoint

// route adds a path, given below /api/v3/.
func (s *Server) route(r *mux.Router, path string, who access, v verbs) {
	s.mount(r, path, who, v, false)
}

// edit adds the path of a thing that has a revision, which answers show as an
// entity tag. What changes or removes it honours If-Match.
func (s *Server) edit(r *mux.Router, path string, who access, v verbs) {
	s.mount(r, path, who, v, true)
}

func (s *Server) mount(r *mux.Router, path string, who access, v verbs, revised bool) {
	for method := range v {
		s.routes = append(s.routes, Route{
			Method: method, Path: path, Needs: who.needs(method), Own: who.own, Open: who.open, Hidden: who.hidden, Revised: revised,
		})
	}
	r.Path(base + path).Handler(s.handle(who, v, revised))
}

// handle finds out who calls, whether they may, and runs the endpoint of the
// method.
func (s *Server) handle(who access, v verbs, revised bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		c, err := s.Callers.Of(w, r)
		if err == nil {
			if err = s.admit(r, c, who); err != nil {
				err = s.turnedAway(r, c, who, err)
			}
		}
		if err == nil {
			err = matchable(r, revised)
		}
		if err == nil && c.User != "" {
			err = s.Wait(r.Context()) // what the caller did before, in a flow for one, must show
		}
		if err == nil {
			err = s.serve(w, r, c, v)
		}
		if err != nil {
			s.fail(w, r, c, err)
		}
	})
}

// admit refuses callers who may not call this path. A request that changes
// something needs the proof against forgery, too.
func (s *Server) admit(r *http.Request, c session.Caller, who access) error {
	switch {
	case who.open:
		return nil
	case who.hidden && !c.May(who.needs(r.Method)):
		return domain.Errorf(domain.NotFound, "Not found.")
	}
	if c.User == "" {
		return domain.Errorf(domain.Unauthenticated, "Authentication credentials were not provided.")
	}
	if !safe(r.Method) {
		if err := s.Callers.CheckCSRF(r, c); err != nil {
			return err
		}
	}
	if who.own && !c.Scoped || c.May(who.needs(r.Method)) {
		return nil
	}
	return forbidden()
}

// matchable refuses an If-Match that cannot be read, or that nobody would
// look at: whoever sends one counts on it.
func matchable(r *http.Request, revised bool) error {
	m, err := matchOf(r)
	if err == nil && m.given && !revised && !safe(r.Method) {
		return domain.Errorf(domain.Outdated, "There is no revision here that If-Match could be compared with.")
	}
	return err
}

// safe tells whether a method changes nothing.
func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// forbidden is the contract's sentence for people who may not.
func forbidden() error {
	return domain.Errorf(domain.Forbidden, "You do not have permission to perform this action.")
}

// errMethod is a method that a path does not have.
var errMethod = errors.New("method not allowed")

// serve runs the endpoint of the method. A panic is a fault of ours that must
// not take the answer away.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c session.Caller, v verbs) (err error) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	run, served := v[method]
	if !served {
		var allowed []string
		for m := range v {
			allowed = append(allowed, m)
		}
		slices.Sort(allowed)
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return errMethod
	}
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run(w, r, c)
}

// statuses is the one table from codes to statuses. A code that is missing
// here is a fault of ours. The contract answers strangers with 403.
var statuses = map[domain.Code]int{
	domain.Invalid:         http.StatusBadRequest,
	domain.Unauthenticated: http.StatusForbidden,
	domain.Forbidden:       http.StatusForbidden,
	domain.NotFound:        http.StatusNotFound,
	domain.Conflict:        http.StatusConflict,
	domain.Outdated:        http.StatusPreconditionFailed,
	domain.Expired:         http.StatusGone,
	domain.TooLarge:        http.StatusRequestEntityTooLarge,
	domain.Unsupported:     http.StatusUnsupportedMediaType,
	domain.Busy:            http.StatusServiceUnavailable,
}

// fail writes an error. Internal ones are logged here and nowhere else.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, c session.Caller, err error) {
	if errors.Is(err, errMethod) {
		s.detail(w, http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method))
		return
	}
	if _, large := errors.AsType[*eventstore.LimitError](err); large {
		err = &domain.Error{Code: domain.TooLarge, Message: "What is to be written is too large to be kept.", Err: err}
	}
	code, message := domain.Explain(err)
	status, known := statuses[code]
	if !known {
		status, message = http.StatusInternalServerError, "Internal error."
		s.Log.ErrorContext(r.Context(), "request failed", "request", c.Request, "route", c.Route, "error", err)
	}
	if code == domain.Busy {
		w.Header().Set("Retry-After", "1")
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && known && len(e.Fields) > 0 {
		_ = writeJSON(w, status, e.Fields)
		return
	}
	s.detail(w, status, message)
}

// detail writes an error in one sentence. Its text can always be encoded.
func (s *Server) detail(w http.ResponseWriter, status int, message string) {
	_ = writeJSON(w, status, map[string]string{"detail": message})
}

// writeJSON writes an answer. Nothing is written when it has no JSON form.
func writeJSON(w http.ResponseWriter, status int, answer any) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // who is gone does not want it
	return nil
}

// done answers a change that has nothing to show.
func done(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// notFound is the contract's sentence for what is not there.
func notFound(what string) error {
	return domain.Errorf(domain.NotFound, "No %s matches the given query.", what)
}

// NotFound answers what no route matches below /api/v3/.
func (s *Server) NotFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.detail(w, http.StatusNotFound, "Not found.")
	})
}
