package projections

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Objects are the configured things. All of them are in memory, for every step
// of every execution asks for some. Secret fields are not among them: whoever
// needs one folds the object's stream.
type Objects struct {
	mu sync.RWMutex
	// mu guards index, which is replaced as a whole and never changed.
	index *objectIndex

	dirty bool // the runner's: rows were written since the last Refresh
}

// An objectIndex is one state of all configured things.
type objectIndex struct {
	things         map[string]object.Thing
	slugs          map[string]string         // of flows, to their ids
	targets        map[string]string         // target ids to primary keys
	stageBindings  map[string][]object.Thing // by flow, in order
	policyBindings map[string][]object.Thing // by the primary key of the target, in order
	kinds          map[string][]object.Thing // by model name in lower case, by name
}

// NewObjects makes the read model.
func NewObjects() *Objects { return &Objects{index: indexOf(nil), dirty: true} }

// Name implements [Projection].
func (*Objects) Name() string { return "objects" }

// Schema implements [Projection].
func (*Objects) Schema() string {
	return `-- 1
		CREATE TABLE objects(
			id       TEXT PRIMARY KEY,
			kind     TEXT NOT NULL,
			name     TEXT NOT NULL,
			revision INTEGER NOT NULL,
			fields   TEXT NOT NULL
		) WITHOUT ROWID`
}

// Needs implements [Projection].
func (*Objects) Needs(e eventstore.Recorded) Need {
	if e.Stream.Category() == "object" {
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (o *Objects) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	event, ok := e.Event.(object.Event)
	if !ok {
		return nil
	}
	id := e.Stream.ID()
	o.dirty = true
	var s object.State
	err := query(conn, "SELECT kind, name, fields FROM objects WHERE id = ?", func(row *sqlite.Stmt) (err error) {
		s = object.State{Status: object.Present, Kind: row.GetText("kind"), Name: row.GetText("name")}
		s.Fields, err = mapAt(row, "fields")
		return err
	}, id)
	if err != nil {
		return err
	}
	s = event.Evolve(s)
	if s.Status != object.Present {
		return exec(conn, "DELETE FROM objects WHERE id = ?", id)
	}
	fields, err := jsonOf(s.Fields)
	if err != nil {
		return err
	}
	return exec(conn, "INSERT OR REPLACE INTO objects(id, kind, name, revision, fields) VALUES(?, ?, ?, ?, ?)",
		id, s.Kind, s.Name, int64(e.Revision), fields)
}

// Refresh implements [Projection].
func (o *Objects) Refresh(conn *sqlite.Conn) error {
	if !o.dirty {
		return nil
	}
	var things []object.Thing
	err := query(conn, "SELECT id, kind, name, revision, fields FROM objects", func(row *sqlite.Stmt) error {
		t := object.Thing{
			ID: row.GetText("id"), Kind: row.GetText("kind"), Name: row.GetText("name"), Revision: row.GetInt64("revision"),
		}
		var err error
		t.Fields, err = mapAt(row, "fields")
		things = append(things, t)
		return err
	})
	if err != nil {
		return err
	}
	index := indexOf(things)
	o.mu.Lock()
	o.index = index
	o.mu.Unlock()
	o.dirty = false
	return nil
}

func indexOf(things []object.Thing) *objectIndex {
	x := &objectIndex{
		things: make(map[string]object.Thing, len(things)), slugs: map[string]string{}, targets: map[string]string{},
		stageBindings: map[string][]object.Thing{}, policyBindings: map[string][]object.Thing{}, kinds: map[string][]object.Thing{},
	}
	for _, t := range things {
		x.things[t.ID] = t
		model := strings.ToLower(t.Kind)
		x.kinds[model] = append(x.kinds[model], t)
		if kind, ok := catalog.Lookup(t.Kind); ok && kind.Match("target") {
			x.targets[catalog.TargetID(t.ID)] = t.ID
		}
		if t.Kind == object.FlowModel {
			x.slugs[text(t, "slug")] = t.ID
		}
	}
	for _, t := range things {
		switch t.Kind {
		case object.StageBindingModel:
			flow := text(t, "target")
			x.stageBindings[flow] = append(x.stageBindings[flow], t)
		case object.PolicyBindingModel:
			target := text(t, "target")
			if pk, ok := x.targets[target]; ok {
				target = pk
			}
			x.policyBindings[target] = append(x.policyBindings[target], t)
		}
	}
	for _, bindings := range []map[string][]object.Thing{x.stageBindings, x.policyBindings} {
		for _, list := range bindings {
			slices.SortFunc(list, func(a, b object.Thing) int {
				return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(a.ID, b.ID))
			})
		}
	}
	for _, list := range x.kinds {
		slices.SortFunc(list, byName)
	}
	return x
}

func byName(a, b object.Thing) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
}

func text(t object.Thing, field string) string {
	s, _ := t.Fields[field].(string)
	return s
}

func order(t object.Thing) float64 {
	switch n := t.Fields["order"].(type) {
	case float64:
		return n
	case json.Number:
		f, _ := n.Float64()
		return f
	}
	return 0
}

func (o *Objects) now() *objectIndex {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.index
}

// copied returns a thing whose fields the caller may change. What is inside
// lists and maps is shared and must not be changed.
func copied(t object.Thing) object.Thing {
	t.Fields = maps.Clone(t.Fields)
	return t
}

func copies(things []object.Thing) []object.Thing {
	out := make([]object.Thing, len(things))
	for i, t := range things {
		out[i] = copied(t)
	}
	return out
}

// Thing returns a configured thing by its primary key.
func (o *Objects) Thing(id string) (object.Thing, bool) {
	t, ok := o.now().things[id]
	return copied(t), ok
}

// FlowBySlug returns a flow.
func (o *Objects) FlowBySlug(slug string) (object.Thing, bool) {
	x := o.now()
	t, ok := x.things[x.slugs[slug]]
	return copied(t), ok
}

// StageBindings lists the stages of a flow in their order.
func (o *Objects) StageBindings(flow string) []object.Thing {
	return copies(o.now().stageBindings[flow])
}

// PolicyBindings lists what is bound to the thing with this primary key, in
// order.
func (o *Objects) PolicyBindings(target string) []object.Thing {
	return copies(o.now().policyBindings[target])
}

// ByTarget returns the primary key of what policies are bound to, given its
// second identifier (see [catalog.TargetID]).
func (o *Objects) ByTarget(target string) (string, bool) {
	pk, ok := o.now().targets[strings.ToLower(target)]
	return pk, ok
}

// Kind lists everything of a kind, by name.
func (o *Objects) Kind(model string) []object.Thing {
	return copies(o.now().kinds[strings.ToLower(model)])
}

// Category lists everything of all kinds of a category, by name.
func (o *Objects) Category(c catalog.Category) []object.Thing {
	return o.list(func(t object.Thing) bool {
		kind, ok := catalog.Lookup(t.Kind)
		return ok && kind.Category == c
	})
}

func (o *Objects) list(wanted func(object.Thing) bool) []object.Thing {
	var out []object.Thing
	for _, t := range o.now().things {
		if wanted(t) {
			out = append(out, copied(t))
		}
	}
	slices.SortFunc(out, byName)
	return out
}

// Brand returns the brand of a host: the one whose domain is the longest end
// of it, else the default one.
func (o *Objects) Brand(host string) (object.Thing, bool) {
	return object.BrandOf(host, o.Kind(object.BrandModel))
}
