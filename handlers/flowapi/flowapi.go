// Package flowapi is the executor over HTTP, as the contract has it: fetch a
// challenge, answer it. It knows no stage and no event.
package flowapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
)

// A Server serves the executor's address.
type Server struct {
	Flows   Flows
	Callers Callers
	Log     *slog.Logger
}

// Flows runs executions.
type Flows interface {
	Visit(ctx context.Context, v execution.Visit) (execution.Answer, error)
}

// Callers tells who makes a request, and gives out its cookies.
type Callers interface {
	Of(w http.ResponseWriter, r *http.Request) (session.Caller, error)
	Begin(w http.ResponseWriter, r *http.Request, c *session.Caller) error
	Renew(w http.ResponseWriter, r *http.Request, c *session.Caller) error
	End(w http.ResponseWriter, r *http.Request, c *session.Caller) error
	CheckCSRF(r *http.Request, c session.Caller) error
}

// A Route is one method of one path that the server serves. Flows themselves
// say whom they are for, so the paths are open to anybody.
type Route struct {
	Method string
	Path   string // below /api/v3/
}

// executorPath is the executor's address, below /api/v3/.
const executorPath = "flows/executor/{slug}/"

// Routes lists what [Server.Mount] mounts.
func (s *Server) Routes() []Route {
	return []Route{{http.MethodGet, executorPath}, {http.MethodPost, executorPath}}
}

// Mount adds the routes.
func (s *Server) Mount(r *mux.Router) {
	executor := r.Path("/api/v3/" + executorPath).Subrouter()
	executor.Methods(http.MethodGet, http.MethodHead).Handler(s.handle(s.get))
	executor.Methods(http.MethodPost).Handler(s.handle(s.post))
	executor.NewRoute().HandlerFunc(notAllowed)
}

// maxBody bounds a response to a challenge.
const maxBody = 1 << 20

func (s *Server) get(w http.ResponseWriter, r *http.Request) error {
	c, err := s.caller(w, r)
	if err != nil {
		return err
	}
	return s.visit(w, r, c, nil)
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) error {
	c, err := s.caller(w, r)
	if err != nil {
		return err
	}
	if err := s.Callers.CheckCSRF(r, c); err != nil {
		return err
	}
	body, err := readObject(w, r)
	if err != nil {
		return err
	}
	return s.visit(w, r, c, body)
}

// caller tells who makes the request. What a token may do by its scope is
// enumerated, and being its user in a flow is none of that: a flow can set a
// password.
func (s *Server) caller(w http.ResponseWriter, r *http.Request) (session.Caller, error) {
	c, err := s.Callers.Of(w, r)
	if err == nil && c.Scoped {
		err = domain.Errorf(domain.Forbidden, "A token that is limited to some permissions cannot go through flows as its user.")
	}
	return c, err
}

// visit hands the request on and writes what it came to. Cookies go out only
// after what they stand for is in the ledger.
func (s *Server) visit(w http.ResponseWriter, r *http.Request, c session.Caller, body json.RawMessage) error {
	outer := r.URL.Query()
	// The contract reads what it can of a query and drops the rest.
	inner, _ := url.ParseQuery(outer.Get("query"))
	if err := s.Callers.Begin(w, r, &c); err != nil {
		return err
	}
	id := outer.Get("execution")
	if id == "" {
		id = inner.Get("execution")
	}
	answer, err := s.Flows.Visit(r.Context(), execution.Visit{
		Slug: mux.Vars(r)["slug"], Execution: id, Entry: "api", Query: inner, Outer: outer, Response: body, Caller: c,
	})
	if err != nil {
		return err
	}
	switch {
	case answer.Ended:
		err = s.Callers.End(w, r, &c)
	case answer.Renew:
		err = s.Callers.Renew(w, r, &c)
	}
	if err != nil {
		return err
	}
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	w.Header().Set("Cache-Control", "no-store")
	if answer.Advanced {
		// The client fetches the next challenge at the same address, which
		// stands in the header as it came (spec/flows.md 5.5).
		w.Header().Set("Location", r.URL.RequestURI())
		w.WriteHeader(http.StatusFound)
		return nil
	}
	return writeJSON(w, http.StatusOK, answer.Challenge)
}

// readObject reads the body of a request: a JSON object, and nothing else.
func readObject(w http.ResponseWriter, r *http.Request) (json.RawMessage, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, domain.Errorf(domain.Unsupported, "Unsupported media type %q in request.", kind)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, domain.Errorf(domain.TooLarge, "The request body is larger than %d bytes.", maxBody)
	}
	if err != nil {
		return nil, domain.Errorf(domain.Invalid, "The request body could not be read.")
	}
	if !utf8.Valid(body) {
		return nil, domain.Errorf(domain.Invalid, "JSON parse error - the text is not UTF-8.")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		if _, wrong := errors.AsType[*json.UnmarshalTypeError](err); wrong || err == nil {
			return nil, domain.Errorf(domain.Invalid, "Invalid data. Expected a dictionary.")
		}
		return nil, domain.Errorf(domain.Invalid, "JSON parse error - %s", parseFault(err))
	}
	if depth(body) > maxDepth {
		return nil, domain.Errorf(domain.Invalid, "The request body is nested deeper than %d levels.", maxDepth)
	}
	return body, nil
}

// maxDepth bounds the nesting of a response to a challenge.
const maxDepth = 64

// depth counts how deep brackets nest. Those in texts count too: it is an
// upper bound.
func depth(body []byte) int {
	deepest, at := 0, 0
	for _, b := range body {
		switch b {
		case '{', '[':
			at++
			deepest = max(deepest, at)
		case '}', ']':
			at--
		}
	}
	return deepest
}

// parseFault says where a text is no JSON, without quoting it: it may hold a
// password.
func parseFault(err error) string {
	if fault, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "at byte " + strconv.FormatInt(fault.Offset, 10)
	}
	return "unexpected end"
}
