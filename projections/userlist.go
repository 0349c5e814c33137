package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
)

// A UserFilter says which users are wanted. What is empty does not matter.
type UserFilter struct {
	ID, Username, Name, Email string
	Search                    string // words of username, name, e-mail or id
	Active, Superuser         *bool
	Types                     []string
	Path, PathStart           string
	Groups, GroupNames        []string       // any of them, direct members only
	Roles, RoleNames          []string       // any of them, not by a group
	Attributes                map[string]any // by path, with __ between the keys
	Keys                      []int          // any of them
	Bare                      bool           // it does not matter what they belong to
	// Times are bounds, by date_joined, last_login or last_updated: exact, or
	// with __gt or __lt for later and earlier.
	Times   map[string]time.Time
	NoLogin *bool // whether they never logged in
}

// userOrder are the columns that lists can be ordered by, as the contract
// names them.
var userOrder = map[string]string{
	"username": "username", "name": "name", "email": "email", "is_active": "active", "path": "path", "type": "type",
	"pk": "key", "id": "key", "uuid": "id", "date_joined": "joined", "last_updated": "updated", "last_login": "last_login",
	"password_change_date": "password_changed",
}

// List returns the users that f wants, and how many there are on all pages.
// Order is a field of the contract, with a minus in front to turn it around;
// one that is unknown orders by user name.
func (u *Users) List(ctx context.Context, f UserFilter, order string, p Page) ([]User, int, error) {
	w, err := f.where()
	if err != nil {
		return nil, 0, err
	}
	return u.list(ctx, w, order, p)
}

// Lookup returns the people whom look-ups of Django's want, by field, ordered
// by key, and how many there are on all pages.
func (u *Users) Lookup(ctx context.Context, by map[string]any, p Page) ([]user.Person, int, error) {
	w := &where{}
	if err := w.lookups(by, userLookups); err != nil {
		return nil, 0, err
	}
	found, total, err := u.list(ctx, w, "pk", p)
	if err != nil {
		return nil, 0, err
	}
	people, err := u.people(ctx, found)
	return people, total, err
}

func (u *Users) list(ctx context.Context, w *where, order string, p Page) ([]User, int, error) {
	w, total, err := u.found(ctx, w)
	if err != nil || p.behind(total) {
		return nil, total, err
	}
	name, descending := strings.CutPrefix(order, "-")
	column := userOrder[name]
	if column == "" {
		column = "username"
	}
	var users []User
	by := column + direction(descending) + ", key"
	if total >= few {
		w = w.along()
	}
	// First which, from the narrowest index that tells, and then what they are.
	q := columns + " WHERE id IN (SELECT id FROM users" + w.sql() + " ORDER BY " + w.through(total) + by + p.sql() + ") ORDER BY " + by
	err = u.views.read(ctx, "users", q, w.args, func(s *sqlite.Stmt) error {
		found, err := userAt(s)
		users = append(users, found)
		return err
	})
	return users, total, err
}

// found counts the users that w wants. If they are few, it returns a condition
// that names them: who they are need not be found out twice.
func (u *Users) found(ctx context.Context, w *where) (*where, int, error) {
	if len(w.conditions) > 0 {
		ids, err := u.views.ids(ctx, "users", "SELECT id FROM users"+w.sql()+fmt.Sprintf(" LIMIT %d", few), w.args...)
		if err != nil {
			return w, 0, err
		}
		if len(ids) < few {
			list, err := json.Marshal(ids)
			named := &where{}
			named.add("id IN (SELECT value FROM json_each(?))", string(list))
			return named, len(ids), err
		}
	}
	total, err := u.views.count(ctx, "users", "SELECT count(*) FROM users"+w.sql(), w.args)
	return w, total, err
}

func (f UserFilter) where() (*where, error) {
	w := &where{}
	w.equal("id", f.ID)
	w.equal("username", f.Username)
	w.equal("name", f.Name)
	w.equal("email", f.Email)
	w.equal("path", f.Path)
	w.search(f.Search, "folded")
	w.oneOf("type", f.Types)
	if f.Active != nil {
		w.add("active = ?", *f.Active)
	}
	if f.Superuser != nil {
		w.add("(id IN ("+superusers+")) = ?", *f.Superuser)
	}
	if f.PathStart != "" {
		w.add("substr(path, 1, length(?)) = ?", f.PathStart, f.PathStart)
	}
	if f.NoLogin != nil {
		w.add("(last_login = 0) = ?", *f.NoLogin)
	}
	w.times(f.Times)
	if len(f.Keys) > 0 {
		keys, err := json.Marshal(f.Keys)
		if err != nil {
			return nil, err
		}
		w.add("key IN (SELECT value FROM json_each(?))", string(keys))
	}
	w.member("id", f.Groups)
	w.member("name", f.GroupNames)
	w.holder("id", f.Roles)
	w.holder("name", f.RoleNames)
	return w, w.attributes(f.Attributes)
}

// times wants points in time within bounds. Never is not before anything.
func (w *where) times(bounds map[string]time.Time) {
	for _, name := range slices.Sorted(maps.Keys(bounds)) {
		field, how, _ := strings.Cut(name, "__")
		column := userOrder[field]
		switch how {
		case "":
			w.add(column+" = ?", micros(bounds[name]))
		case "gt":
			w.add(column+" > ?", micros(bounds[name]))
		case "lt":
			w.add(column+" <> 0 AND "+column+" < ?", micros(bounds[name]))
		}
	}
}

// Paths lists the folders that users lie in and whose names have a text in
// them, in any case.
func (u *Users) Paths(ctx context.Context, search string) (paths []string, err error) {
	var w where
	if search != "" {
		w.add("instr(lower(path), lower(?)) > 0", search)
	}
	err = u.views.read(ctx, "paths of users", "SELECT DISTINCT path FROM users"+w.sql()+" ORDER BY path", w.args, func(s *sqlite.Stmt) error {
		paths = append(paths, s.ColumnText(0))
		return nil
	})
	return paths, err
}

// member wants a membership in one of some groups.
func (w *where) member(column string, groups []string) {
	var in where
	if in.oneOf("groups."+column, groups); len(groups) > 0 {
		w.add(belongs+"SELECT user FROM groups CROSS JOIN groups_members USING(id)"+in.sql()+")", in.args...)
	}
}

// along is w for a walk along the index of the order: who belongs to something
// is then looked at on the way, and not where the way begins.
func (w *where) along() *where {
	met := &where{args: w.args}
	for _, c := range w.conditions {
		if strings.HasPrefix(c, belongs) {
			c = "+" + c
		}
		met.conditions = append(met.conditions, c)
	}
	return met
}

// belongs begins the conditions on what a user belongs to.
const belongs = "users.id IN ("

// holder wants one of some roles.
func (w *where) holder(column string, roles []string) {
	var in where
	if in.oneOf("roles."+column, roles); len(roles) > 0 {
		w.add(belongs+"SELECT holder FROM roles_users JOIN roles USING(id)"+in.sql()+")", in.args...)
	}
}

// attributes wants attributes to have values, by path.
func (w *where) attributes(values map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if strings.Contains(key, `"`) {
			return domain.Errorf(domain.Invalid, "There are no attributes with quotes in their names.")
		}
		path := "$"
		for part := range strings.SplitSeq(key, "__") {
			path += fmt.Sprintf(`."%s"`, part)
		}
		value, err := json.Marshal(values[key])
		if err != nil {
			return fmt.Errorf("filter attribute %q: %w", key, err)
		}
		// The text of the value is in the text of the attributes, which is told
		// faster than where it stands there.
		w.add("instr(attributes, ?) > 0", string(value))
		w.add("json_type(attributes, ?) IS NOT NULL AND json_extract(attributes, ?) IS json_extract(?, '$')", path, path, string(value))
	}
	return nil
}
