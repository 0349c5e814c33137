package execution

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain"
)

// ExecutionResumed records that an execution goes on where another one waited:
// somebody brought a token.
type ExecutionResumed struct {
	Via          string               `json:"via"` // token or source
	Token        string               `json:"token,omitempty"`
	From         string               `json:"from_execution,omitempty"`
	Entries      []Entry              `json:"entries"`
	Pins         Pins                 `json:"pins,omitempty"`
	Merged       []string             `json:"merged_context_keys,omitempty"` // what the browser's own execution knew better
	Factors      []Factor             `json:"factors,omitempty"`             // that were verified there
	Destinations map[BindingID]string `json:"destinations,omitempty" seal:"T"`
	Change
}

// EventType implements [domain.Event].
func (ExecutionResumed) EventType() string { return "ExecutionResumed" }

// Evolve implements [domain.Event]. The policies of the entries are asked
// again when these come up: time has passed.
func (e ExecutionResumed) Evolve(s State) State {
	s.Planned, s.Current, s.Plan, s.Pins = true, nil, slices.Clone(e.Entries), e.Pins
	for i, entry := range s.Plan {
		s.Plan[i].Passed, s.Plan[i].Destination = entry.Marker != Reevaluate, e.Destinations[entry.Binding.ID]
	}
	s.Context, s.Sealed = s.Context.with(e.Change), s.Sealed || len(e.Secret) > 0
	s.Factors = slices.Clone(e.Factors)
	return s
}

// A leftover is a plan as it is kept outside of executions.
type leftover struct {
	Entries      []Entry              `json:"entries"`
	Pins         Pins                 `json:"pins,omitempty"`
	Destinations map[BindingID]string `json:"destinations,omitempty"`
	Factors      []Factor             `json:"factors,omitempty"`
	Backend      string               `json:"backend,omitempty"`
}

// Leftover writes down what is left of the plan, and what was proved by then.
// Whoever goes on with it may come days later, so it is up to the policies of
// then who may.
func (s State) Leftover() (string, error) {
	l := leftover{Entries: slices.Clone(s.Plan), Pins: s.Pins, Factors: s.Factors, Backend: s.Subject.Backend}
	for i, entry := range s.Plan {
		l.Entries[i].Policies = nil
		if entry.Destination != "" {
			l.Destinations = with(l.Destinations, entry.Binding.ID, entry.Destination)
		}
	}
	text, err := json.Marshal(l)
	return string(text), err
}

// Resumed reads what [State.Leftover] wrote, with what authenticated the user.
func Resumed(plan string) (e ExecutionResumed, backend string, err error) {
	var l leftover
	err = json.Unmarshal([]byte(plan), &l)
	return ExecutionResumed{Entries: l.Entries, Pins: l.Pins, Destinations: l.Destinations, Factors: l.Factors}, l.Backend, err
}

// Parted returns what is not secret of the context, and apart from it what is.
func (c Context) Parted() (Context, map[string]domain.Secret) {
	change := Learn(c)
	open := Context(maps.Clone(change.Set))
	maps.Copy(open, change.Hidden)
	return open, change.Secret
}

// Completed returns the keys of the context into which these secrets go, with
// the secrets in them.
func (c Context) Completed(secrets map[string]domain.Secret) Context {
	all, out := c.with(Change{Secret: secrets}), Context{}
	for path := range secrets {
		key := splitPath(path)[0]
		out[key] = all[key]
	}
	return out
}
