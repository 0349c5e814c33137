package console

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

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
	if q.Get("a") == "previous" {
		return s.previous(w, r)
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

// previous leads to a comparison with the execution of the same person and
// flow before this one.
func (s *Server) previous(w http.ResponseWriter, r *http.Request) error {
	id := r.URL.Query().Get("b")
	x, ok, err := s.Executions.ByID(r.Context(), id)
	if err != nil {
		return err
	}
	if !ok || x.User == "" {
		return domain.Errorf(domain.NotFound, "There is no execution before that of the same person.")
	}
	found, err := s.before(r.Context(), x)
	if err != nil {
		return err
	}
	if found == "" {
		return domain.Errorf(domain.NotFound, "It is the first execution of this flow that is about the person, as far as is known.")
	}
	return seeOther(w, r, base+"compare/?"+url.Values{"a": {found}, "b": {id}}.Encode())
}

// before finds the execution of the same person and flow in front of one.
func (s *Server) before(ctx context.Context, x projections.Execution) (string, error) {
	f := projections.ExecutionFilter{User: x.User, Flow: x.Flow.ID, Until: x.Started}
	found, err := s.Executions.Search(ctx, f, "-started", projections.Page{Limit: 2})
	for _, one := range found.Executions {
		if one.ID != x.ID {
			return one.ID, err
		}
	}
	return "", err
}

// facts compares what the lists show.
func facts(a, b executionRow) []compareRow {
	row := func(what, a, b string) compareRow {
		return compareRow{What: what, A: cmp.Or(a, "–"), B: cmp.Or(b, "–")}
	}
	ended := func(x executionRow) string {
		return strings.TrimSuffix(outcomeOf(x.Status).Word+", "+words(x.Cause), ", ")
	}
	place := func(x executionRow) string {
		if !x.Origin.IP.IsValid() {
			return "no longer known"
		}
		return strings.TrimSpace(x.Origin.IP.String() + " " + x.Origin.Country)
	}
	name := func(x executionRow) string {
		if x.User == "" {
			return "nobody"
		}
		return x.Who.Name
	}
	return []compareRow{
		row("Outcome", ended(a), ended(b)), row("Person", name(a), name(b)),
		row("Flow", cmp.Or(a.Flow.Name, a.Slug), cmp.Or(b.Flow.Name, b.Slug)),
		row("Revision of the flow", revisionText(a.Flow.Revision), revisionText(b.Flow.Revision)),
		row("Proved by", strings.Join(a.Factors, ", "), strings.Join(b.Factors, ", ")),
		row("Wrong answers", count(a.Attempts), count(b.Attempts)), row("Starts over", count(a.Restarts), count(b.Restarts)),
		row("Address", place(a), place(b)), row("Device", a.Origin.Device, b.Origin.Device),
		row("Application", a.Application, b.Application), row("Entered by", a.Entry, b.Entry),
		row("Time of the server", roughly(a.ServerTime), roughly(b.ServerTime)), row("Time of the person", roughly(a.UserTime), roughly(b.UserTime)),
	}
}

// roughly says how long something took so that what is much the same reads the
// same.
func roughly(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return "less than 0.1 s"
	case d < time.Second:
		return "less than 1 s"
	case d < 10*time.Second:
		return took(d.Round(time.Second))
	}
	return took(d.Round(10 * time.Second))
}

// stageRows aligns the stages of two executions: the same stage as often as
// it came.
func stageRows(a, b side) []compareRow {
	var rows []compareRow
	index := map[string]int{}
	for i, one := range []side{a, b} {
		seen := map[string]int{}
		for _, st := range one.state.Stages {
			seen[st.Stage.ID]++
			key := fmt.Sprintf("%s %d", st.Stage.ID, seen[st.Stage.ID])
			at, known := index[key]
			if !known {
				at = len(rows)
				index[key] = at
				what := "Stage " + st.Stage.Name
				if n := seen[st.Stage.ID]; n > 1 {
					what += fmt.Sprintf(", time %d", n)
				}
				rows = append(rows, compareRow{What: what, A: "not planned", B: "not planned"})
			}
			text, link := one.became(st)
			if i == 0 {
				rows[at].A, rows[at].LinkA = text, link
			} else {
				rows[at].B, rows[at].LinkB = text, link
			}
		}
	}
	return rows
}

// became says what became of a stage, and where to see it.
func (s side) became(st story.Stage) (text, link string) {
	at := max(st.Left, st.Entered)
	if at > 0 {
		link = base + "executions/" + url.PathEscape(s.x.ID) + "/?revision=" + revisionText(at) + "#cursor"
	}
	text = map[string]string{story.Done: "passed"}[st.State]
	text = cmp.Or(text, st.Word())
	if st.Wrong > 0 {
		text += fmt.Sprintf(", wrong answers: %d", st.Wrong)
	}
	for _, d := range s.decisions {
		if d.Event == st.Evaluation && st.Evaluation != "" {
			return text + " because of " + against(&d), link
		}
	}
	if st.State == story.Skipped && st.Cause != "" {
		text += ", " + st.Cause
	}
	if st.State == story.Stopped && s.x.Cause != "" {
		text += ": " + words(s.x.Cause)
	}
	return text, link
}

// whyRows aligns what policies said of the same target in the same phase.
func whyRows(a, b side) []compareRow {
	var rows []compareRow
	index := map[string]int{}
	for i, one := range []side{a, b} {
		seen := map[string]int{}
		for _, d := range one.decisions {
			if len(d.Reasons) == 0 {
				continue
			}
			key := d.Kind + d.Target.ID + d.Phase
			seen[key]++
			key = fmt.Sprintf("%s %d", key, seen[key])
			at, known := index[key]
			if !known {
				at = len(rows)
				index[key] = at
				rows = append(rows, compareRow{What: "Policies of " + d.Name + " (" + d.Phase + ")", A: "not asked", B: "not asked"})
			}
			link := base + "executions/" + url.PathEscape(one.x.ID) + "/?revision=" + revisionText(d.Revision) + "#cursor"
			if i == 0 {
				rows[at].A, rows[at].LinkA = d.Because, link
			} else {
				rows[at].B, rows[at].LinkB = d.Because, link
			}
		}
	}
	return rows
}

// stateRows compares two states, value by value.
func stateRows(a, b story.Snapshot) (rows []compareRow) {
	for _, d := range story.Differences(a, b) {
		rows = append(rows, compareRow{What: d.Path, A: cmp.Or(d.Old, "–"), B: cmp.Or(d.New, "–")})
	}
	return rows
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
