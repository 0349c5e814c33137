package auditapi

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// An Execution is an execution as auditors list it.
type Execution struct {
	ID          string     `json:"pk"`
	Status      string     `json:"status"`
	Cause       string     `json:"cause,omitempty"` // of its end, where there is more to say than the status does
	Flow        domain.Ref `json:"flow"`            // as of the revision that it goes by
	Slug        string     `json:"slug"`
	Designation string     `json:"designation"`
	Session     string     `json:"session,omitempty"`
	Visitor     string     `json:"visitor,omitempty"` // id of who was logged in when it started
	User        string     `json:"user,omitempty"`    // id of whom it is about
	Stage       domain.Ref `json:"stage"`             // the current one, or the last
	Evaluation  string     `json:"evaluation,omitempty"`
	Revision    int64      `json:"revision"` // of its last event
	Started     time.Time  `json:"started"`
	LastSeen    time.Time  `json:"last_seen"`
	Deadline    time.Time  `json:"deadline"`
	Steps       int        `json:"steps"`
	Attempts    int        `json:"attempts"`
	Restarts    int        `json:"restarts"`
}

// A Definition is a configured thing that an execution went by.
type Definition struct {
	Part string `json:"part"` // flow, binding, stage, policy binding, policy or prompt
	domain.Ref
}

func executionOf(x projections.Execution) Execution {
	return Execution{
		ID: x.ID, Status: x.Status, Cause: x.Cause, Flow: x.Flow, Slug: x.Slug, Designation: x.Designation, Session: x.Session,
		Visitor: x.Visitor, User: x.User, Stage: x.Stage, Evaluation: x.Evaluation, Revision: x.Revision, Started: x.Started,
		LastSeen: x.Seen, Deadline: x.Deadline, Steps: x.Steps, Attempts: x.Attempts, Restarts: x.Restarts,
	}
}

// executions lists executions, the newest first.
func (s *Server) executions(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f := projections.ExecutionFilter{Slug: q.Get("flow"), Session: q.Get("session"), Status: q.Get("status")}
	if f.From, err = timeOf(q, "since"); err != nil {
		return err
	}
	if f.Until, err = timeOf(q, "until"); err != nil {
		return err
	}
	if name := q.Get("user"); name != "" {
		if f.User, err = s.Stories.UserID(r.Context(), name); err != nil {
			return err
		}
		if f.User == "" {
			return s.page(w, r, c, looked.Look{}, pg, []any{})
		}
	}
	found, total, err := s.Executions.List(r.Context(), f, projections.Page{Offset: (pg.number - 1) * pg.size, Limit: pg.size})
	if err != nil {
		return err
	}
	results := make([]any, len(found))
	for i, x := range found {
		results[i] = executionOf(x)
	}
	return s.page(w, r, c, looked.Look{Count: total, About: f.User}, pg, results)
}

// execution answers with where an execution stands and with what it went by:
// the revisions show what was configured then.
func (s *Server) execution(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	x, err := s.find(r)
	if err != nil {
		return err
	}
	used, err := s.Stories.Definitions(r.Context(), x.ID)
	if err != nil {
		return err
	}
	if err := s.look(r, c, x.ID); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, struct {
		Execution
		Definitions []Definition `json:"definitions"`
	}{executionOf(x), used})
	return nil
}

// executionEvents lists what happened in an execution, in its own stream and
// in others, the oldest first.
func (s *Server) executionEvents(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	pg, err := pagingOf(r.URL.Query())
	if err != nil {
		return err
	}
	x, err := s.find(r)
	if err != nil {
		return err
	}
	all, err := s.Index.Timeline(r.Context(), x.ID)
	if err != nil {
		return err
	}
	from := min((pg.number-1)*pg.size, len(all))
	events, err := s.recorded(r.Context(), all[from:min(from+pg.size, len(all))])
	if err != nil {
		return err
	}
	results := make([]any, len(events))
	for i, e := range events {
		results[i] = e
	}
	return s.page(w, r, c, looked.Look{Filters: map[string]string{"execution": x.ID}, Count: len(all)}, pg, results)
}

// find returns the execution that the path names.
func (s *Server) find(r *http.Request) (projections.Execution, error) {
	id := mux.Vars(r)["id"]
	x, ok, err := s.Executions.ByID(r.Context(), id)
	if err == nil && !ok {
		err = domain.Errorf(domain.NotFound, "There is no execution %q.", id)
	}
	return x, err
}

// look records that one execution was asked for.
func (s *Server) look(r *http.Request, c session.Caller, id string) error {
	return s.Looks.Queried(r.Context(), c, looked.Look{View: "executions", Filters: map[string]string{"execution": id}, Count: 1})
}

// story answers with the story of an execution, as text.
func (s *Server) story(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	return s.show(w, r, c, "text/plain; charset=utf-8", func(out io.Writer, id string) error {
		return s.Stories.Story(r.Context(), out, id)
	})
}

// state answers with the state of an execution as of ?revision=, by default
// the newest.
func (s *Server) state(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	at := eventstore.Revision(math.MaxInt64)
	if text := r.URL.Query().Get("revision"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return domain.Errorf(domain.Invalid, "revision is a number from 0 on.")
		}
		at = eventstore.Revision(n)
	}
	return s.show(w, r, c, "application/json", func(out io.Writer, id string) error {
		return s.Stories.State(r.Context(), out, id, at)
	})
}

// show answers with what write writes about an execution, which opens what is
// sealed in it. One's own is nobody's business.
func (s *Server) show(w http.ResponseWriter, r *http.Request, c session.Caller, kind string, write func(io.Writer, string) error) error {
	x, err := s.find(r)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := write(&body, x.ID); err != nil {
		return err
	}
	if x.User != c.User || x.Visitor != "" && x.Visitor != c.User {
		if err := s.Looks.Inspected(r.Context(), c, x.ID, x.Status == string(execution.Running)); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", kind)
	if _, err := body.WriteTo(w); err != nil {
		s.Log.DebugContext(r.Context(), "answer not written", "error", err)
	}
	return nil
}

// A paging is which page of a list is wanted.
type paging struct{ number, size int }

// Sizes of the pages of lists.
const (
	pageSize    = 20
	maxPageSize = 100
)

// pagingOf reads page and page_size, as the contract's lists do.
func pagingOf(q url.Values) (paging, error) {
	p := paging{1, pageSize}
	if n, err := strconv.Atoi(q.Get("page_size")); err == nil && n > 0 {
		p.size = min(n, maxPageSize)
	}
	if text := q.Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1<<30 {
			return p, domain.Errorf(domain.NotFound, "Invalid page.")
		}
		p.number = n
	}
	return p, nil
}

// page records the look and answers with a page, in the shape of the
// contract's lists.
func (s *Server) page(w http.ResponseWriter, r *http.Request, c session.Caller, l looked.Look, p paging, results []any) error {
	pages := max(1, (l.Count+p.size-1)/p.size)
	if p.number > pages {
		return domain.Errorf(domain.NotFound, "Invalid page.")
	}
	l.View = "executions"
	if l.Filters == nil {
		l.Filters = asked(r)
	}
	if err := s.Looks.Queried(r.Context(), c, l); err != nil {
		return err
	}
	next := 0
	if p.number < pages {
		next = p.number + 1
	}
	s.write(w, r, http.StatusOK, map[string]any{
		"pagination": map[string]int{
			"next": next, "previous": p.number - 1, "count": l.Count, "current": p.number, "total_pages": pages,
			"start_index": min((p.number-1)*p.size+1, l.Count), "end_index": min(p.number*p.size, l.Count),
		},
		"results": results, "autocomplete": struct{}{},
	})
	return nil
}
