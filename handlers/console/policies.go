package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Verdicts are what policies said.
type Verdicts interface {
	// Policies sums up what each policy said in a span of time, the most asked
	// first.
	Policies(ctx context.Context, from, until time.Time) ([]projections.PolicyVerdicts, error)
	// Over does so for one policy and each part of the time.
	Over(ctx context.Context, policyID string, from, until time.Time, step time.Duration) ([]projections.VerdictSlot, error)
	// List returns single verdicts, the newest first, and how many there are.
	List(ctx context.Context, f projections.VerdictFilter, p projections.Page) ([]projections.Verdict, int, error)
}

// A remark is a word of warning, or of praise, beside a row.
type remark struct {
	Kind string // of the tag: good, bad, or empty
	Text string
}

// A policyRow is a policy in the list.
type policyRow struct {
	projections.PolicyVerdicts
}

// asked is how often the policy spoke.
func (p policyRow) asked() int { return p.Passed + p.Failed + p.Erred }

// FailedShare is how much of what it said was a no.
func (p policyRow) FailedShare() string { return percent(p.Failed, p.asked()) }

// Mean is how long it took, on average.
func (p policyRow) Mean() string {
	return strconv.FormatFloat(float64(p.TotalMS)/float64(max(p.asked(), 1)), 'f', 1, 64)
}

// seldom is below how many verdicts nothing is made of their being all alike.
const seldom = 10

// Remarks are what an auditor should notice: a policy that errs, and one that
// always says the same and may as well not be there.
func (p policyRow) Remarks() (out []remark) {
	if p.Erred > 0 {
		out = append(out, remark{"bad", "errs"})
	}
	switch {
	case p.asked() < seldom:
	case p.Failed == 0 && p.Erred == 0:
		out = append(out, remark{"", "never fails"})
	case p.Passed == 0:
		out = append(out, remark{"bad", "never passes"})
	}
	return out
}

// A policiesView is the list of policies for the template.
type policiesView struct {
	frame
	From, Until time.Time
	Spans       []choice
	Query       string // the chosen span, for links
	Policies    []policyRow
}

func (s *Server) policies(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	chosen, err := spanOf(r)
	if err != nil {
		return err
	}
	until := s.Now()
	from := chosen.since(until)
	found, err := s.Verdicts.Policies(r.Context(), from, until)
	if err != nil {
		return err
	}
	v := policiesView{From: from, Until: until, Spans: spanChoices(r.URL, chosen), Query: "?range=" + chosen.Name}
	for _, p := range found {
		v.Policies = append(v.Policies, policyRow{p})
	}
	look := looked.Look{View: "verdicts", Filters: map[string]string{"range": chosen.Name}, Count: len(found)}
	if err := s.Looks.Queried(r.Context(), *c, look); err != nil {
		return err
	}
	v.frame = s.frame(r, c, "Policies")
	return render(w, http.StatusOK, "policies", v)
}

// A revisionRow is what one revision of a policy said.
type revisionRow struct {
	Revision              int64
	Passed, Failed, Erred int
}

func (r revisionRow) asked() int { return r.Passed + r.Failed + r.Erred }

// FailedShare is how much of what it said was a no.
func (r revisionRow) FailedShare() string { return percent(r.Failed, r.asked()) }

// Text is the revision as a query has it.
func (r revisionRow) Text() string { return strconv.FormatInt(r.Revision, 10) }

// A policyView is one policy for the template.
type policyView struct {
	frame
	Policy    domain.Ref
	Spans     []choice
	Range     string
	Query     string
	Said      string
	Revision  string
	Chart     chart
	Revisions []revisionRow
	Shift     string // what the newest revision changed, in words
	Verdicts  []verdictRow
	Pager     pager

	query url.Values
}

// sayings are what a policy can say.
var sayings = []string{"passed", "failed", "erred"}

// Sayings are the choices of the filter.
func (policyView) Sayings() []string { return sayings }

// With is the query of this page with one value changed.
func (v policyView) With(name, value string) string { return with(v.query, name, value) }

// Name is how the policy is called, as far as anybody knows.
func (v policyView) Name() string {
	if v.Policy.Name != "" {
		return v.Policy.Name
	}
	return "Policy " + v.Policy.ID
}

func (s *Server) policy(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	q, id := r.URL.Query(), mux.Vars(r)["policy"]
	chosen, err := spanOf(r)
	if err != nil {
		return err
	}
	until := s.Now()
	from := chosen.since(until)
	f := projections.VerdictFilter{Policy: id, Said: q.Get("said"), From: from, Until: until}
	if f.Said != "" && !slices.Contains(sayings, f.Said) {
		return invalid("said", "A policy says passed, failed or erred.")
	}
	if text := q.Get("revision"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return invalid("revision", "A revision is a number from 0 on.")
		}
		f.PolicyRevision = &n
	}
	page, err := pageOf(q)
	if err != nil {
		return err
	}
	v := policyView{
		Spans: spanChoices(r.URL, chosen), Range: chosen.Name, Query: "?range=" + chosen.Name, Said: f.Said, Revision: q.Get("revision"), query: q,
	}
	if v.Policy, err = s.policyNamed(r.Context(), id, from, until); err != nil {
		return err
	}
	slots, err := s.Verdicts.Over(r.Context(), id, from, until, chosen.step)
	if err != nil {
		return err
	}
	v.Chart = verdictChart(slots, chosen.label)
	if v.Revisions, err = s.revisions(r.Context(), v.Policy, from, until); err != nil {
		return err
	}
	v.Shift = shiftOf(v.Revisions)
	found, total, err := s.Verdicts.List(r.Context(), f, page.Page)
	if err != nil {
		return err
	}
	for _, one := range found {
		v.Verdicts = append(v.Verdicts, verdictRow{one, s.targetText(one.Target)})
	}
	v.Pager = page.of(r.URL, total)
	look := looked.Look{View: "verdicts", Filters: map[string]string{"policy": id}, Count: total}
	if err := s.Looks.Queried(r.Context(), *c, look); err != nil {
		return err
	}
	v.frame = s.frame(r, c, v.Name())
	return render(w, http.StatusOK, "policy", v)
}

// A verdictRow is one verdict in the list.
type verdictRow struct {
	projections.Verdict
	Of string // what it was about
}

// targetText says what a policy was bound to. A binding has no name; the stage
// that it binds has.
func (s *Server) targetText(target domain.Ref) string {
	if t, ok := s.Things.Thing(target.ID); ok && target.Name == "" {
		stage, _ := t.Fields["stage"].(string)
		if bound, ok := s.Things.Thing(stage); ok {
			return "stage " + bound.Name
		}
		target.Name = t.Name
	}
	if target.Name == "" {
		return words(target.Kind) + " " + short(target.ID)
	}
	return words(target.Kind) + " " + target.Name
}

// policyNamed finds out what a policy is called: as it spoke in this time, or
// else when it spoke last.
func (s *Server) policyNamed(ctx context.Context, id string, from, until time.Time) (domain.Ref, error) {
	for _, f := range []projections.VerdictFilter{{Policy: id, From: from, Until: until}, {Policy: id}} {
		found, _, err := s.Verdicts.List(ctx, f, projections.Page{Limit: 1})
		if err != nil {
			return domain.Ref{}, err
		}
		if len(found) > 0 {
			return found[0].Policy, nil
		}
	}
	return domain.Ref{}, domain.Errorf(domain.NotFound, "No policy %q was ever asked.", id)
}

// maxRevisions is how many revisions of a policy are set side by side.
const maxRevisions = 5

// revisions sums up what the newest revisions of a policy said.
func (s *Server) revisions(ctx context.Context, policy domain.Ref, from, until time.Time) (out []revisionRow, err error) {
	for n := policy.Revision; n >= 0 && n > policy.Revision-maxRevisions; n-- {
		row := revisionRow{Revision: n}
		for said, count := range map[string]*int{"passed": &row.Passed, "failed": &row.Failed, "erred": &row.Erred} {
			f := projections.VerdictFilter{Policy: policy.ID, PolicyRevision: &n, Said: said, From: from, Until: until}
			if _, *count, err = s.Verdicts.List(ctx, f, projections.Page{Limit: 1}); err != nil {
				return nil, err
			}
		}
		if row.asked() > 0 {
			out = append(out, row)
		}
	}
	return out, nil
}

// shiftOf says what the newest of several revisions changed.
func shiftOf(rows []revisionRow) string {
	if len(rows) < 2 {
		return ""
	}
	is, was := rows[0], rows[1]
	return fmt.Sprintf("Since revision %d %s fail; at revision %d it was %s.", is.Revision, is.FailedShare(), was.Revision, was.FailedShare())
}

// verdictParts are what a drawing of verdicts is stacked from.
var verdictParts = []string{"verdict-passed", "verdict-failed", "verdict-erred"}

// verdictChart draws what a policy said over time.
func verdictChart(slots []projections.VerdictSlot, layout string) chart {
	counted := make([]slot, len(slots))
	for i, s := range slots {
		counted[i] = slot{s.At, map[string]int{verdictParts[0]: s.Passed, verdictParts[1]: s.Failed, verdictParts[2]: s.Erred}}
	}
	return stackedChart("What the policy said, by the time of asking", counted, verdictParts, layout)
}
