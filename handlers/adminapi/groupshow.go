package adminapi

import (
	"context"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// numeric is the number that the contract derives from a group's key, for
// programs that want one: the first five digits of the key as a number.
func numeric(id string) int {
	key, err := uuid.Parse(id)
	if err != nil {
		return 0
	}
	digits := new(big.Int).SetBytes(key[:]).String()
	n, _ := strconv.Atoi(digits[:min(5, len(digits))])
	return n
}

// partialGroup is a group as other things show one.
func partialGroup(g Group) map[string]any {
	return map[string]any{
		"pk": g.ID, "num_pk": numeric(g.ID), "name": g.Name, "is_superuser": g.Superuser, "attributes": attributes(g.Attributes),
	}
}

// fullGroup is a group as the list of groups shows one. The query says which
// relatives are wanted in full.
func (s *Server) fullGroup(ctx context.Context, q url.Values, g Group) (map[string]any, error) {
	out := partialGroup(g)
	out["users"], out["users_obj"] = append([]int{}, g.Keys...), nil
	var err error
	if include := boolParam(q, "include_users"); include == nil || *include {
		if out["users_obj"], err = s.membersOf(ctx, g); err != nil {
			return nil, err
		}
	}
	out["parents"], out["children"] = listed(g.Parents), listed(g.Children)
	out["parents_obj"], out["children_obj"] = nil, nil
	for name, ids := range map[string][]string{"parents": g.Parents, "children": g.Children} {
		if include := boolParam(q, "include_"+name); include == nil || !*include {
			continue
		}
		if out[name+"_obj"], err = s.related(ctx, ids); err != nil {
			return nil, err
		}
	}
	maps.Copy(out, map[string]any{"roles": roleIDs(g.Roles), "roles_obj": shownRoles(g.Roles), "inherited_roles_obj": nil})
	if include := boolParam(q, "include_inherited_roles"); include != nil && *include {
		if out["inherited_roles_obj"], err = s.inheritedRoles(ctx, g); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// inheritedRoles shows the roles that members have by groups above this one.
func (s *Server) inheritedRoles(ctx context.Context, g Group) ([]any, error) {
	found, _, err := s.Roles.Roles(ctx, RoleFilter{Group: g.ID, Inherited: true}, false, Page{})
	own := roleIDs(g.Roles)
	return shownRoles(slices.DeleteFunc(found, func(r Role) bool { return slices.Contains(own, r.ID) })), err
}

// maxMembers is how many members of a group are shown in full. Their keys are
// all there, for clients read that list, change it and write it back; more of
// the members is in the list of users, which has pages.
const maxMembers = 100

// membersOf shows the first members of a group.
func (s *Server) membersOf(ctx context.Context, g Group) ([]any, error) {
	shown := []any{}
	if len(g.Keys) == 0 {
		return shown, nil
	}
	found, _, err := s.People.Users(ctx, UserFilter{Keys: g.Keys[:min(len(g.Keys), maxMembers)], Bare: true}, "pk", Page{})
	for _, u := range found {
		shown = append(shown, partialUser(u))
	}
	return shown, err
}

// related shows parents or children of a group. One that was removed in
// between is left out.
func (s *Server) related(ctx context.Context, ids []string) ([]any, error) {
	out := []any{}
	for _, id := range ids {
		g, ok, err := s.People.Group(ctx, id)
		if err != nil {
			return nil, err
		}
		if ok {
			shown := partialGroup(g)
			delete(shown, "num_pk")
			shown["group_uuid"] = g.ID
			out = append(out, shown)
		}
	}
	return out, nil
}

// listed is a list on the wire, never null.
func listed(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
