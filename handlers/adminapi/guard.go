package adminapi

import (
	"context"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/session"
)

// The guards of this file keep whoever is no superuser from becoming one, or
// from acting as somebody who may do more. A permission to write users, groups
// or roles is good for those alone that may do nothing beyond what the caller
// may do. What the guards cannot hold against is a permission to write flows
// (see package role).

// beyondCaller is the refusal of all guards.
func beyondCaller(what string) error {
	return domain.Errorf(domain.Forbidden, "%s may do what you may not. Only somebody who may do all of it can change this.", what)
}

// covers tells whether the caller may do all that is granted.
func covers(c session.Caller, granted []string) bool {
	return !slices.ContainsFunc(granted, func(permission string) bool { return !c.May(permission) })
}

// overUser refuses to change, or to give a way in to, a user who may do what
// the caller may not: whoever has the password or the mailbox is that user.
func (s *Server) overUser(ctx context.Context, c session.Caller, u User) error {
	if c.Superuser {
		return nil
	}
	granted, err := s.Roles.Granted(ctx, u.ID)
	if err != nil {
		return err
	}
	if u.Superuser || !covers(c, granted) {
		return beyondCaller("This user")
	}
	return nil
}

// overGroups refuses to change groups, or who is in them, whose members may do
// what the caller may not, by the group or by one above it.
func (s *Server) overGroups(ctx context.Context, c session.Caller, ids ...string) error {
	if c.Superuser || len(ids) == 0 {
		return nil
	}
	superuser, granted, err := s.Roles.Conferred(ctx, ids...)
	if err != nil {
		return err
	}
	if superuser || !covers(c, granted) {
		return beyondCaller("Members of this group")
	}
	return nil
}

// overRoles refuses to change roles, or who has them, that permit what the
// caller may not do.
func (s *Server) overRoles(ctx context.Context, c session.Caller, ids ...string) error {
	if c.Superuser {
		return nil
	}
	for _, id := range ids {
		r, _, err := s.Roles.Role(ctx, id)
		if err != nil {
			return err
		}
		if !covers(c, r.Permissions) {
			return beyondCaller("Whoever has this role")
		}
	}
	return nil
}

// mayGrant refuses permissions that the caller does not have.
func mayGrant(c session.Caller, permissions []string) error {
	for _, p := range permissions {
		if !c.May(p) {
			return domain.Errorf(domain.Forbidden, "You do not have the permission %s, so you can neither give it nor take it.", cut(p))
		}
	}
	return nil
}

// mayRelease refuses to remove a user or a group with whom something else would
// go, or change, that the caller may not remove or change: a binding to a group
// may be all that keeps others out of a flow.
func (s *Server) mayRelease(c session.Caller, k catalog.Kind, key any) error {
	for _, u := range s.uses(k, key) {
		verb := "change"
		if u.cascades() {
			verb = "delete"
		}
		if needed := u.kind.App() + "." + verb + "_" + u.kind.Base(); !c.May(needed) {
			return domain.Errorf(domain.Forbidden, "%s %q refers to this, and you do not have the permission %s.", u.kind.Name, s.label(u.thing), needed)
		}
	}
	return nil
}

// differing returns what is in one of two lists only.
func differing(a, b []string) []string {
	var out []string
	for _, id := range a {
		if !slices.Contains(b, id) {
			out = append(out, id)
		}
	}
	for _, id := range b {
		if !slices.Contains(a, id) {
			out = append(out, id)
		}
	}
	return out
}
