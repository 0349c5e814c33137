package projections

import (
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A flowWeb finds the flows that one change bears on, and keeps what is known of
// the configuration.
type flowWeb struct {
	conn   *sqlite.Conn
	change ConfigurationChange

	name  string   // of what changed, if it is known by now
	flows []string // found, in order
}

// fold takes up one change.
func (w *flowWeb) fold(e codec.Decoded) error {
	switch event := e.Event.(type) {
	case object.ObjectCreated:
		return w.thing(event.Set)
	case object.ObjectChanged:
		return w.thing(event.Set)
	case object.ObjectRemoved:
		return w.thing(nil)
	case group.Event, role.Event:
		return w.thing(nil)
	case invitation.InvitationCreated:
		w.add(event.Flow)
		if event.Before != nil && event.Before.Flow != nil {
			w.add(*event.Before.Flow)
		}
	case token.TokenCreated:
		w.add(event.Flow)
		return w.remember()
	case token.TokenRotated, token.TokenRevoked:
		return w.recall()
	case blueprint.BlueprintAdded, blueprint.BlueprintChanged:
		return w.remember()
	case blueprint.BlueprintImportFinished:
		return w.imported()
	}
	return nil
}

// add adds a flow.
func (w *flowWeb) add(flow string) {
	if flow != "" && !slices.Contains(w.flows, flow) {
		w.flows = append(w.flows, flow)
	}
}

// thing folds a change of something that others can refer to. The flows are
// looked for in front of it and behind it, for a binding that moves bears on
// where it was and on where it is.
func (w *flowWeb) thing(set map[string]any) error {
	origin := w.change.Origin
	if origin == "" {
		origin = w.change.Event
	}
	if err := w.sweep(origin); err != nil {
		return err
	}
	if err := w.recall(); err != nil {
		return err
	}
	if err := w.reach(w.change.Object); err != nil {
		return err
	}
	if w.change.Verb == VerbRemoved {
		if err := w.pointed(nil); err != nil {
			return err
		}
		return exec(w.conn, "UPDATE changes_things SET gone = ? WHERE id = ?", origin, w.change.Object)
	}
	if err := w.remember(); err != nil {
		return err
	}
	if err := w.refer(set); err != nil {
		return err
	}
	return w.reach(w.change.Object)
}

// sweep drops what is gone but for what went with the same origin.
func (w *flowWeb) sweep(origin string) error {
	const gone = "gone <> '' AND gone <> ?"
	err := exec(w.conn, "DELETE FROM changes_refs WHERE id IN (SELECT id FROM changes_things WHERE "+gone+")", origin)
	if err != nil {
		return err
	}
	return exec(w.conn, "DELETE FROM changes_things WHERE "+gone, origin)
}

// recall looks up what the thing was called.
func (w *flowWeb) recall() error {
	return query(w.conn, "SELECT name FROM changes_things WHERE id = ?", func(s *sqlite.Stmt) error {
		w.name = s.ColumnText(0)
		return nil
	}, w.change.Object)
}

// remember writes what the thing is called.
func (w *flowWeb) remember() error {
	name := w.change.Name
	if name == "" {
		name = w.name
	}
	return exec(w.conn, `INSERT INTO changes_things(id, target, kind, name) VALUES(?1, ?2, ?3, ?4)
		ON CONFLICT DO UPDATE SET kind = ?3, name = ?4, gone = ''`, w.change.Object, catalog.TargetID(w.change.Object), w.change.Kind, name)
}

// refer replaces the references of the fields that changed. A change of who
// names a flow bears on that flow, before and after.
func (w *flowWeb) refer(set map[string]any) error {
	kind, _ := catalog.Lookup(w.change.Kind)
	for _, f := range kind.Fields() {
		value, changed := set[f.Name]
		if !changed || f.Type != catalog.Reference {
			continue
		}
		if err := w.pointed(&f.Name); err != nil {
			return err
		}
		if err := exec(w.conn, "DELETE FROM changes_refs WHERE id = ? AND field = ?", w.change.Object, f.Name); err != nil {
			return err
		}
		many, ok := value.([]any)
		if !ok {
			many = []any{value}
		}
		for _, one := range many {
			ref := strings.ToLower(keyText(one))
			if ref == "" {
				continue
			}
			if err := exec(w.conn, "INSERT OR IGNORE INTO changes_refs(id, field, ref) VALUES(?, ?, ?)", w.change.Object, f.Name, ref); err != nil {
				return err
			}
		}
		if err := w.pointed(&f.Name); err != nil {
			return err
		}
	}
	return nil
}

// pointed adds the flows that the thing names itself, in one field or in any.
func (w *flowWeb) pointed(field *string) error {
	condition, args := "r.id = ?", []any{w.change.Object}
	if field != nil {
		condition, args = condition+" AND r.field = ?", append(args, *field)
	}
	return query(w.conn, "SELECT t.id FROM changes_refs r JOIN changes_things t ON t.id = r.ref WHERE "+condition+" AND t.kind = '"+object.FlowModel+"'",
		func(s *sqlite.Stmt) error {
			w.add(s.ColumnText(0))
			return nil
		}, args...)
}

// maxReached bounds how many things are met on the way to flows.
const maxReached = 10_000

// reach adds the flows that a thing is met in. Bindings lead to what they are
// bound to, all else to what refers to it, and flows lead nowhere.
func (w *flowWeb) reach(id string) error {
	seen, queue := map[string]bool{id: true}, []string{id}
	for len(queue) > 0 && len(seen) < maxReached {
		at := queue[0]
		queue = queue[1:]
		kind := ""
		err := query(w.conn, "SELECT kind FROM changes_things WHERE id = ?", func(s *sqlite.Stmt) error {
			kind = s.ColumnText(0)
			return nil
		}, at)
		if err != nil {
			return err
		}
		next, args := "SELECT id FROM changes_refs WHERE ref = ?1 OR ref = ?2", []any{at, catalog.TargetID(at)}
		switch kind {
		case object.FlowModel:
			w.add(at)
			continue
		case object.StageBindingModel, object.PolicyBindingModel:
			next = `SELECT t.id FROM changes_refs r JOIN changes_things t ON t.id = r.ref OR t.target = r.ref WHERE r.id = ? AND r.field = 'target'`
			args = args[:1]
		}
		err = query(w.conn, next, func(s *sqlite.Stmt) error {
			if to := s.ColumnText(0); !seen[to] {
				seen[to], queue = true, append(queue, to)
			}
			return nil
		}, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// imported adds the flows of all changes of an import.
func (w *flowWeb) imported() error {
	if err := w.recall(); err != nil || w.change.Origin == "" {
		return err
	}
	return query(w.conn, "SELECT DISTINCT flow FROM changes JOIN changes_flows USING(n) WHERE origin = ? AND origin <> '' ORDER BY flow",
		func(s *sqlite.Stmt) error {
			w.add(s.ColumnText(0))
			return nil
		}, w.change.Origin)
}
