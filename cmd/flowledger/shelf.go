package main

import (
	"context"
	"strconv"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/projections"
)

// shelf is what exists, as imports look at it.
type shelf struct{ app *app }

// Get implements [blueprint.View].
func (s *shelf) Get(ref, pk string) (blueprint.Object, bool) {
	ctx := context.Background()
	for _, k := range catalog.All() {
		if !k.Match(ref) {
			continue
		}
		switch k.Category {
		case catalog.User:
			key, _ := strconv.Atoi(pk)
			u, ok, err := s.app.users.ByKey(ctx, key)
			return s.user(ctx, u), ok && err == nil
		case catalog.Group:
			g, ok, err := s.app.groups.Group(ctx, pk)
			return s.group(ctx, g), ok && err == nil
		}
		if t, ok := s.app.objects.Thing(pk); ok && t.Kind == k.Model {
			return thing(t), true
		}
	}
	return blueprint.Object{}, false
}

// All implements [blueprint.View].
func (s *shelf) All(model string) []blueprint.Object {
	ctx := context.Background()
	var out []blueprint.Object
	switch model {
	case object.UserModel:
		users, _, err := s.app.users.List(ctx, projections.UserFilter{}, "pk", projections.Page{})
		if err != nil {
			s.app.log.Error("list users for an import", "error", err)
		}
		for _, u := range users {
			out = append(out, s.user(ctx, u))
		}
	case object.GroupModel:
		groups, _, err := s.app.groups.List(ctx, projections.GroupFilter{}, false, projections.Page{})
		if err != nil {
			s.app.log.Error("list groups for an import", "error", err)
		}
		for _, g := range groups {
			out = append(out, s.group(ctx, g))
		}
	default:
		for _, t := range s.app.objects.Kind(model) {
			out = append(out, thing(t))
		}
	}
	return out
}

func thing(t object.Thing) blueprint.Object {
	return blueprint.Object{Model: t.Kind, PK: t.ID, Fields: t.Fields}
}

func (s *shelf) user(ctx context.Context, u projections.User) blueprint.Object {
	groups, err := (&people{app: s.app}).GroupsOf(ctx, u.ID)
	if err != nil {
		s.app.log.Error("list the groups of a user for an import", "user", u.ID, "error", err)
	}
	return blueprint.Object{Model: object.UserModel, PK: strconv.Itoa(u.Key), Fields: map[string]any{
		"username": u.Username, "name": u.Name, "email": u.Email, "is_active": u.Active, "type": u.Type, "path": u.Path,
		"attributes": u.Attributes, "groups": list(groups),
	}}
}

func (s *shelf) group(ctx context.Context, g projections.Group) blueprint.Object {
	members := []any{}
	for _, id := range g.Members {
		u, ok, err := s.app.users.ByID(ctx, id)
		if err == nil && ok {
			members = append(members, int64(u.Key))
		}
	}
	return blueprint.Object{Model: object.GroupModel, PK: g.ID, Fields: map[string]any{
		"name": g.Name, "is_superuser": g.Superuser, "attributes": g.Attributes, "parents": list(g.Parents), "users": members,
	}}
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
	_, revision, err := s.app.objectHandler.Load(context.Background(), eventstore.Stream("object", pk))
	return err == nil && revision >= 0
}

// SameSecret implements [blueprint.View].
func (s *shelf) SameSecret(pk, field string, secret domain.Secret) bool {
	ctx := context.Background()
	key, err := strconv.Atoi(pk)
	if err != nil {
		o, _, err := s.app.objectHandler.Load(ctx, eventstore.Stream("object", pk))
		return err == nil && o.Secrets[field].Equal(secret)
	}
	u, ok, err := s.app.users.ByKey(ctx, key)
	if err != nil || !ok {
		return false
	}
	state, _, err := s.app.userHandler.Load(ctx, eventstore.Stream("user", u.ID))
	if err != nil {
		return false
	}
	if field == "password_hash" {
		return state.Password.Equal(secret)
	}
	same, _ := user.Verify(state.Password, secret)
	return same
}
