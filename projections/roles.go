package projections

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Roles are the roles that there are, what they permit, and which users and
// groups have them.
type Roles struct {
	uncached
	views *Views
}

// NewRoles makes the read model. It asks the tables of [Groups], too.
func NewRoles(v *Views) *Roles { return &Roles{views: v} }

// Name implements [Projection].
func (*Roles) Name() string { return "roles" }

// Schema implements [Projection].
func (*Roles) Schema() string {
	return `-- 1
		CREATE TABLE roles(
			id     TEXT PRIMARY KEY,
			name   TEXT NOT NULL,
			folded TEXT NOT NULL
		) WITHOUT ROWID;
		CREATE INDEX roles_by_name ON roles(name);
		CREATE TABLE roles_permissions(
			id         TEXT NOT NULL,
			permission TEXT NOT NULL,
			PRIMARY KEY(id, permission)
		) WITHOUT ROWID;
		CREATE INDEX roles_by_permission ON roles_permissions(permission);
		CREATE TABLE roles_users(
			holder TEXT NOT NULL,
			id     TEXT NOT NULL,
			PRIMARY KEY(holder, id)
		) WITHOUT ROWID;
		CREATE INDEX roles_by_user ON roles_users(id);
		CREATE TABLE roles_groups(
			holder TEXT NOT NULL,
			id     TEXT NOT NULL,
			PRIMARY KEY(holder, id)
		) WITHOUT ROWID;
		CREATE INDEX roles_by_group ON roles_groups(id)`
}

// Needs implements [Projection].
func (*Roles) Needs(e eventstore.Recorded) Need {
	switch {
	case e.Stream.Category() == "role", e.Type == "UserRolesChanged", e.Type == "UserDeleted",
		e.Type == "GroupRolesChanged", e.Type == "GroupDeleted":
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (*Roles) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case role.RoleCreated:
		return exec(conn, "INSERT OR REPLACE INTO roles(id, name, folded) VALUES(?, ?, ?)", id, event.Name, fold(event.Name))
	case role.RoleRenamed:
		return exec(conn, "UPDATE roles SET name = ?, folded = ? WHERE id = ?", event.To, fold(event.To), id)
	case role.RolePermissionsChanged:
		return each(conn, pairs(id, event.Added, event.Removed),
			"INSERT OR IGNORE INTO roles_permissions(id, permission) VALUES(?, ?)", "DELETE FROM roles_permissions WHERE id = ? AND permission = ?")
	case role.RoleDeleted:
		return dropRole(conn, id)
	case user.UserRolesChanged:
		return each(conn, pairs(id, event.Added, event.Removed),
			"INSERT OR IGNORE INTO roles_users(holder, id) VALUES(?, ?)", "DELETE FROM roles_users WHERE holder = ? AND id = ?")
	case group.GroupRolesChanged:
		return each(conn, pairs(id, event.Added, event.Removed),
			"INSERT OR IGNORE INTO roles_groups(holder, id) VALUES(?, ?)", "DELETE FROM roles_groups WHERE holder = ? AND id = ?")
	case user.UserDeleted:
		return exec(conn, "DELETE FROM roles_users WHERE holder = ?", id)
	case group.GroupDeleted:
		return exec(conn, "DELETE FROM roles_groups WHERE holder = ?", id)
	}
	return nil
}

// A pair is a row of two columns that comes or goes.
type pair struct {
	left, right string
	goes        bool
}

// pairs are the rows of one left column.
func pairs(left string, added, removed []string) []pair {
	var out []pair
	for _, right := range added {
		out = append(out, pair{left: left, right: right})
	}
	for _, right := range removed {
		out = append(out, pair{left: left, right: right, goes: true})
	}
	return out
}

// each runs one of two statements for each row.
func each(conn *sqlite.Conn, rows []pair, add, remove string) error {
	for _, p := range rows {
		q := add
		if p.goes {
			q = remove
		}
		if err := exec(conn, q, p.left, p.right); err != nil {
			return err
		}
	}
	return nil
}

func dropRole(conn *sqlite.Conn, id string) error {
	for _, q := range []string{
		"DELETE FROM roles WHERE id = ?", "DELETE FROM roles_permissions WHERE id = ?",
		"DELETE FROM roles_users WHERE id = ?", "DELETE FROM roles_groups WHERE id = ?",
	} {
		if err := exec(conn, q, id); err != nil {
			return err
		}
	}
	return nil
}
