package story

import (
	"context"
	"math"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
)

// A Snapshot is the state of an execution as people look at it: secrets are
// masked.
type Snapshot struct {
	Revision  eventstore.Revision `json:"revision"`
	Status    execution.Status    `json:"status"`
	Flow      domain.Ref          `json:"flow"`
	User      string              `json:"user,omitempty"`
	Current   string              `json:"current_stage,omitempty"`
	Asked     string              `json:"challenge,omitempty"`
	Plan      []execution.Entry   `json:"plan"`
	Changed   []Outdated          `json:"changed_since"` // what it goes by although it is another by now
	Context   execution.Context   `json:"context"`
	Restarts  int                 `json:"restarts"`
	Factors   []execution.Factor  `json:"factors,omitempty"`
	Stages    []Stage             `json:"stages"`
	Attempts  int                 `json:"attempts"` // wrong answers
	Forgotten []Forgotten         `json:"forgotten,omitempty"`
}

// State returns the state as of a revision.
func (p *Past) State(ctx context.Context, at eventstore.Revision) (Snapshot, error) {
	if at > p.Last() && at != math.MaxInt64 {
		return Snapshot{}, domain.Errorf(domain.Invalid, "The execution ends at revision %d.", p.Last())
	}
	last := int(min(at, p.Last()))
	if last < 0 || last >= len(p.events) {
		return Snapshot{}, domain.Errorf(domain.Invalid, "Revisions begin at 0.")
	}
	way := path{why: map[string]eventstore.Revision{}}
	lost := map[string]Forgotten{}
	for _, e := range p.events[:last+1] {
		way.follow(e)
		for _, f := range forgotten(e.Decoded) {
			lost[f.Class] = f
		}
	}
	s := p.after(last)
	out := Snapshot{
		Revision: p.events[last].Revision, Status: s.Status, Flow: s.Flow, User: s.Subject.User, Plan: s.Plan, Context: shown(s.Context),
		Restarts: s.Restarts, Factors: s.Factors, Stages: way.stages, Attempts: s.Attempts,
	}
	for _, class := range classes {
		if f, ok := lost[class]; ok {
			out.Forgotten = append(out.Forgotten, f)
		}
	}
	var err error
	if out.Changed, err = p.tale.outdated(ctx, s); err != nil {
		return Snapshot{}, err
	}
	if out.Plan == nil {
		out.Plan = []execution.Entry{}
	}
	if out.Stages == nil {
		out.Stages = []Stage{}
	}
	if head, ok := s.Head(); ok && s.Current != nil {
		out.Current, out.Asked = head.Stage.Name, s.Current.Component
	}
	return out, nil
}

// mask stands for what has the name of a secret, whoever wrote it.
const mask = "********************"

// shown is a context as it may be looked at.
func shown(c execution.Context) execution.Context {
	out := make(execution.Context, len(c))
	for key, v := range c.Masked() {
		out[key] = open(key, v)
	}
	return out
}

func open(key string, v any) any {
	switch v := v.(type) {
	case domain.Secret:
		return mask
	case execution.Context:
		return open(key, map[string]any(v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = open(k, item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = open(key, item)
		}
		return out
	case string:
		if v != "" && v != mask && execution.SecretKey(key) {
			return mask
		}
	}
	return v
}
