package adminapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// A use is a field of a thing that refers to something.
type use struct {
	thing object.Thing
	kind  catalog.Kind
	field catalog.Field
}

// cascades tells whether the thing cannot be without what it refers to. A
// binding has no meaning without either of its ends.
func (u use) cascades() bool {
	c := u.kind.Category
	return c == catalog.StageBinding || c == catalog.PolicyBinding || !u.field.Many && !u.field.Nullable
}

// action is the contract's word for what becomes of the thing.
func (u use) action() string {
	switch {
	case u.cascades():
		return "cascade"
	case u.field.Many:
		return "cascade_many"
	}
	return "set_null"
}

// without is the field's value once what it refers to is gone.
func (u use) without(key any) any {
	if !u.field.Many {
		return nil
	}
	rest := []any{}
	for _, other := range keysOf(u.thing.Fields[u.field.Name]) {
		if !object.Equal(other, key) {
			rest = append(rest, other)
		}
	}
	return rest
}

// uses finds what refers to something of a kind, by its primary key.
func (s *Server) uses(k catalog.Kind, key any) []use {
	var found []use
	for _, t := range s.Bindings.Referrers(key) {
		other := kindOf(t)
		for _, f := range other.Fields() {
			if f.Type == catalog.Reference && k.Match(f.Ref) && t.ID != key && refers(t.Fields[f.Name], key) {
				found = append(found, use{thing: t, kind: other, field: f})
			}
		}
	}
	order := categories()
	slices.SortStableFunc(found, func(a, b use) int {
		return slices.Index(order, a.kind.Category) - slices.Index(order, b.kind.Category)
	})
	return found
}

// categories are those of configured things, each once.
func categories() []catalog.Category {
	var out []catalog.Category
	for _, k := range catalog.All() {
		if configured(k) && !slices.Contains(out, k.Category) {
			out = append(out, k.Category)
		}
	}
	return out
}

// refers tells whether a reference, or one of a list of them, is to key.
func refers(value, key any) bool {
	return slices.ContainsFunc(keysOf(value), func(v any) bool { return object.Equal(v, key) })
}

// removeThing removes what the path names, under the lock: nothing can be
// bound to it meanwhile.
func (s *Server) removeThing(a addressee) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		leave, err := s.turn(r.Context())
		if err != nil {
			return err
		}
		defer leave()
		t, err := s.find(r, a)
		if err != nil {
			return err
		}
		seen, err := matchOf(r)
		if err == nil {
			err = seen.holds(tagOf(t))
		}
		if err != nil {
			return err
		}
		if err := s.remove(r.Context(), c, t, "", seen); err != nil {
			return err
		}
		if err := s.changed(r.Context()); err != nil {
			return err
		}
		return done(w)
	}
}

// remove ends a thing: first what cannot be without it, then the references
// to it, then itself. A crash in between leaves the thing, and removing it
// again does the rest.
func (s *Server) remove(ctx context.Context, c session.Caller, t object.Thing, cascadeOf string, seen match) error {
	if err := s.release(ctx, c, kindOf(t), t.ID, t.ID); err != nil {
		return err
	}
	end := object.Remove{By: c.User, Via: via, CascadeOf: cascadeOf}
	_, err := s.Objects.Handle(ctx, eventstore.Stream("object", t.ID), when(seen, tagOf(t), end), s.meta(c, "object:"+t.ID))
	return err
}

// release takes something out of all that refers to it. Key is how references
// name it, id what the ledger knows it by.
func (s *Server) release(ctx context.Context, c session.Caller, k catalog.Kind, key any, id string) error {
	for _, u := range s.uses(k, key) {
		if u.cascades() {
			if err := s.remove(ctx, c, u.thing, id, match{}); err != nil {
				return err
			}
			continue
		}
		_, err := s.Objects.Handle(ctx, eventstore.Stream("object", u.thing.ID), object.Put{
			Kind: u.kind.Model, Fields: map[string]any{u.field.Name: u.without(key)}, By: c.User, Via: via,
		}, s.meta(c, "object:"+u.thing.ID))
		if err != nil {
			return err
		}
	}
	return nil
}

// usedBy tells what a removal would change (spec/flows.md 10.6).
func (s *Server) usedBy(a addressee) endpoint {
	return func(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
		t, err := s.find(r, a)
		if err != nil {
			return err
		}
		return s.writeUses(w, kindOf(t), t.ID)
	}
}

// writeUses answers with what refers to something.
func (s *Server) writeUses(w http.ResponseWriter, k catalog.Kind, key any) error {
	out := []any{}
	for _, u := range s.uses(k, key) {
		out = append(out, map[string]any{
			"app": u.kind.App(), "model_name": u.kind.Base(), "pk": u.thing.ID, "name": s.label(u.thing), "action": u.action(),
		})
	}
	return writeJSON(w, http.StatusOK, out)
}

// label is what people call a thing; bindings are called by their ends.
func (s *Server) label(t object.Thing) string {
	switch t.Kind {
	case object.StageBindingModel:
		return "Flow-stage binding #" + written(t.Fields["order"]) + " to " + s.nameOf(text(t, "target"))
	case object.PolicyBindingModel:
		return "Binding from " + s.nameOf(text(t, "target")) + " #" + written(t.Fields["order"]) + " to " + s.nameOf(text(t, "policy"))
	}
	return t.Name
}

// nameOf is the name of a thing, or its key when it has none.
func (s *Server) nameOf(id string) string {
	t, ok := s.Things.Thing(id)
	if !ok || t.Name == "" {
		return id
	}
	return t.Name
}
