package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/importer"
	"github.com/flowledger/flowledger/projections"
)

// shelf is what exists, as one import looks at it.
type shelf struct {
	ctx   context.Context // of the import: the view that it hands on has none
	app   *app
	fault error // the first one of reading
}

func (a *app) shelf(ctx context.Context) importer.View { return &shelf{ctx: ctx, app: a} }

// Fault implements [importer.View].
func (s *shelf) Fault() error { return s.fault }

// read remembers an error, and tells whether there was none.
func (s *shelf) read(what string, err error) bool {
	if err != nil && s.fault == nil {
		s.fault = fmt.Errorf("%s: %w", what, err)
	}
	return err == nil
}

// Get implements [blueprint.View].
func (s *shelf) Get(ref, pk string) (blueprint.Object, bool) {
	for _, k := range catalog.All() {
		if !k.Match(ref) {
			continue
		}
		switch k.Category {
		case catalog.User:
			key, _ := strconv.Atoi(pk)
			u, ok, err := s.app.users.ByKey(s.ctx, key)
			if !s.read("find a user", err) || !ok {
				return blueprint.Object{}, false
			}
			return s.user(u), true
		case catalog.Group:
			g, ok, err := s.app.groups.Group(s.ctx, pk)
			if !s.read("find a group", err) || !ok {
				return blueprint.Object{}, false
			}
			return s.group(g), true
		case catalog.Role:
			r, ok, err := s.app.roles.Role(s.ctx, pk)
			return s.role(r), s.read("find a role", err) && ok
		}
		if k.Category == catalog.Token {
			found := s.tokens(projections.TokenFilter{ID: pk})
			if len(found) == 0 {
				return blueprint.Object{}, false
			}
			return found[0], true
		}
		if k.Category == catalog.Invitation {
			i, ok, err := s.app.invitations.ByID(s.ctx, pk, time.Now())
			return thing(i.Thing), s.read("find an invitation", err) && ok
		}
		if t, ok := s.app.objects.Thing(pk); ok && t.Kind == k.Model {
			return thing(t), true
		}
	}
	return blueprint.Object{}, false
}

// All implements [blueprint.View].
func (s *shelf) All(model string) []blueprint.Object {
	var out []blueprint.Object
	switch model {
	case object.UserModel:
		users, _, err := s.app.users.List(s.ctx, projections.UserFilter{}, "pk", projections.Page{})
		s.read("list users", err)
		for _, u := range users {
			out = append(out, s.user(u))
		}
	case object.GroupModel:
		groups, _, err := s.app.groups.List(s.ctx, projections.GroupFilter{}, false, projections.Page{})
		s.read("list groups", err)
		for _, g := range groups {
			out = append(out, s.group(g))
		}
	case role.Model:
		roles, _, err := s.app.roles.List(s.ctx, projections.RoleFilter{}, false, projections.Page{})
		s.read("list roles", err)
		out = append(out, each(roles, s.role)...)
	case token.Model:
		out = s.tokens(projections.TokenFilter{})
	case object.InvitationModel:
		invitations, err := s.app.invitations.List(s.ctx, time.Now())
		s.read("list invitations", err)
		for _, i := range invitations {
			out = append(out, thing(i.Thing))
		}
	default:
		for _, t := range s.app.objects.Kind(model) {
			out = append(out, thing(t))
		}
	}
	return out
}

// Having implements [blueprint.Finder].
func (s *shelf) Having(model, field string, value any) ([]blueprint.Object, bool) {
	kind, _ := catalog.Lookup(model)
	name, _ := value.(string)
	switch f, _ := kind.Field(field); {
	case kind.Category == catalog.User:
		if field != "username" || name == "" {
			return nil, false
		}
		users, _, err := s.app.users.List(s.ctx, projections.UserFilter{Username: name}, "pk", projections.Page{})
		s.read("find a user", err)
		return each(users, s.user), true
	case kind.Category == catalog.Group:
		if field != "name" || name == "" {
			return nil, false
		}
		groups, _, err := s.app.groups.List(s.ctx, projections.GroupFilter{Name: name}, false, projections.Page{})
		s.read("find a group", err)
		return each(groups, s.group), true
	case kind.Category == catalog.Role:
		if field != "name" || name == "" {
			return nil, false
		}
		roles, _, err := s.app.roles.List(s.ctx, projections.RoleFilter{Name: name}, false, projections.Page{})
		s.read("find a role", err)
		return each(roles, s.role), true
	case kind.Category == catalog.Token:
		if field != "identifier" || name == "" {
			return nil, false
		}
		return s.tokens(projections.TokenFilter{Identifier: name}), true
	case kind.Category == catalog.Invitation:
		return nil, false
	case field == "pk":
		t, ok := s.app.objects.Thing(name)
		if !ok || t.Kind != kind.Model {
			return nil, true
		}
		return []blueprint.Object{thing(t)}, true
	case f.Type == catalog.Reference:
		return of(kind, s.app.objects.Referrers(value), func(t object.Thing) bool { return refersTo(t.Fields[field], value) }), true
	case field == object.NameField(kind) && name != "":
		return of(kind, s.app.objects.Named(kind.Category, name), func(object.Thing) bool { return true }), true
	}
	return nil, false
}

// refersTo tells whether a reference, or one of a list of them, is to key.
func refersTo(value, key any) bool {
	if many, ok := value.([]any); ok {
		return slices.ContainsFunc(many, func(one any) bool { return object.Equal(one, key) })
	}
	return object.Equal(value, key)
}

// of makes objects of the things of a kind that are wanted.
func of(kind catalog.Kind, things []object.Thing, wanted func(object.Thing) bool) (out []blueprint.Object) {
	for _, t := range things {
		if t.Kind == kind.Model && wanted(t) {
			out = append(out, thing(t))
		}
	}
	return out
}

func each[T any](found []T, show func(T) blueprint.Object) []blueprint.Object {
	out := make([]blueprint.Object, len(found))
	for i, one := range found {
		out[i] = show(one)
	}
	return out
}

func thing(t object.Thing) blueprint.Object {
	return blueprint.Object{Model: t.Kind, PK: t.ID, Fields: t.Fields}
}

func (s *shelf) user(u projections.User) blueprint.Object {
	groups, err := (&people{app: s.app}).GroupsOf(s.ctx, u.ID)
	s.read("list the groups of a user", err)
	return blueprint.Object{Model: object.UserModel, PK: strconv.Itoa(u.Key), Fields: map[string]any{
		"username": u.Username, "name": u.Name, "email": u.Email, "is_active": u.Active, "type": u.Type, "path": u.Path,
		"attributes": u.Attributes, "groups": list(groups), "roles": list(s.held(u.ID)),
	}}
}

func (s *shelf) group(g projections.Group) blueprint.Object {
	members := []any{}
	for _, id := range g.Members {
		u, ok, err := s.app.users.ByID(s.ctx, id)
		if s.read("find a member", err) && ok {
			members = append(members, int64(u.Key))
		}
	}
	return blueprint.Object{Model: object.GroupModel, PK: g.ID, Fields: map[string]any{
		"name": g.Name, "is_superuser": g.Superuser, "attributes": g.Attributes, "parents": list(g.Parents), "users": members,
		"roles": list(s.held(g.ID)),
	}}
}

func (s *shelf) role(r projections.Role) blueprint.Object {
	return blueprint.Object{Model: role.Model, PK: r.ID, Fields: map[string]any{"name": r.Name, "permissions": list(r.Permissions)}}
}

// held are the roles that a user or a group has itself.
func (s *shelf) held(holder string) []string {
	found, err := s.app.roles.Held(s.ctx, holder)
	s.read("list the roles of somebody", err)
	var ids []string
	for _, r := range found[holder] {
		ids = append(ids, r.ID)
	}
	return ids
}

func list(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}

// Used implements [blueprint.View].
func (s *shelf) Used(pk string) bool {
	_, revision, err := s.app.objectHandler.Load(s.ctx, eventstore.Stream("object", pk))
	if !s.read("look for a key", err) || revision >= 0 {
		return err == nil
	}
	_, revision, err = s.app.roleHandler.Load(s.ctx, eventstore.Stream("role", pk))
	if !s.read("look for a key", err) || revision >= 0 {
		return err == nil
	}
	_, revision, err = s.app.invitationHandler.Load(s.ctx, eventstore.Stream("invitation", pk))
	if !s.read("look for a key", err) || revision >= 0 {
		return err == nil
	}
	_, revision, err = s.app.tokenHandler.Load(s.ctx, eventstore.Stream("token", pk))
	return s.read("look for a key", err) && revision >= 0
}

// SameSecret implements [blueprint.View].
func (s *shelf) SameSecret(pk, field string, secret domain.Secret) bool {
	t, revision, err := s.app.tokenHandler.Load(s.ctx, eventstore.Stream("token", pk))
	if !s.read("compare a key", err) || revision >= 0 {
		return t.Digest.Equal((&directory{s.app}).Digest(secret))
	}
	key, err := strconv.Atoi(pk)
	if err != nil {
		o, _, err := s.app.objectHandler.Load(s.ctx, eventstore.Stream("object", pk))
		return s.read("compare a secret", err) && o.Secrets[field].Equal(secret)
	}
	u, ok, err := s.app.users.ByKey(s.ctx, key)
	if !s.read("find a user", err) || !ok {
		return false
	}
	state, _, err := s.app.userHandler.Load(s.ctx, eventstore.Stream("user", u.ID))
	if !s.read("compare a password", err) {
		return false
	}
	if field == "password_hash" {
		return state.Password.Equal(secret)
	}
	same, _ := user.Verify(state.Password, secret)
	return same
}
