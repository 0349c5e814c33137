package projections

import (
	"cmp"
	"context"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Groups are the groups that there are, with their members and parents.
type Groups struct {
	uncached
	views *Views
}

// NewGroups makes the read model.
func NewGroups(v *Views) *Groups { return &Groups{views: v} }

// Name implements [Projection].
func (*Groups) Name() string { return "groups" }

// Schema implements [Projection].
func (*Groups) Schema() string {
	return `-- 2
		CREATE TABLE groups(
			id         TEXT PRIMARY KEY,
			name       TEXT NOT NULL,
			folded     TEXT NOT NULL,
			superuser  INTEGER NOT NULL,
			attributes TEXT NOT NULL
		) WITHOUT ROWID;
		CREATE INDEX groups_by_name ON groups(name);
		CREATE INDEX groups_by_superuser ON groups(id) WHERE superuser;
		CREATE TABLE groups_parents(
			id     TEXT NOT NULL,
			parent TEXT NOT NULL,
			place  INTEGER NOT NULL,
			PRIMARY KEY(id, parent)
		) WITHOUT ROWID;
		CREATE INDEX groups_by_parent ON groups_parents(parent);
		CREATE TABLE groups_members(
			id   TEXT NOT NULL,
			user TEXT NOT NULL,
			PRIMARY KEY(id, user)
		) WITHOUT ROWID;
		CREATE INDEX groups_by_member ON groups_members(user)`
}

// Needs implements [Projection].
func (*Groups) Needs(e eventstore.Recorded) Need {
	switch e.Stream.Category() {
	case "group":
		return Sealed
	case "user":
		return Clear
	}
	return Nothing
}

// Apply implements [Projection].
func (g *Groups) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case group.GroupCreated:
		err := exec(conn, "INSERT OR REPLACE INTO groups(id, name, folded, superuser, attributes) VALUES(?, ?, ?, ?, '{}')",
			id, event.Name, fold(event.Name), event.Superuser)
		if err != nil {
			return err
		}
		return setParents(conn, id, event.Parents)
	case group.GroupRenamed:
		return exec(conn, "UPDATE groups SET name = ?, folded = ? WHERE id = ?", event.To, fold(event.To), id)
	case group.GroupSuperuserChanged:
		return exec(conn, "UPDATE groups SET superuser = ? WHERE id = ?", event.To, id)
	case group.GroupAttributesChanged:
		attributes, err := jsonOf(event.Set)
		if err != nil {
			return err
		}
		return exec(conn, "UPDATE groups SET attributes = ? WHERE id = ?", attributes, id)
	case group.GroupParentsChanged:
		return setParents(conn, id, event.To)
	case group.GroupMemberAdded:
		return exec(conn, "INSERT OR IGNORE INTO groups_members(id, user) VALUES(?, ?)", id, event.User)
	case group.GroupMemberRemoved:
		return exec(conn, "DELETE FROM groups_members WHERE id = ? AND user = ?", id, event.User)
	case group.GroupDeleted:
		return dropGroup(conn, id)
	case user.UserDeleted:
		return exec(conn, "DELETE FROM groups_members WHERE user = ?", id)
	}
	return nil
}

func setParents(conn *sqlite.Conn, id string, parents []string) error {
	if err := exec(conn, "DELETE FROM groups_parents WHERE id = ?", id); err != nil {
		return err
	}
	for place, parent := range parents {
		err := exec(conn, "INSERT OR IGNORE INTO groups_parents(id, parent, place) VALUES(?, ?, ?)", id, parent, place)
		if err != nil {
			return err
		}
	}
	return nil
}

func dropGroup(conn *sqlite.Conn, id string) error {
	for _, q := range []string{
		"DELETE FROM groups WHERE id = ?", "DELETE FROM groups_parents WHERE ? IN (id, parent)", "DELETE FROM groups_members WHERE id = ?",
	} {
		if err := exec(conn, q, id); err != nil {
			return err
		}
	}
	return nil
}

// A Group is a group as lists show it.
type Group struct {
	ID         string
	Name       string
	Superuser  bool
	Parents    []string // ids, in their order
	Children   []string // ids, by name
	Members    []string // ids of the direct members who exist, by key
	Keys       []int    // of the members, in the same order
	Attributes map[string]any
	Inherited  bool // the user who was asked about is in it by a group below it only
}

// A GroupFilter says which groups are wanted. What is empty does not matter.
type GroupFilter struct {
	ID, Name  string
	Search    string // part of the name
	Superuser *bool
	Members   []string // ids of direct members, any of them
	// Attributes are by path, with __ between the keys.
	Attributes map[string]any
	Role       string // id of a role that it has itself
}

// List returns the groups that f wants, by name, and how many there are on all
// pages.
func (g *Groups) List(ctx context.Context, f GroupFilter, descending bool, p Page) ([]Group, int, error) {
	var w where
	w.equal("id", f.ID)
	w.equal("name", f.Name)
	w.search(f.Search, "folded")
	if f.Superuser != nil {
		w.add("superuser = ?", *f.Superuser)
	}
	var in where
	if in.oneOf("user", f.Members); len(f.Members) > 0 {
		w.add("id IN (SELECT id FROM groups_members"+in.sql()+")", in.args...)
	}
	if err := w.attributes(f.Attributes); err != nil {
		return nil, 0, err
	}
	if f.Role != "" {
		w.add("id IN (SELECT holder FROM roles_groups WHERE id = ?)", f.Role)
	}
	groups, total, err := g.list(ctx, &w, descending, p)
	return g.filled(ctx, groups, total, err)
}

// Lookup is [Groups.List] for look-ups of Django's, by field.
func (g *Groups) Lookup(ctx context.Context, by map[string]any, p Page) ([]Group, int, error) {
	w := &where{}
	if err := w.lookups(by, groupLookups); err != nil {
		return nil, 0, err
	}
	groups, total, err := g.list(ctx, w, false, p)
	return g.filled(ctx, groups, total, err)
}

// list reads groups, but not who is in them.
func (g *Groups) list(ctx context.Context, w *where, descending bool, p Page) ([]Group, int, error) {
	total, err := g.views.count(ctx, "groups", "SELECT count(*) FROM groups"+w.sql(), w.args)
	if err != nil || p.behind(total) {
		return nil, total, err
	}
	var groups []Group
	q := "SELECT * FROM groups" + w.sql() + " ORDER BY name" + direction(descending) + ", id" + p.sql()
	err = g.views.read(ctx, "groups", q, w.args, func(s *sqlite.Stmt) error {
		attributes, err := mapAt(s, "attributes")
		groups = append(groups, Group{
			ID: s.GetText("id"), Name: s.GetText("name"), Superuser: s.GetBool("superuser"), Attributes: attributes,
		})
		return err
	})
	for i := range groups {
		if err == nil {
			err = g.relatives(ctx, &groups[i])
		}
	}
	return groups, total, err
}

// filled fills in who is in some groups.
func (g *Groups) filled(ctx context.Context, groups []Group, total int, err error) ([]Group, int, error) {
	for i := range groups {
		if err == nil {
			err = g.members(ctx, &groups[i])
		}
	}
	return groups, total, err
}

// relatives fills in what is above and below a group.
func (g *Groups) relatives(ctx context.Context, of *Group) error {
	for _, part := range []struct {
		to    *[]string
		query string
	}{
		{&of.Parents, "SELECT parent FROM groups_parents WHERE id = ? ORDER BY place"},
		{&of.Children, "SELECT g.id FROM groups_parents p JOIN groups g ON g.id = p.id WHERE p.parent = ? ORDER BY g.name, g.id"},
	} {
		err := g.views.read(ctx, "relatives of group "+of.ID, part.query, []any{of.ID}, func(s *sqlite.Stmt) error {
			*part.to = append(*part.to, s.ColumnText(0))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// members fills in who is in a group, by key. There may be ten thousand, so
// their keys come from an index that holds nothing else.
func (g *Groups) members(ctx context.Context, of *Group) error {
	type member struct {
		id  string
		key int
	}
	var found []member
	err := g.views.read(ctx, "members of group "+of.ID,
		"SELECT u.id, u.key FROM groups_members m JOIN users u INDEXED BY users_keys ON u.id = m.user WHERE m.id = ?", []any{of.ID},
		func(s *sqlite.Stmt) error {
			found = append(found, member{s.ColumnText(0), s.ColumnInt(1)})
			return nil
		})
	slices.SortFunc(found, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	for _, m := range found {
		of.Members, of.Keys = append(of.Members, m.id), append(of.Keys, m.key)
	}
	return err
}

// Bare returns a group without its members, who may be many, and false if
// there is none.
func (g *Groups) Bare(ctx context.Context, id string) (Group, bool, error) {
	w := &where{}
	w.add("id = ?", id)
	found, _, err := g.list(ctx, w, false, Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return Group{}, false, err
	}
	return found[0], true, nil
}

// Group returns a group, and false if there is none.
func (g *Groups) Group(ctx context.Context, id string) (Group, bool, error) {
	if id == "" {
		return Group{}, false, nil
	}
	found, _, err := g.List(ctx, GroupFilter{ID: id}, false, Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return Group{}, false, err
	}
	return found[0], true, nil
}
