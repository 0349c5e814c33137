package story

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
)

// An Outdated is a configured thing that an execution goes by although it has
// changed since.
type Outdated struct {
	Part string `json:"part"`
	domain.Ref
	Now *int64 `json:"now"` // the present revision; null for what was removed
}

// outdated lists what has changed of all that an execution goes by.
func (t *Teller) outdated(ctx context.Context, s execution.State) ([]Outdated, error) {
	used := []Outdated{{Part: "flow", Ref: s.Flow}}
	for _, e := range s.Plan {
		if !e.InMemory {
			used = append(used, Outdated{Part: "binding", Ref: e.Binding}, Outdated{Part: "stage", Ref: e.Stage})
		}
	}
	pinned, err := t.Pinned(ctx, s.Pins)
	if err != nil {
		return nil, err
	}
	out := []Outdated{}
	for _, u := range append(used, pinned...) {
		now, ok := t.Objects.Thing(u.ID)
		if ok && now.Revision == u.Revision {
			continue
		}
		if ok {
			u.Now = &now.Revision
		}
		out = append(out, u)
	}
	return out, nil
}

// Pinned are the things that a plan pins, by what they are, in the order of
// their ids.
func (t *Teller) Pinned(ctx context.Context, pins execution.Pins) ([]Outdated, error) {
	var out []Outdated
	for _, id := range slices.Sorted(maps.Keys(pins)) {
		thing, ok := t.Objects.Thing(id)
		if !ok || thing.Revision != pins[id] {
			var err error
			if thing, err = t.ObjectAt(ctx, id, pins[id]); err != nil {
				return nil, err
			}
		}
		out = append(out, Outdated{Part: partOf(thing.Kind), Ref: thing.Ref()})
	}
	return out, nil
}

// partOf is what part of a flow things of a kind are.
func partOf(kind string) string {
	k, _ := catalog.Lookup(kind)
	switch k.Category {
	case catalog.PolicyBinding:
		return "policy binding"
	case catalog.Stage, catalog.Policy, catalog.Prompt:
		return string(k.Category)
	}
	return "thing"
}

// standing says as of which revision a thing was used, and what became of it.
func (t *tale) standing(id string, revision int64) string {
	text := fmt.Sprintf("revision %d", revision)
	if t.Objects == nil {
		return text
	}
	now, ok := t.Objects.Thing(id)
	switch {
	case !ok:
		return text + " (removed since)"
	case now.Revision != revision:
		return fmt.Sprintf("%s (now %d)", text, now.Revision)
	}
	return text
}

// changedPins names what a plan pins that has changed since; all else is as it
// stands.
func (t *tale) changedPins(pins execution.Pins) []string {
	if t.Objects == nil {
		return nil
	}
	all, err := t.Pinned(t.ctx, pins)
	if err != nil {
		return []string{"what it goes by cannot be read: " + err.Error()}
	}
	var lines []string
	for _, p := range all {
		text := t.standing(p.ID, p.Revision)
		if text == fmt.Sprintf("revision %d", p.Revision) {
			continue
		}
		name := p.Name
		if name == "" {
			name = p.ID
		}
		lines = append(lines, fmt.Sprintf("goes by %s %s, %s", p.Part, name, text))
	}
	return lines
}
