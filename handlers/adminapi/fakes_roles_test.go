package adminapi_test

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

func init() {
	codec.Register[role.RoleCreated](1)
	codec.Register[role.RoleRenamed](1)
	codec.Register[role.RolePermissionsChanged](1)
	codec.Register[role.RoleDeleted](1)
	codec.Register[user.UserRolesChanged](1)
	codec.Register[group.GroupRolesChanged](1)
}

// Roles implements [adminapi.Roles].
func (v *views) Roles(ctx context.Context, f adminapi.RoleFilter, descending bool, p adminapi.Page) ([]adminapi.Role, int, error) {
	var wanted []string
	switch {
	case f.User != "" && f.Inherited:
		wanted = append(slices.Clone(v.now().users[f.User].Roles), v.byGroups(v.groupsOf(f.User)...)...)
	case f.User != "":
		wanted = v.now().users[f.User].Roles
	case f.Group != "" && f.Inherited:
		wanted = v.byGroups(f.Group)
	case f.Group != "":
		wanted = v.now().groups[f.Group].Roles
	}
	var out []adminapi.Role
	for _, id := range slices.Sorted(maps.Keys(v.now().roles)) {
		r, ok, _ := v.Role(ctx, id)
		has := func(p string) bool { return slices.Contains(r.Permissions, p) }
		switch {
		case !ok, f.User+f.Group != "" && !slices.Contains(wanted, id), f.Name != "" && f.Name != r.Name:
		case !strings.Contains(r.Name, f.Search), f.ID != "" && f.ID != id:
		case len(f.Permissions) > 0 && !slices.ContainsFunc(f.Permissions, has):
		default:
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b adminapi.Role) int {
		if descending {
			a, b = b, a
		}
		return strings.Compare(a.Name, b.Name)
	})
	return cut(out, p), len(out), nil
}

// Role implements [adminapi.Roles].
func (v *views) Role(_ context.Context, id string) (adminapi.Role, bool, error) {
	s := v.now().roles[id]
	return adminapi.Role{ID: id, Name: s.Name, Permissions: s.Permissions}, s.Status == role.Present, nil
}

// Granted implements [adminapi.Roles].
func (v *views) Granted(_ context.Context, id string) ([]string, error) {
	return v.permitted(append(slices.Clone(v.now().users[id].Roles), v.byGroups(v.groupsOf(id)...)...)), nil
}

// Conferred implements [adminapi.Roles].
func (v *views) Conferred(_ context.Context, groups ...string) (superuser bool, permissions []string, err error) {
	for _, id := range v.upwards(groups...) {
		superuser = superuser || v.now().groups[id].Superuser
	}
	return superuser, v.permitted(v.byGroups(groups...)), nil
}

// groupsOf are the groups with this member.
func (v *views) groupsOf(id string) []string {
	var out []string
	for gid, g := range v.now().groups {
		if g.Status == group.Present && slices.Contains(g.Members.List(), id) {
			out = append(out, gid)
		}
	}
	return out
}

// upwards are groups and those above them.
func (v *views) upwards(groups ...string) []string {
	var out []string
	for len(groups) > 0 {
		if id := groups[0]; !slices.Contains(out, id) {
			out = append(out, id)
			groups = append(groups, v.now().groups[id].Parents...)
		}
		groups = groups[1:]
	}
	return out
}

// byGroups are the roles of groups and those above them.
func (v *views) byGroups(groups ...string) []string {
	var out []string
	for _, id := range v.upwards(groups...) {
		out = append(out, v.now().groups[id].Roles...)
	}
	return out
}

func (v *views) permitted(roles []string) []string {
	var out []string
	for _, id := range roles {
		out = append(out, v.now().roles[id].Permissions...)
	}
	return out
}

// held are roles by their ids.
func (v *views) held(ids []string) []adminapi.Role {
	var out []adminapi.Role
	for _, id := range ids {
		if r, ok, _ := v.Role(context.Background(), id); ok {
			out = append(out, r)
		}
	}
	return out
}
