package executor

import (
	"context"
	"sync"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
)

// pin notes the present revisions of what a stage refers to, however far, so
// that the execution finds it as it is. Other flows, people and sources are no
// part of a plan.
func (x *Executor) pin(pins execution.Pins, t object.Thing) {
	k, ok := kindOf(t)
	if !ok {
		return
	}
	for _, f := range k.Fields() {
		if f.Type != catalog.Reference {
			continue
		}
		for _, id := range idsIn(t.Fields[f.Name]) {
			other, ok := x.Definitions.Thing(id)
			if _, known := pins[id]; !ok || known || !pinnable(other) {
				continue
			}
			pins[id] = other.Revision
			x.pin(pins, other)
		}
	}
}

// pinnable tells whether a thing is part of the plans of flows that use it.
func pinnable(t object.Thing) bool {
	switch k, _ := kindOf(t); k.Category {
	case catalog.Stage, catalog.Prompt, catalog.Policy:
		return true
	}
	return false
}

// idsIn are the ids in a field that refers to one thing, or to many.
func idsIn(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var ids []string
		for _, item := range v {
			ids = append(ids, idsIn(item)...)
		}
		return ids
	}
	return nil
}

// pinPolicies notes what is bound to a target, and returns the bindings.
func (x *Executor) pinPolicies(pins execution.Pins, target string) []string {
	var ids []string
	for _, t := range x.Definitions.PolicyBindings(target) {
		ids, pins[t.ID] = append(ids, t.ID), t.Revision
		x.pin(pins, t)
	}
	return ids
}

// pinnedPolicies loads the policies of an entry as they were pinned; nil for
// an entry whose policies are those of the present.
func (x *Executor) pinnedPolicies(ctx context.Context, d *draft, e execution.Entry) ([]policy.Bound, error) {
	if len(e.Policies) == 0 {
		return nil, nil
	}
	bindings := make([]object.Thing, len(e.Policies))
	for i, id := range e.Policies {
		var err error
		if bindings[i], err = x.asOf(ctx, id, d.state.Pins[id]); err != nil {
			return nil, err
		}
	}
	return x.bound(ctx, bindings, d.state.Pins)
}

// thing returns a configured thing as it is pinned, or as it is if it is not.
func (x *Executor) thing(ctx context.Context, id string, pins execution.Pins) (object.Thing, bool, error) {
	if revision, pinned := pins[id]; pinned {
		t, err := x.asOf(ctx, id, revision)
		return t, err == nil, err
	}
	t, ok := x.Definitions.Thing(id)
	return t, ok, nil
}

// asOf returns a configured thing as of a revision: mostly, that is what it
// is.
func (x *Executor) asOf(ctx context.Context, id string, revision int64) (object.Thing, error) {
	if t, ok := x.Definitions.Thing(id); ok && t.Revision == revision {
		return t, nil
	}
	key := at{id, revision}
	if t, ok := x.former.get(key); ok {
		return t, nil
	}
	t, err := x.Objects(ctx, id, revision)
	if err == nil {
		x.former.put(key, t)
	}
	return t, err
}

// An at is a configured thing at a revision, which never changes.
type at struct {
	id       string
	revision int64
}

// maxFormer bounds how many things of former revisions are kept.
const maxFormer = 4096

// former keeps configured things as they were, for the executions that go on
// with them.
type former struct {
	mu     sync.Mutex
	things map[at]object.Thing // guarded by mu; nobody writes what is in it
}

func (f *former) get(key at) (object.Thing, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.things[key]
	return t, ok
}

// put keeps a thing. When there are too many, all are forgotten: they are read
// again as they are needed.
func (f *former) put(key at, t object.Thing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.things) >= maxFormer || f.things == nil {
		f.things = map[at]object.Thing{}
	}
	f.things[key] = t
}
