package projections

import (
	"context"
	"encoding/json"

	"zombiezen.com/go/sqlite"
)

// A Role is a role as lists show it.
type Role struct {
	ID          string
	Name        string
	Permissions []string // app.codename, sorted
}

// A RoleFilter says which roles are wanted. What is empty does not matter.
type RoleFilter struct {
	ID, Name    string
	Search      string   // part of the name
	User, Group string   // id of who has it
	Inherited   bool     // by a group of the user, or one above, too
	Permissions []string // any of them
}

// above are groups, given as a list, with those above them. UNION ends circles
// among groups.
const above = `WITH RECURSIVE above(id) AS (
	SELECT value FROM json_each(?) UNION SELECT p.parent FROM groups_parents p JOIN above ON p.id = above.id
) `

// joined are the groups of a user, with those above them.
const joined = `WITH RECURSIVE above(id) AS (
	SELECT id FROM groups_members WHERE user = ? UNION SELECT p.parent FROM groups_parents p JOIN above ON p.id = above.id
) `

// byGroup are the roles of the groups that are above.
const byGroup = "SELECT id FROM roles_groups WHERE holder IN (SELECT id FROM above)"

// List returns the roles that f wants, by name, and how many there are on all
// pages.
func (r *Roles) List(ctx context.Context, f RoleFilter, descending bool, p Page) ([]Role, int, error) {
	w, err := f.where()
	if err != nil {
		return nil, 0, err
	}
	total, err := r.views.count(ctx, "roles", "SELECT count(*) FROM roles"+w.sql(), w.args)
	if err != nil {
		return nil, 0, err
	}
	q := "SELECT id, name FROM roles" + w.sql() + " ORDER BY name" + direction(descending) + ", id" + p.sql()
	roles, err := r.read(ctx, q, w.args)
	return roles, total, err
}

func (f RoleFilter) where() (*where, error) {
	w := &where{}
	w.equal("id", f.ID)
	w.equal("name", f.Name)
	w.search(f.Search, "folded")
	var in where
	if in.oneOf("permission", f.Permissions); len(f.Permissions) > 0 {
		w.add("id IN (SELECT id FROM roles_permissions"+in.sql()+")", in.args...)
	}
	switch {
	case f.User != "" && f.Inherited:
		w.add("(id IN (SELECT id FROM roles_users WHERE holder = ?) OR id IN ("+joined+byGroup+"))", f.User, f.User)
	case f.User != "":
		w.add("id IN (SELECT id FROM roles_users WHERE holder = ?)", f.User)
	}
	switch {
	case f.Group != "" && f.Inherited:
		list, err := json.Marshal([]string{f.Group})
		if err != nil {
			return nil, err
		}
		w.add("id IN ("+above+byGroup+")", string(list))
	case f.Group != "":
		w.add("id IN (SELECT id FROM roles_groups WHERE holder = ?)", f.Group)
	}
	return w, nil
}

// read returns roles with their permissions.
func (r *Roles) read(ctx context.Context, q string, args []any) ([]Role, error) {
	var roles []Role
	err := r.views.read(ctx, "roles", q, args, func(s *sqlite.Stmt) error {
		roles = append(roles, Role{ID: s.GetText("id"), Name: s.GetText("name")})
		return nil
	})
	for i := range roles {
		if err != nil {
			break
		}
		roles[i].Permissions, err = r.names(ctx, "SELECT permission FROM roles_permissions WHERE id = ? ORDER BY permission", roles[i].ID)
	}
	return roles, err
}

// names returns a column of texts.
func (r *Roles) names(ctx context.Context, q string, args ...any) ([]string, error) {
	var out []string
	err := r.views.read(ctx, "roles", q, args, func(s *sqlite.Stmt) error {
		out = append(out, s.ColumnText(0))
		return nil
	})
	return out, err
}

// Role returns a role, and false if there is none.
func (r *Roles) Role(ctx context.Context, id string) (Role, bool, error) {
	found, err := r.read(ctx, "SELECT id, name FROM roles WHERE id = ?", []any{id})
	if err != nil || len(found) == 0 {
		return Role{}, false, err
	}
	return found[0], true, nil
}

// Granted returns what a user may do by roles: their own, and those of the
// groups that they are in, by a parent or themselves. It is asked at every
// request, so it is one query of a few look-ups.
func (r *Roles) Granted(ctx context.Context, user string) ([]string, error) {
	return r.names(ctx, joined+`SELECT DISTINCT permission FROM roles_permissions WHERE id IN (
		SELECT id FROM roles_users WHERE holder = ? UNION `+byGroup+`)`, user, user)
}

// Conferred returns what members of any of these groups may do by their
// membership: everything, or the permissions of the groups' roles and of those
// above.
func (r *Roles) Conferred(ctx context.Context, groups ...string) (superuser bool, permissions []string, err error) {
	list, err := json.Marshal(groups)
	if err != nil {
		return false, nil, err
	}
	crowned, err := r.names(ctx, above+"SELECT id FROM groups JOIN above USING(id) WHERE superuser LIMIT 1", string(list))
	if err != nil {
		return false, nil, err
	}
	permissions, err = r.names(ctx, above+"SELECT DISTINCT permission FROM roles_permissions WHERE id IN ("+byGroup+")", string(list))
	return len(crowned) > 0, permissions, err
}

// Held returns the roles of users and groups, by the holder's id and by name.
// What they have by a group is not counted.
func (r *Roles) Held(ctx context.Context, holders ...string) (map[string][]Role, error) {
	list, err := json.Marshal(holders)
	if err != nil {
		return nil, err
	}
	out := map[string][]Role{}
	for _, table := range []string{"roles_users", "roles_groups"} {
		q := "SELECT holder, id, name FROM " + table + " JOIN roles USING(id) WHERE holder IN (SELECT value FROM json_each(?)) ORDER BY name, id"
		err := r.views.read(ctx, "roles", q, []any{string(list)}, func(s *sqlite.Stmt) error {
			holder := s.GetText("holder")
			out[holder] = append(out[holder], Role{ID: s.GetText("id"), Name: s.GetText("name")})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
