package console

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/story"
	"github.com/flowledger/flowledger/projections"
)

// A compareRow is one thing of two executions.
type compareRow struct {
	What, A, B   string
	LinkA, LinkB string
}

// Differs tells whether it is not the same in both.
func (r compareRow) Differs() bool { return r.A != r.B }

// A compareView is two executions side by side.
type compareView struct {
	frame
	A, B   executionRow
	AtA    string // revision that the address names; empty for none
	AtB    string
	Apart  []compareRow // what differs
	Facts  []compareRow
	Stages []compareRow
	Why    []compareRow
	States []compareRow // as of the revisions that the address names
}

// A side is one of two executions that are compared.
type side struct {
	x         executionRow
	state     story.Snapshot
	steps     map[eventstore.Revision]story.Step
	decisions []story.Decision
	pinned    bool
}

// compare shows two executions side by side, what differs first.
func (s *Server) compare(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	q := r.URL.Query()
	if with := q["with"]; len(with) > 0 {
		if len(with) != 2 {
			return invalid("with", fmt.Sprintf("Choose two executions; %d are chosen.", len(with)))
		}
		return seeOther(w, r, base+"compare/?"+url.Values{"a": with[1:], "b": with[:1]}.Encode()) // the older first
	}
	a, err := s.side(r, "a")
	if err != nil {
		return err
	}
	b, err := s.side(r, "b")
	if err != nil {
		return err
	}
	for _, one := range []side{a, b} {
		if err := s.Looks.Inspected(r.Context(), *c, one.x.ID, one.x.Status == "running"); err != nil {
			return err
		}
	}
	v := compareView{frame: s.frame(r, c, "Compare"), A: a.x, B: b.x, AtA: q.Get("ra"), AtB: q.Get("rb")}
	v.Path = base + "executions/"
	v.Facts, v.Stages, v.Why = facts(a.x, b.x), stageRows(a, b), whyRows(a, b)
	if a.pinned || b.pinned {
		v.States = stateRows(a.state, b.state)
	}
	for _, rows := range [][]compareRow{v.Facts, v.Stages, v.Why, v.States} {
		for _, row := range rows {
			if row.Differs() {
				v.Apart = append(v.Apart, row)
			}
		}
	}
	return render(w, http.StatusOK, "compare", v)
}

// side reads one of the two.
func (s *Server) side(r *http.Request, name string) (out side, err error) {
	id := r.URL.Query().Get(name)
	if id == "" {
		return out, invalid(name, "Name two executions to compare, as a and b.")
	}
	x, ok, err := s.Executions.ByID(r.Context(), id)
	if err == nil && !ok {
		err = domain.Errorf(domain.NotFound, "There is no execution %q.", id)
	}
	if err != nil {
		return out, err
	}
	rows, err := s.rowsOf(r.Context(), []projections.Execution{x})
	if err != nil {
		return out, err
	}
	told, err := s.Stories.Story(r.Context(), x.ID)
	if err != nil {
		return out, err
	}
	out = side{x: rows[0], steps: map[eventstore.Revision]story.Step{}}
	for _, step := range told.Steps {
		if step.Own {
			out.steps[step.At] = step
		}
	}
	at, pinned, err := revisionOf(r, "r"+name, lastOf(told))
	if err != nil {
		return out, err
	}
	if !pinned {
		at = math.MaxInt64
	}
	out.pinned = pinned
	if out.decisions, err = s.Stories.Decisions(r.Context(), x.ID); err == nil {
		out.state, err = s.Stories.State(r.Context(), x.ID, at)
	}
	return out, err
}

// before finds the execution of the same person and flow in front of one;
// empty for none.
func (s *Server) before(ctx context.Context, x projections.Execution) (string, error) {
	if x.User == "" {
		return "", nil
	}
	f := projections.ExecutionFilter{User: x.User, Flow: x.Flow.ID, Until: x.Started}
	found, err := s.Executions.Search(ctx, f, "-started", projections.Page{Limit: 2})
	for _, one := range found.Executions {
		if one.ID != x.ID {
			return one.ID, err
		}
	}
	return "", err
}

// A sideView is a table of two executions for its template.
type sideView struct {
	A, B    executionRow
	Rows    []compareRow
	Caption string
}

// sides makes a table of some rows.
func sides(v compareView, rows []compareRow, caption string) sideView {
	return sideView{v.A, v.B, rows, caption}
}
