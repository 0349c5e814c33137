package main

import (
	"context"

	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/projections"
)

// Roles implements adminapi.Roles.
func (d *directory) Roles(ctx context.Context, f adminapi.RoleFilter, descending bool, p adminapi.Page) ([]adminapi.Role, int, error) {
	found, total, err := d.app.roles.List(ctx, projections.RoleFilter(f), descending, page(p))
	return rolesOf(found), total, err
}

// Role implements adminapi.Roles.
func (d *directory) Role(ctx context.Context, id string) (adminapi.Role, bool, error) {
	r, ok, err := d.app.roles.Role(ctx, id)
	return adminapi.Role(r), ok, err
}

// Granted implements adminapi.Roles.
func (d *directory) Granted(ctx context.Context, user string) ([]string, error) {
	return d.app.roles.Granted(ctx, user)
}

// Conferred implements adminapi.Roles.
func (d *directory) Conferred(ctx context.Context, groups ...string) (superuser bool, permissions []string, err error) {
	return d.app.roles.Conferred(ctx, groups...)
}

// rolesOf are roles as the administration API has them.
func rolesOf(found []projections.Role) []adminapi.Role {
	var out []adminapi.Role
	for _, r := range found {
		out = append(out, adminapi.Role(r))
	}
	return out
}

// holdUsers fills in which roles users have themselves, with one query for all.
func (d *directory) holdUsers(ctx context.Context, users []adminapi.User) error {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	held, err := d.app.roles.Held(ctx, ids...)
	for i, u := range users {
		users[i].Roles = rolesOf(held[u.ID])
	}
	return err
}

// holdGroups is holdUsers for groups.
func (d *directory) holdGroups(ctx context.Context, groups []adminapi.Group) error {
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	held, err := d.app.roles.Held(ctx, ids...)
	for i, g := range groups {
		groups[i].Roles = rolesOf(held[g.ID])
	}
	return err
}
