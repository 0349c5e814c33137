package auditapi

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/story"
)

// Past explains executions. What it says is opened from under seal. Both fail
// with NotFound when there is no such execution.
type Past interface {
	// State returns plan and context as of a revision, with secrets masked.
	State(ctx context.Context, id string, at eventstore.Revision) (story.Snapshot, error)
	// Decisions returns what policies decided, and why.
	Decisions(ctx context.Context, id string) ([]story.Decision, error)
}

// A Decided is what the policies of one target decided, without what they said
// and knew, which is sealed.
type Decided struct {
	Event    string              `json:"event"` // id
	Revision eventstore.Revision `json:"revision"`
	Time     time.Time           `json:"time"`
	Kind     string              `json:"target_type"`
	Target   domain.Ref          `json:"target"`
	Phase    string              `json:"phase"`
	Mode     string              `json:"mode"`
	Passing  bool                `json:"passing"`
	Policies int                 `json:"policies"` // that were asked, users and groups included
	MS       int64               `json:"ms"`
}

// summary leaves out of decisions what only those may see who may look into
// executions.
func summary(all []story.Decision) []Decided {
	out := make([]Decided, len(all))
	for i, d := range all {
		out[i] = Decided{
			Event: d.Event, Revision: d.Revision, Time: d.Time, Kind: d.Kind, Target: d.Target, Phase: d.Phase, Mode: d.Mode,
			Passing: d.Passing, Policies: len(d.Reasons), MS: d.MS,
		}
	}
	return out
}

// decisions answers with the why of all that policies decided.
func (s *Server) decisions(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	x, err := s.find(r)
	if err != nil {
		return err
	}
	all, err := s.Past.Decisions(r.Context(), x.ID)
	if err != nil {
		return err
	}
	if err := s.inspected(r, c, x); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, map[string]any{"results": all})
	return nil
}

// differences answers with what is different between two revisions of an
// execution: by default its newest, and the one before the later of them.
func (s *Server) differences(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	from, to := p.number("from", 0), p.number("to", 0)
	if err := p.err(); err != nil {
		return err
	}
	x, err := s.find(r)
	if err != nil {
		return err
	}
	newest := int64(math.MaxInt64)
	after, err := s.Past.State(r.Context(), x.ID, eventstore.Revision(*cmp.Or(to, &newest)))
	if err != nil {
		return err
	}
	previous := max(int64(after.Revision)-1, 0)
	before, err := s.Past.State(r.Context(), x.ID, eventstore.Revision(*cmp.Or(from, &previous)))
	if err != nil {
		return err
	}
	if err := s.inspected(r, c, x); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, map[string]any{
		"from": before.Revision, "to": after.Revision, "results": story.Differences(before, after),
	})
	return nil
}
