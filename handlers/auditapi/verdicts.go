package auditapi

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Verdicts are what policies said.
type Verdicts interface {
	// Policies returns what each said in a span of time, the busiest first.
	Policies(ctx context.Context, from, until time.Time) ([]projections.PolicyVerdicts, error)
	// Over returns what one said in each slot of a span of time.
	Over(ctx context.Context, policyID string, from, until time.Time, step time.Duration) ([]projections.VerdictSlot, error)
	List(ctx context.Context, f projections.VerdictFilter, p projections.Page) ([]projections.Verdict, int, error)
}

// A Verdict is what one policy said once.
type Verdict struct {
	Position  string     `json:"position"`
	At        time.Time  `json:"at"`
	Event     string     `json:"event"`
	Execution string     `json:"execution"`
	Revision  int64      `json:"revision"`
	Policy    domain.Ref `json:"policy"`
	Target    domain.Ref `json:"target"`
	Said      string     `json:"said"`
	Negate    bool       `json:"negate"`
	MS        int64      `json:"ms"`
}

// verdicts lists what policies said, the newest first.
func (s *Server) verdicts(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	f := projections.VerdictFilter{
		Policy: p.text("policy"), Said: p.choice("said", "passed", "failed", "erred"), Execution: p.text("execution"),
		PolicyRevision: p.number("policy_revision", 0),
	}
	f.From, f.Until = p.between()
	return answer(s, w, r, c, p, looked.Look{View: "verdicts"}, func(ctx context.Context, page projections.Page) ([]projections.Verdict, int, error) {
		return s.Models.Verdicts.List(ctx, f, page)
	}, func(_ *names, v projections.Verdict) (Verdict, error) {
		return Verdict{
			Position: v.Position.String(), At: v.At, Event: v.Event, Execution: v.Execution, Revision: v.Revision, Policy: v.Policy,
			Target: v.Target, Said: v.Said, Negate: v.Negate, MS: v.MS,
		}, nil
	})
}

// A Judge is what one policy said in a span of time.
type Judge struct {
	Policy  domain.Ref `json:"policy"`
	Passed  int        `json:"passed"`
	Failed  int        `json:"failed"`
	Erred   int        `json:"erred"`
	MaxMS   int64      `json:"max_ms"`
	TotalMS int64      `json:"total_ms"`
}

// Policies are asked about a day unless somebody wants another time.
const (
	verdictSpan    = 24 * time.Hour
	maxVerdictSpan = 1000 * 24 * time.Hour
)

// judges lists what each policy said in a span of time, the busiest first.
func (s *Server) judges(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	since, until := p.within(verdictSpan, maxVerdictSpan)
	return answer(s, w, r, c, p, looked.Look{View: "verdicts"}, func(ctx context.Context, page projections.Page) ([]projections.PolicyVerdicts, int, error) {
		all, err := s.Models.Verdicts.Policies(ctx, since, until)
		from := min(page.Offset, len(all))
		return all[from:min(from+page.Limit, len(all))], len(all), err
	}, func(_ *names, x projections.PolicyVerdicts) (Judge, error) {
		return Judge{Policy: x.Policy, Passed: x.Passed, Failed: x.Failed, Erred: x.Erred, MaxMS: x.MaxMS, TotalMS: x.TotalMS}, nil
	})
}

// A VerdictSlot is what a policy said in one slot of time.
type VerdictSlot struct {
	At     time.Time `json:"at"`
	Passed int       `json:"passed"`
	Failed int       `json:"failed"`
	Erred  int       `json:"erred"`
}

// maxVerdictSlots is how many slots of time one answer has.
const maxVerdictSlots = 1000

// judge answers with what one policy said over time.
func (s *Server) judge(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	since, until := p.within(verdictSpan, maxVerdictSpan)
	step := max(cmp.Or(p.span("step"), time.Hour), time.Hour)
	if until.Sub(since)/step >= maxVerdictSlots-1 {
		p.refuse("step", "There are more slots of this length than one answer has.")
	}
	if err := p.strict(); err != nil {
		return err
	}
	id := mux.Vars(r)["id"]
	slots, err := s.Models.Verdicts.Over(r.Context(), id, since, until, step)
	if err != nil {
		return err
	}
	shown := make([]VerdictSlot, len(slots))
	for i, slot := range slots {
		shown[i] = VerdictSlot(slot)
	}
	look := looked.Look{View: "verdicts", Filters: map[string]string{"policy": id}, Count: len(slots)}
	if err := s.Looks.Queried(r.Context(), c, look); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, map[string]any{"results": shown})
	return nil
}
