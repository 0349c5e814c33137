package web

import (
	"net/http"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
)

// contentPolicy allows nothing but our own files: no inline script or style,
// no other host, no framing by others, no forms that post elsewhere.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; " +
	"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

// A page is a handler that leaves its errors to [Server.handle].
type page func(w http.ResponseWriter, r *http.Request, c *session.Caller) error

// A failure is how an error looks to a visitor.
type failure struct {
	status int
	title  string
}

// failures is the one table from codes to statuses. A code that is missing
// here is a fault of ours.
var failures = map[domain.Code]failure{
	domain.Invalid:         {http.StatusBadRequest, "That request makes no sense"},
	domain.Unauthenticated: {http.StatusUnauthorized, "Please log in first"},
	domain.Forbidden:       {http.StatusForbidden, "That is not allowed"},
	domain.NotFound:        {http.StatusNotFound, "Page not found"},
	domain.Conflict:        {http.StatusConflict, "That does not work at the moment"},
	domain.Expired:         {http.StatusGone, "That has expired"},
	domain.TooLarge:        {http.StatusRequestEntityTooLarge, "That was too much"},
	domain.Unsupported:     {http.StatusUnsupportedMediaType, "That form is not understood"},
	domain.Busy:            {http.StatusServiceUnavailable, "We are busy"},
}

// handle finds out who calls, runs p, and turns its error into a page.
// Internal errors are logged here and nowhere else.
func (s *Server) handle(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		c, err := s.Callers.Of(w, r)
		if err == nil && c.Scoped { // its permissions are for the API, and pages lead through flows
			err = domain.Errorf(domain.Forbidden, "A token that is limited to some permissions cannot be used for pages.")
		}
		if err == nil {
			err = p(w, r, &c)
		}
		if err != nil {
			s.fail(w, r, c, err)
		}
	})
}

// NotFound is the page for an address where nothing is, for the router that
// the pages are mounted on.
func (s *Server) NotFound() http.Handler {
	return s.handle(func(http.ResponseWriter, *http.Request, *session.Caller) error {
		return domain.Errorf(domain.NotFound, "There is nothing at this address.")
	})
}

// secure sets the headers that every page has.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, c session.Caller, err error) {
	f, message, known := failureOf(err)
	if !known && r.Context().Err() == nil { // else the client has left, which is no fault
		s.Log.ErrorContext(r.Context(), "page failed", "request", c.Request, "route", c.Route, "error", err)
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	v := errorView{frame: s.frame(r, c, f.title), Message: message, Again: s.again(r)}
	if err := render(w, f.status, "error", v); err != nil {
		s.Log.ErrorContext(r.Context(), "page failed", "request", c.Request, "error", err)
		http.Error(w, "Internal error.", http.StatusInternalServerError)
	}
}

// failureOf returns how an error looks, and whether it is one that visitors are
// told of in its own words.
func failureOf(err error) (f failure, message string, known bool) {
	code, message := domain.Explain(err)
	if f, known = failures[code]; !known {
		f = failure{http.StatusInternalServerError, "Something went wrong"}
		message = "The fault is ours. Please try again in a moment."
	}
	return f, message, known
}

// An errorView is an error for the template.
type errorView struct {
	frame
	Message string
	Again   string // where to try again; empty when that would not help
}

// again returns the address of the page whose form r posted.
func (s *Server) again(r *http.Request) string {
	if r.Method != http.MethodPost {
		return ""
	}
	if flowSlug(r) != "" {
		return r.URL.RequestURI()
	}
	return userPage
}
