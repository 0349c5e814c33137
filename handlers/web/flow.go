package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
)

const maxExecution = 64 // length of an execution's identifier in an address

// mountFlow adds the page of a flow.
func (s *Server) mountFlow(m *mux.Router) {
	m.Handle("/if/flow/{slug}/", s.handle(s.fetchFlow)).Methods(http.MethodGet, http.MethodHead)
	m.Handle("/if/flow/{slug}/", s.handle(s.answerFlow)).Methods(http.MethodPost)
}

// fetchFlow shows the challenge of the execution that the address names, or
// starts one and puts it into the address: each tab has its own, and a reload
// goes on where it was.
func (s *Server) fetchFlow(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	v, cookieless := visitOf(r), c.Session == ""
	if err := s.begin(w, r, c); err != nil {
		return err
	}
	v.Caller, v.Fresh = *c, v.Execution == ""
	a, err := s.Flows.Visit(r.Context(), v)
	if err != nil {
		return err
	}
	// A browser that refuses cookies gets a fresh execution on each request;
	// sending it to the fresh one's address would never end.
	moved := a.Execution != v.Execution && (v.Fresh || !cookieless)
	return s.proceed(w, r, c, step{answer: a, away: a.Advanced || moved && !a.Final})
}

// answerFlow hands in a form. When the stage is passed, the browser is sent
// back to fetch the next challenge, so that no reload posts a form again.
func (s *Server) answerFlow(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	if err := s.begin(w, r, c); err != nil {
		return err
	}
	v := visitOf(r)
	v.Caller = *c
	v.Sequence, _ = strconv.Atoi(form.Get("sequence")) // 0, for "not said", when it is none
	if v.Response, err = json.Marshal(response(form)); err != nil {
		return err
	}
	a, err := s.Flows.Visit(r.Context(), v)
	if err != nil {
		return err
	}
	st := step{answer: a, away: a.Advanced, typed: form}
	st.restarted = v.Execution != "" && a.Execution != v.Execution && !a.Final
	return s.proceed(w, r, c, st)
}

// A step is what became of a visit, and what the page needs to say about it.
type step struct {
	answer    execution.Answer
	away      bool       // send the browser to the address of the execution
	restarted bool       // the execution that was answered is over
	typed     url.Values // the form that was rejected; nil on a first view
}

// proceed brings the session up to date and shows the challenge, or sends the
// browser where it must go.
func (s *Server) proceed(w http.ResponseWriter, r *http.Request, c *session.Caller, st step) error {
	if st.answer.Renew {
		if err := s.Callers.Renew(w, r, c); err != nil {
			return err
		}
	}
	if st.answer.Ended {
		if err := s.Callers.End(w, r, c); err != nil {
			return err
		}
	}
	if st.away {
		return seeOther(w, r, flowURL(r, st.answer.Execution))
	}
	ch, err := readChallenge(st.answer.Challenge)
	if err != nil {
		return err
	}
	if ch.Component == "xak-flow-redirect" {
		return s.leave(w, r, c, ch.To)
	}
	v := s.flowView(w, r, *c, ch, st)
	if v.Puzzle != nil {
		w.Header().Set("Content-Security-Policy", v.Puzzle.policy())
	}
	return render(w, http.StatusOK, templateFor(ch.Component), v)
}

// begin makes sure that the caller has a session to keep executions in.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	if c.Session != "" {
		return nil
	}
	return s.Callers.Begin(w, r, c)
}

// visitOf reads the address of a flow's page. What is left of its query
// besides the execution is what the flow gets to see.
func visitOf(r *http.Request) execution.Visit {
	query := r.URL.Query()
	id := query.Get("execution")
	if len(id) > maxExecution {
		id = ""
	}
	query.Del("execution")
	return execution.Visit{
		Slug:      flowSlug(r),
		Execution: id,
		Entry:     "interface",
		Query:     query,
		Outer:     r.URL.Query(),
	}
}

func flowSlug(r *http.Request) string { return mux.Vars(r)["slug"] }

// flowURL returns the address of the page that r asked for, for an execution.
func flowURL(r *http.Request, id string) string {
	query := r.URL.Query()
	query.Set("execution", id)
	return flowPath(flowSlug(r)) + "?" + query.Encode()
}

// freshURL returns the address of the page that r asked for, for an execution
// that begins: one that has ended shows its end for ever.
func freshURL(r *http.Request) string {
	query := r.URL.Query()
	query.Del("execution")
	path := flowPath(flowSlug(r))
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
