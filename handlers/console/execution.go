package console

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/story"
	"github.com/flowledger/flowledger/projections"
)

// Stories tells executions. All fail with NotFound when there is no such
// execution.
type Stories interface {
	Story(ctx context.Context, id string) (story.Story, error)
	// State fails with Invalid when the execution ends before a revision,
	// unless that is the highest there can be.
	State(ctx context.Context, id string, at eventstore.Revision) (story.Snapshot, error)
	Decisions(ctx context.Context, id string) ([]story.Decision, error)
}

// liveStep is how often the page of an execution that is under way asks for
// itself, in seconds.
const liveStep = 2

// An executionView is one execution for its template.
type executionView struct {
	frame
	X       executionRow
	Ended   string // how it ended, in words
	Why     string // what decided that
	WhyLink string
	May     bool // time travel, and why
	Pinned  bool // to a revision that the address names
	Steps   []stepRow
	Cursor  cursor
	Cut     int    // events that there are, where not all are shown
	Former  string // id of the execution of the same person and flow before it; empty for none
}

// A stepRow is an event in the timeline.
type stepRow struct {
	story.Step
	Link  string
	Here  bool
	Rests string // link to the evaluation that it rests on
}

// Elsewhere names the stream of an event that is not the execution's own.
func (r stepRow) Elsewhere() string {
	if r.Own {
		return ""
	}
	return r.Stream.Category()
}

// Text is the event in a sentence. What it rests on is a link beside it.
func (r stepRow) Text() string { return sentenceOf(r.Step) }

// sentenceOf is a step in a sentence of its own, without the id of the
// evaluation that it rests on.
func sentenceOf(s story.Step) string {
	text, _, cut := strings.Cut(s.Sentence, ", see evaluation ")
	if cut {
		text += "."
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// Paused tells whether there was time enough in front of the event to be told.
func (r stepRow) Paused() bool { return r.Since >= time.Second }

// execution shows one execution, as of a revision.
func (s *Server) execution(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	x, err := s.oneExecution(r)
	if err != nil {
		return err
	}
	told, err := s.Stories.Story(r.Context(), x.ID)
	if err != nil {
		return err
	}
	last := lastOf(told)
	at, pinned, err := revisionOf(r, "revision", last)
	if err != nil {
		return err
	}
	v := executionView{X: x, May: c.May(inspectFlow), Pinned: pinned}
	if v.May {
		if v.Former, err = s.before(r.Context(), x.Execution); err != nil {
			return err
		}
		if err := s.point(r.Context(), &v.Cursor, x.ID, told, at, last); err != nil {
			return err
		}
	}
	running := x.Status == "running"
	if err := s.Looks.Inspected(r.Context(), *c, x.ID, running); err != nil {
		return err
	}
	v.frame = s.frame(r, c, "Execution "+short(x.ID))
	v.Scripts = []string{"execution.js"}
	if running {
		v.Refresh = liveStep
	}
	v.tell(told, at)
	return render(w, http.StatusOK, "execution", v)
}

// oneExecution returns the execution that the path names, with the names of persons.
func (s *Server) oneExecution(r *http.Request) (executionRow, error) {
	id := mux.Vars(r)["execution"]
	x, ok, err := s.Executions.ByID(r.Context(), id)
	if err == nil && !ok {
		err = domain.Errorf(domain.NotFound, "There is no execution %q.", id)
	}
	if err != nil {
		return executionRow{}, err
	}
	rows, err := s.rowsOf(r.Context(), []projections.Execution{x})
	if err != nil {
		return executionRow{}, err
	}
	return rows[0], nil
}

// lastOf is the newest revision of a story.
func lastOf(s story.Story) (last eventstore.Revision) {
	for _, step := range s.Steps {
		last = max(last, step.At)
	}
	return last
}

// revisionOf reads a revision; the last unless the address names one.
func revisionOf(r *http.Request, name string, last eventstore.Revision) (at eventstore.Revision, named bool, err error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return last, false, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 {
		return 0, true, invalid(name, "A revision is a number from 0 on.")
	}
	if eventstore.Revision(n) > last {
		return 0, true, invalid(name, "The execution ends at revision "+revisionText(last)+".")
	}
	return eventstore.Revision(n), true, nil
}

// tell fills in the timeline and how it ended.
func (v *executionView) tell(told story.Story, at eventstore.Revision) {
	decisions := map[string]*story.Decision{}
	for _, step := range told.Steps {
		row := stepRow{Step: step, Link: "?revision=" + revisionText(step.At) + "#cursor", Here: step.Own && step.At == at}
		if !v.May {
			row.Link, row.Here = "", false
		}
		if step.Decision != nil {
			decisions[step.Event] = step.Decision
		} else if d := decisions[step.Evidence]; d != nil && v.May {
			row.Rests = "?revision=" + revisionText(d.Revision) + "#cursor"
		}
		v.Steps = append(v.Steps, row)
		if !step.Own || !strings.HasPrefix(step.Type, "Execution") || v.X.Status == "running" {
			continue
		}
		v.Ended = step.Sentence
		if d := decisions[step.Evidence]; d != nil {
			v.Why, v.WhyLink = d.Because, "?revision="+revisionText(d.Revision)+"#cursor"
		}
	}
	v.Ended = cmp.Or(v.Ended, "It is under way.")
	v.cut(at)
}

// maxSteps is how many events a timeline has at most: somebody who answers
// wrong again and again must not make a page that nobody can open.
const maxSteps = 400

// cut leaves the events around a revision.
func (v *executionView) cut(at eventstore.Revision) {
	if len(v.Steps) <= maxSteps {
		return
	}
	v.Cut = len(v.Steps)
	middle := slices.IndexFunc(v.Steps, func(r stepRow) bool { return r.At >= at })
	from := max(0, min(middle-maxSteps/2, len(v.Steps)-maxSteps))
	v.Steps = v.Steps[from : from+maxSteps]
}

// why explains all decisions of an execution.
func (s *Server) why(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	x, err := s.oneExecution(r)
	if err != nil {
		return err
	}
	all, err := s.Stories.Decisions(r.Context(), x.ID)
	if err != nil {
		return err
	}
	if err := s.Looks.Inspected(r.Context(), *c, x.ID, x.Status == "running"); err != nil {
		return err
	}
	return render(w, http.StatusOK, "why", struct {
		frame
		X         executionRow
		Decisions []story.Decision
	}{s.frame(r, c, "Why, execution "+short(x.ID)), x, all})
}
