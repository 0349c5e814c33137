package auditapi

import (
	"bytes"
	"cmp"
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

// A Definition is a configured thing that an execution went by.
type Definition struct {
	Part string `json:"part"` // flow, binding, stage, policy binding, policy or prompt
	domain.Ref
}

// shownOf are the classes of sealed data that rows of executions show.
var shownOf = []string{"N", "P"}

// executions lists the executions that the filters want, the newest first
// unless another order is asked for.
func (s *Server) executions(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	order := p.order()
	f, some, err := s.executionFilter(r.Context(), p)
	if err != nil {
		return err
	}
	pg, err := pagingOf(p.q)
	if err != nil {
		return err
	}
	found := projections.ExecutionPage{Exact: true}
	if some {
		found, err = s.Executions.Search(r.Context(), f, order, projections.Page{Offset: (pg.number - 1) * pg.size, Limit: pg.size})
		if err != nil {
			return err
		}
	}
	rows, err := s.named(r.Context(), found.Executions)
	if err != nil {
		return err
	}
	if !found.Exact {
		w.Header().Set(countHeader, "false")
	}
	list := list{look: looked.Look{Count: found.Total, About: f.User, Opened: shownOf}, page: pg}
	if !found.Reached.IsZero() {
		list.reached = &found.Reached
	}
	return s.list(w, r, c, list, rows)
}

// countHeader says "false" when the count of a list is what there is at least:
// to count the rest would take longer than anybody waits.
const countHeader = "X-Count-Exact"

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
	decided, err := s.Past.Decisions(r.Context(), x.ID)
	if err != nil {
		return err
	}
	rows, err := s.named(r.Context(), []projections.Execution{x})
	if err != nil {
		return err
	}
	if err := s.look(r, c, x.ID); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, struct {
		Execution
		Definitions []Definition `json:"definitions"`
		Decisions   []Decided    `json:"decisions"`
	}{rows[0], used, summary(decided)})
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
	look := looked.Look{Filters: map[string]string{"execution": x.ID}, Count: len(all)}
	return s.list(w, r, c, list{look: look, page: pg}, eventsOf(events))
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
	return s.Looks.Queried(r.Context(), c, looked.Look{View: "executions", Filters: map[string]string{"execution": id}, Count: 1, Opened: shownOf})
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
	if err := s.inspected(r, c, x); err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	if _, err := body.WriteTo(w); err != nil {
		s.Log.DebugContext(r.Context(), "answer not written", "error", err)
	}
	return nil
}

// inspected records that an execution was looked into, unless it is the
// caller's own.
func (s *Server) inspected(r *http.Request, c session.Caller, x projections.Execution) error {
	if x.User == c.User && (x.Visitor == "" || x.Visitor == c.User) {
		return nil
	}
	return s.Looks.Inspected(r.Context(), c, x.ID, x.Status == string(execution.Running))
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

// A list is a page of one on its way out.
type list struct {
	look    looked.Look
	page    paging
	reached *time.Time // how far back was searched; nil for all the way
}

// list records the look and answers with a page, in the shape of the
// contract's lists. What is in it is an encodable slice.
func (s *Server) list(w http.ResponseWriter, r *http.Request, c session.Caller, l list, results any) error {
	p, count := l.page, l.look.Count
	pages := max(1, (count+p.size-1)/p.size)
	if p.number > pages {
		return domain.Errorf(domain.NotFound, "Invalid page.")
	}
	l.look.View = cmp.Or(l.look.View, "executions")
	if l.look.Filters == nil {
		l.look.Filters = asked(r)
	}
	if err := s.Looks.Queried(r.Context(), c, l.look); err != nil {
		return err
	}
	next := 0
	if p.number < pages {
		next = p.number + 1
	}
	s.write(w, r, http.StatusOK, struct {
		Pagination   map[string]int `json:"pagination"`
		Results      any            `json:"results"`
		Autocomplete struct{}       `json:"autocomplete"`
		Reached      *time.Time     `json:"searched_back_to,omitempty"`
	}{
		map[string]int{
			"next": next, "previous": p.number - 1, "count": count, "current": p.number, "total_pages": pages,
			"start_index": min((p.number-1)*p.size+1, count), "end_index": min(p.number*p.size, count),
		}, results, struct{}{}, l.reached,
	})
	return nil
}
