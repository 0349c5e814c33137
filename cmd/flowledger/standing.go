package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
)

// An outdated is a configured thing that an execution goes by although it has
// changed since.
type outdated struct {
	Part string `json:"part"`
	domain.Ref
	Now *int64 `json:"now"` // the present revision; null for what was removed
}

// outdated lists what has changed of all that an execution goes by.
func (a *app) outdated(ctx context.Context, s execution.State) ([]outdated, error) {
	used := []outdated{{Part: "flow", Ref: s.Flow}}
	for _, e := range s.Plan {
		if !e.InMemory {
			used = append(used, outdated{Part: "binding", Ref: e.Binding}, outdated{Part: "stage", Ref: e.Stage})
		}
	}
	pinned, err := a.pinned(ctx, s.Pins)
	if err != nil {
		return nil, err
	}
	out := []outdated{}
	for _, u := range append(used, pinned...) {
		t, ok := a.objects.Thing(u.ID)
		if ok && t.Revision == u.Revision {
			continue
		}
		if ok {
			u.Now = &t.Revision
		}
		out = append(out, u)
	}
	return out, nil
}

// pinned are the things that a plan pins, by what they are, in the order of
// their ids.
func (a *app) pinned(ctx context.Context, pins execution.Pins) ([]outdated, error) {
	var out []outdated
	for _, id := range slices.Sorted(maps.Keys(pins)) {
		t, ok := a.objects.Thing(id)
		if !ok || t.Revision != pins[id] {
			var err error
			if t, err = a.objectAt(ctx, id, pins[id]); err != nil {
				return nil, err
			}
		}
		out = append(out, outdated{Part: partOf(t.Kind), Ref: t.Ref()})
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
func (t *teller) standing(id string, revision int64) string {
	text := fmt.Sprintf("revision %d", revision)
	if t.app == nil {
		return text
	}
	now, ok := t.app.objects.Thing(id)
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
func (t *teller) changedPins(pins execution.Pins) []string {
	if t.app == nil {
		return nil
	}
	all, err := t.app.pinned(t.ctx, pins)
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
