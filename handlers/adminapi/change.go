package adminapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/account"
)

// via says in events that this API was the way.
const via = "api"

// meta says of an append who caused it, and whose key seals what is personal.
func (s *Server) meta(c session.Caller, subject string) codec.Meta {
	m := codec.Meta{Network: c.Network, Subject: subject, Client: "user:" + c.User, Time: s.Now()}
	m.Header.Actor = codec.Actor{Kind: "user", ID: c.User, Session: c.Session, Token: c.Token}
	if c.Superuser {
		m.Header.Actor.Kind = "admin"
	}
	m.Header.Request = codec.Request{ID: c.Request, Method: c.Method, Route: c.Route}
	m.Header.Brand = c.Brand
	m.Header.Correlation = c.Request
	return m
}

// writer is meta for who writes users. The catalogue of events calls this way
// of theirs by who takes it.
func (s *Server) writer(c session.Caller) account.Writer {
	return account.Writer{By: c.User, Via: "admin", Meta: s.meta(c, "user:"+c.User)}
}

// changed waits until the next read sees what was written.
func (s *Server) changed(ctx context.Context) error {
	if err := s.Wait(ctx); err != nil {
		return fmt.Errorf("wait for the read models: %w", err)
	}
	return nil
}

// createThing makes a thing. Its key is chosen here and not by the client, so
// nobody can make a thing in the place of one that was removed.
func (s *Server) createThing(k catalog.Kind) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		input, err := readObject(r)
		if err != nil {
			return err
		}
		t := object.Thing{ID: s.NewID(), Kind: k.Model}
		if t, err = s.put(r.Context(), c, wish{kind: k, thing: t, input: input, create: true}); err != nil {
			return err
		}
		return s.writeThing(w, r, http.StatusCreated, t)
	}
}

// changeThing replaces or patches. Either leaves alone what the client does
// not name; to replace, the required fields must be there.
func (s *Server) changeThing(k catalog.Kind, partial bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		t, err := s.find(r, ofKind(k))
		if err != nil {
			return err
		}
		input, err := readObject(r)
		if err != nil {
			return err
		}
		seen, err := matchOf(r)
		if err != nil {
			return err
		}
		if t, err = s.put(r.Context(), c, wish{kind: k, thing: t, input: input, partial: partial, seen: seen}); err != nil {
			return err
		}
		return s.writeThing(w, r, http.StatusOK, t)
	}
}

// A wish is a thing that somebody wants to be written.
type wish struct {
	kind    catalog.Kind
	thing   object.Thing // as it is
	input   map[string]any
	partial bool // not all required fields need be there
	create  bool
	seen    match // what the client decided on
}

// put judges a wish and writes it. It returns the thing as it is then.
func (s *Server) put(ctx context.Context, c session.Caller, h wish) (object.Thing, error) {
	leave, err := s.turn(ctx)
	if err != nil {
		return h.thing, err
	}
	defer leave()
	if !h.create {
		var there bool // still, and as the last change left it
		if h.thing, there = s.Things.Thing(h.thing.ID); !there {
			return h.thing, notFound(h.kind.Name)
		}
	}
	if err := h.seen.holds(tagOf(h.thing)); err != nil {
		return h.thing, err
	}
	fields, err := s.judge(ctx, h)
	if err != nil {
		return h.thing, err
	}
	id := h.thing.ID
	put := object.Put{Kind: h.kind.Model, Fields: fields, By: c.User, Via: via, Create: h.create}
	_, err = s.Objects.Handle(ctx, eventstore.Stream("object", id), when(h.seen, tagOf(h.thing), put), s.meta(c, "object:"+id))
	if err != nil {
		return h.thing, err
	}
	if err := s.changed(ctx); err != nil {
		return h.thing, err
	}
	t, ok := s.Things.Thing(id)
	if !ok {
		return t, notFound(h.kind.Name)
	}
	return t, nil
}

// judge cleans the input and checks it against what there is.
func (s *Server) judge(ctx context.Context, h wish) (map[string]any, error) {
	set, problems := h.kind.Clean(h.input, h.partial)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	p := peculiarityOf(h.kind.Category)
	all := maps.Clone(h.thing.Fields)
	if h.create {
		if err := h.kind.ValidateNew(set).Err(); err != nil {
			return nil, err
		}
		all = h.kind.Defaults()
	}
	maps.Copy(all, set)
	if p.amend != nil {
		problems = p.amend(s, h.thing.ID, all, set)
		maps.Copy(all, set)
	}
	if err := s.dangling(ctx, h.kind, set, &problems); err != nil {
		return nil, err
	}
	s.taken(h, all, set, &problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return set, h.kind.Validate(all).Err()
}

// dangling finds references that lead nowhere.
func (s *Server) dangling(ctx context.Context, k catalog.Kind, set map[string]any, problems *catalog.Problems) error {
	for _, f := range k.Fields() {
		value, given := set[f.Name]
		if !given || f.Type != catalog.Reference {
			continue
		}
		for _, key := range keysOf(value) {
			there, err := s.exists(ctx, f.Ref, key)
			if err != nil {
				return err
			}
			if !there {
				problems.Add(f.Name, "Invalid pk \"%s\" - object does not exist.", written(key))
			}
		}
	}
	return nil
}

// keysOf lists the keys in a value that refers to one thing, or to many.
func keysOf(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{value}
}

// exists tells whether there is something with this key that ref names.
func (s *Server) exists(ctx context.Context, ref string, key any) (bool, error) {
	switch ref {
	case string(catalog.User):
		n, _ := number(key)
		_, ok, err := s.People.UserByKey(ctx, int(n))
		return ok, err
	case string(catalog.Role):
		_, ok, err := s.Roles.Role(ctx, written(key))
		return ok, err
	case string(catalog.Group):
		_, ok, err := s.People.Group(ctx, written(key))
		return ok, err
	}
	t, ok := s.Things.Thing(written(key))
	if !ok {
		return false, nil
	}
	k, known := catalog.Lookup(t.Kind)
	return known && k.Match(ref), nil
}

// taken finds natural keys that another thing has. Null is equal to nothing.
func (s *Server) taken(h wish, all, set map[string]any, problems *catalog.Problems) {
	for _, names := range h.kind.Natural {
		concerned := slices.ContainsFunc(names, func(name string) bool { _, given := set[name]; return given })
		if !concerned || slices.ContainsFunc(names, func(name string) bool { return all[name] == nil }) {
			continue
		}
		if !s.another(h, names, all) {
			continue
		}
		if len(names) > 1 {
			problems.Add(catalog.NonField, "The fields %s must make a unique set.", strings.Join(names, ", "))
			continue
		}
		problems.Add(names[0], "%s with this %s already exists.", singular(h.kind), strings.ReplaceAll(names[0], "_", " "))
	}
}

// another tells whether some other thing has the same values. Names are
// unique among all kinds of a category, unless it is the one for the rest.
func (s *Server) another(h wish, names []string, all map[string]any) bool {
	return slices.ContainsFunc(s.alike(h.kind, names, all), func(t object.Thing) bool {
		if t.ID == h.thing.ID || h.kind.Category == catalog.Setting && t.Kind != h.kind.Model {
			return false
		}
		return !slices.ContainsFunc(names, func(name string) bool { return !object.Equal(t.Fields[name], all[name]) })
	})
}

// alike lists the things that can have the same values under some names, as
// few as can be told at once.
func (s *Server) alike(k catalog.Kind, names []string, all map[string]any) []object.Thing {
	for _, name := range names {
		f, _ := k.Field(name)
		if f.Type == catalog.Reference {
			return s.Bindings.Referrers(all[name])
		}
		if title, ok := all[name].(string); ok && name == object.NameField(k) {
			return s.Things.Named(k.Category, title)
		}
	}
	return s.Things.Category(k.Category)
}

// singular is what problems of uniqueness call a kind.
func singular(k catalog.Kind) string {
	switch k.Category {
	case catalog.Stage:
		return "stage"
	case catalog.Policy:
		return "Policy"
	}
	return k.Name
}
