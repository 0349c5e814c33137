package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
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
// needs one folds the object's stream. What is returned is shared, and must not
// be changed.
type Objects struct {
	mu sync.RWMutex
	// mu guards index, which shows all of a batch of events or nothing.
	index *objectIndex

	// What the rows say that the index does not know yet; the runner's own.
	whole   bool                // anything may be different
	touched map[string]bool     // ids of what was written since the last Refresh
	at      eventstore.Position // of the last event
}

// NewObjects makes the read model.
func NewObjects() *Objects {
	return &Objects{index: newIndex(), whole: true, touched: map[string]bool{}}
}

// Name implements [Projection].
func (*Objects) Name() string { return "objects" }

// Schema implements [Projection].
func (*Objects) Schema() string {
	return `-- 2
		CREATE TABLE objects(
			id       TEXT PRIMARY KEY,
			kind     TEXT NOT NULL,
			name     TEXT NOT NULL,
			revision INTEGER NOT NULL,
			fields   TEXT NOT NULL,
			created  INTEGER NOT NULL,
			updated  INTEGER NOT NULL
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
	// An event that was seen before means that the tables are made anew, or that
	// a batch began again.
	o.whole = o.whole || e.Position.Compare(o.at) <= 0
	o.at, o.touched[id] = e.Position, true
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
	return exec(conn, `INSERT INTO objects(id, kind, name, revision, fields, created, updated) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)
		ON CONFLICT(id) DO UPDATE SET kind = ?2, name = ?3, revision = ?4, fields = ?5, updated = ?6`,
		id, s.Kind, s.Name, int64(e.Revision), fields, micros(e.RecordedAt))
}

// Refresh implements [Projection]. It reads the rows that were written, and all
// of them where it cannot tell which.
func (o *Objects) Refresh(conn *sqlite.Conn) error {
	switch {
	case o.whole:
		index := newIndex()
		things, err := thingsIn(conn, "")
		if err != nil {
			return err
		}
		index.replace(things)
		o.mu.Lock()
		o.index = index
		o.mu.Unlock()
	case len(o.touched) > 0:
		ids, err := json.Marshal(slices.Collect(maps.Keys(o.touched)))
		if err != nil {
			return err
		}
		things, err := thingsIn(conn, " WHERE id IN (SELECT value FROM json_each(?))", string(ids))
		if err != nil {
			return err
		}
		for _, t := range things {
			delete(o.touched, t.ID)
		}
		for id := range o.touched {
			things = append(things, object.Thing{ID: id}) // it is gone
		}
		o.mu.Lock()
		o.index.replace(things)
		o.mu.Unlock()
	}
	o.whole = false
	clear(o.touched)
	return nil
}

// thingsIn reads rows. Most of the work is their JSON, which all cores share.
func thingsIn(conn *sqlite.Conn, condition string, args ...any) ([]object.Thing, error) {
	var things []object.Thing
	var texts []string
	err := query(conn, "SELECT id, kind, name, revision, fields, created, updated FROM objects"+condition, func(row *sqlite.Stmt) error {
		things = append(things, object.Thing{
			ID: row.GetText("id"), Kind: row.GetText("kind"), Name: row.GetText("name"), Revision: row.GetInt64("revision"),
			Created: timeAt(row, "created"), Updated: timeAt(row, "updated"),
		})
		texts = append(texts, row.GetText("fields"))
		return nil
	}, args...)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	faults := make([]error, len(things))
	workers := min(runtime.GOMAXPROCS(0), (len(things)+31)/32)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(things); i += workers {
				if err := json.Unmarshal([]byte(texts[i]), &things[i].Fields); err != nil {
					faults[i] = fmt.Errorf("fields of %s: %w", things[i].ID, err)
				}
			}
		})
	}
	wg.Wait()
	return things, errors.Join(faults...)
}

// Thing returns a configured thing by its primary key.
func (o *Objects) Thing(id string) (object.Thing, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	t, ok := o.index.things[id]
	return t, ok
}

// FlowBySlug returns a flow.
func (o *Objects) FlowBySlug(slug string) (object.Thing, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	t, ok := o.index.things[o.index.slugs[slug]]
	return t, ok
}

// StageBindings lists the stages of a flow in their order.
func (o *Objects) StageBindings(flow string) []object.Thing {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return slices.Clip(o.index.stageBindings[flow])
}

// PolicyBindings lists what is bound to the thing with this primary key, in
// order, whichever of its identifiers the binding has.
func (o *Objects) PolicyBindings(target string) []object.Thing {
	second := catalog.TargetID(target)
	o.mu.RLock()
	defer o.mu.RUnlock()
	list := slices.Clip(o.index.policyBindings[target])
	if others := o.index.policyBindings[second]; len(others) > 0 && o.index.targets[second] == target {
		return merge(list, slices.Clone(others), byOrder)
	}
	return list
}

// ByTarget returns the primary key of what policies are bound to, given its
// second identifier (see [catalog.TargetID]).
func (o *Objects) ByTarget(target string) (string, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	pk, ok := o.index.targets[strings.ToLower(target)]
	return pk, ok
}

// Kind lists everything of a kind, by name.
func (o *Objects) Kind(model string) []object.Thing {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return slices.Clip(o.index.kinds[strings.ToLower(model)])
}

// Category lists everything of all kinds of a category, by name.
func (o *Objects) Category(c catalog.Category) []object.Thing {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return slices.Clip(o.index.categories[c])
}

// Named lists what has a name, of all kinds of a category.
func (o *Objects) Named(c catalog.Category, name string) []object.Thing {
	list := o.Category(c)
	from, _ := slices.BinarySearchFunc(list, name, func(t object.Thing, name string) int { return strings.Compare(t.Name, name) })
	to := from
	for to < len(list) && list[to].Name == name {
		to++
	}
	return slices.Clip(list[from:to])
}

// Referrers lists what refers to a key in one of its fields, by name. Keys of
// users are numbers.
func (o *Objects) Referrers(key any) []object.Thing {
	o.mu.RLock()
	ids := o.index.referrers[keyText(key)]
	things := make([]object.Thing, len(ids))
	for i, id := range ids {
		things[i] = o.index.things[id]
	}
	o.mu.RUnlock()
	slices.SortFunc(things, byName)
	return things
}

// Brand returns the brand of a host: the one whose domain is the longest end
// of it, else the default one.
func (o *Objects) Brand(host string) (object.Thing, bool) {
	return object.BrandOf(host, o.Kind(object.BrandModel))
}
