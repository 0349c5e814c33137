package auditapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/projections"
)

// Changes are what was changed of the configuration, of people and of keys.
type Changes interface {
	List(ctx context.Context, f projections.ChangeFilter, p projections.Page) ([]projections.ConfigurationChange, int, error)
	// Detail returns what each field was and is.
	Detail(ctx context.Context, change projections.ConfigurationChange) ([]projections.FieldChange, error)
}

// Outcomes are what became of the executions of a flow in a span of time, by
// status.
type Outcomes interface {
	Outcomes(ctx context.Context, flowID string, from, until time.Time) (map[string]int, error)
}

// A Change is one change as auditors list it.
type Change struct {
	Event     string    `json:"event"`
	Position  string    `json:"position"`
	At        time.Time `json:"at"`
	Stream    string    `json:"stream"`
	Revision  int64     `json:"revision"`
	Kind      string    `json:"kind"`
	Object    string    `json:"object"`
	Name      string    `json:"name"`
	Verb      string    `json:"verb"`
	Fields    []string  `json:"fields"`
	Actor     *Person   `json:"actor"`
	ActorKind string    `json:"actor_kind"`
	Via       string    `json:"via"`
	Origin    string    `json:"origin"`
	Flows     []string  `json:"flows"`
}

// changes lists changes, the newest first.
func (s *Server) changes(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	p := paramsOf(r.URL.Query())
	f := projections.ChangeFilter{
		Event: p.text("event"), Kind: p.text("kind"), Object: p.text("object"), Actor: p.text("actor"), Flow: p.text("flow"),
		Verb: p.choice("verb", verbs...), Origin: p.text("origin"),
	}
	f.From, f.Until = p.between()
	look := looked.Look{View: "changes", Opened: []string{"P"}}
	return answer(s, w, r, c, p, look, func(ctx context.Context, page projections.Page) ([]projections.ConfigurationChange, int, error) {
		return s.Models.Changes.List(ctx, f, page)
	}, changeOf)
}

// verbs are what happens to things.
var verbs = []string{
	projections.VerbCreated, projections.VerbChanged, projections.VerbRemoved, projections.VerbImported, projections.VerbErased,
}

func changeOf(n *names, c projections.ConfigurationChange) (Change, error) {
	actor, err := n.of(c.Actor)
	return Change{
		Event: c.Event, Position: c.Position.String(), At: c.At, Stream: string(c.Stream), Revision: c.Revision, Kind: c.Kind, Object: c.Object,
		Name: c.Name, Verb: c.Verb, Fields: some(c.Fields), Actor: actor, ActorKind: c.ActorKind, Via: c.Via, Origin: c.Origin,
		Flows: some(c.Flows),
	}, err
}

// A ChangedField is what one field was before a change and is after it.
type ChangedField struct {
	Path     string `json:"path"`
	Old      any    `json:"old"`
	New      any    `json:"new"`
	Secret   bool   `json:"secret"`
	Personal bool   `json:"personal"`
}

// FlowOutcomes is what became of the executions of a flow around a change, by
// status.
type FlowOutcomes struct {
	Flow   string         `json:"flow"`
	Before map[string]int `json:"before"`
	After  map[string]int `json:"after"`
}

// around is for how long executions are counted before a change, and after it.
const around = time.Hour

// change answers with one change: what each field was and is, and how the flows
// that it bears on did an hour before and an hour after.
func (s *Server) change(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	event := mux.Vars(r)["id"]
	found, _, err := s.Models.Changes.List(r.Context(), projections.ChangeFilter{Event: event}, projections.Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return domain.Errorf(domain.NotFound, "There is no change %q.", event)
	}
	shown, err := changeOf(&names{ctx: r.Context(), people: s.People, known: map[string]*Person{"": nil}}, found[0])
	if err != nil {
		return err
	}
	detail, err := s.Models.Changes.Detail(r.Context(), found[0])
	if err != nil {
		return err
	}
	values := make([]ChangedField, len(detail))
	for i, f := range detail {
		values[i] = ChangedField(f)
	}
	outcomes, err := s.outcomesAround(r.Context(), found[0])
	if err != nil {
		return err
	}
	look := looked.Look{View: "changes", Filters: map[string]string{"event": event}, Count: 1, Opened: []string{"P"}}
	if err := s.Looks.Queried(r.Context(), c, look); err != nil {
		return err
	}
	s.write(w, r, http.StatusOK, struct {
		Change
		Values   []ChangedField `json:"values"`
		Outcomes []FlowOutcomes `json:"outcomes"`
	}{shown, values, outcomes})
	return nil
}

// maxFlows is of how many flows outcomes are counted: a change of all of them
// is none of a flow.
const maxFlows = 20

// outcomesAround counts what became of executions before and after a change.
func (s *Server) outcomesAround(ctx context.Context, c projections.ConfigurationChange) ([]FlowOutcomes, error) {
	out := []FlowOutcomes{}
	for _, flow := range c.Flows[:min(len(c.Flows), maxFlows)] {
		before, err := s.Models.Outcomes.Outcomes(ctx, flow, c.At.Add(-around), c.At)
		if err != nil {
			return nil, err
		}
		after, err := s.Models.Outcomes.Outcomes(ctx, flow, c.At, c.At.Add(around))
		if err != nil {
			return nil, err
		}
		out = append(out, FlowOutcomes{flow, before, after})
	}
	return out, nil
}
