package console

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/projections"
)

// A span is a stretch of time up to now that pages offer.
type span struct {
	Name   string // in addresses
	Title  string
	length time.Duration
	step   time.Duration
	label  string // layout of the times at an axis
}

var spans = []span{
	{"1h", "1 hour", time.Hour, 2 * time.Minute, "15:04"},
	{"24h", "24 hours", 24 * time.Hour, 30 * time.Minute, "15:04"},
	{"7d", "7 days", 7 * 24 * time.Hour, 4 * time.Hour, "2 Jan"},
	{"30d", "30 days", 30 * 24 * time.Hour, 24 * time.Hour, "2 Jan"},
}

// spanOf reads which stretch of time is wanted; 24 hours unless it says so.
func spanOf(r *http.Request) (span, error) {
	name := cmp.Or(r.URL.Query().Get("range"), "24h")
	for _, s := range spans {
		if s.Name == name {
			return s, nil
		}
	}
	return span{}, &domain.Error{Code: domain.Invalid, Message: "The page cannot be shown for this time.", Fields: map[string][]string{
		"range": {"It is one of 1h, 24h, 7d and 30d."},
	}}
}

// since returns the start of the stretch that ends at a time, at the full
// step, so that a page that is asked for again shows the same slots.
func (s span) since(until time.Time) time.Time { return until.Add(-s.length).Truncate(s.step) }

// An overviewView is the first page for its template.
type overviewView struct {
	frame
	Spans   []span
	Span    span
	From    time.Time
	Until   time.Time
	Running int
	All     endings
	Flows   []flowRow
	Reasons []reasonRow
	Chart   chart
}

// Endings are how executions ended.
type endings map[string]int

// Sum is how many there are.
func (t endings) Sum() (n int) {
	for _, count := range t {
		n += count
	}
	return n
}

// Of returns how many ended so.
func (t endings) Of(status string) int { return t[status] }

// Over is how many are not under way any more.
func (t endings) Over() int { return t.Sum() - t["running"] }

// A flowRow is what became of the executions of a flow.
type flowRow struct {
	projections.FlowOutcomes
	endings
	Link string
}

// A reasonRow is a reason with those who had it.
type reasonRow struct {
	projections.OutcomeReason
	Link string
}

// overview shows what became of executions lately.
func (s *Server) overview(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	wanted, err := spanOf(r)
	if err != nil {
		return err
	}
	until := s.Now()
	from := wanted.since(until)
	found, err := s.Executions.Overview(r.Context(), from, until, wanted.step)
	if err != nil {
		return err
	}
	if err := s.looked(r, c, "overview", "", len(found.Flows)); err != nil {
		return err
	}
	v := overviewView{frame: s.frame(r, c, "Overview"), Spans: spans, Span: wanted, From: from, Until: until, Running: found.Running, All: endings{}}
	v.Refresh = 5
	since := from.UTC().Format(time.RFC3339)
	for _, slot := range found.Slots {
		for status, n := range slot.Outcomes {
			v.All[status] += n
		}
	}
	for _, f := range found.Flows {
		v.Flows = append(v.Flows, flowRow{f, f.Outcomes, executionsAt("flow", f.Flow, "since", since)})
	}
	for _, o := range found.Reasons {
		v.Reasons = append(v.Reasons, reasonRow{o, executionsAt("status", o.Status, "cause", o.Cause, "since", since)})
	}
	v.Chart = outcomeChart(found, wanted)
	return render(w, http.StatusOK, "overview", v)
}

// executionsAt is the address of a list of executions, from the names of
// parameters and their values in turn.
func executionsAt(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return base + "executions/?" + q.Encode()
}
