package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/user"
)

// A User is a user as lists show it.
type User struct {
	ID              string
	Key             int
	Username        string
	Name            string
	Email           string
	Active          bool
	Superuser       bool
	Type            string
	Path            string
	Attributes      map[string]any
	Usable          bool   // has a password that can be right
	Credential      string // of the password; empty when there is none
	PasswordChanged time.Time
	Joined          time.Time
	Updated         time.Time
	LastLogin       time.Time // zero for never
}

// superusers are the ids of the users whom a group, or one above it, allows
// everything. UNION ends circles among groups. A cross join is done from left
// to right: those groups are few, and members many.
const superusers = `WITH RECURSIVE above(id) AS (
	SELECT id FROM groups WHERE superuser
	UNION SELECT p.id FROM groups_parents p JOIN above ON p.parent = above.id
) SELECT user FROM above CROSS JOIN groups_members USING(id)`

// columns is what a row of users is read from.
const columns = "SELECT users.*, users.id IN (" + superusers + ") AS superuser FROM users"

func userAt(s *sqlite.Stmt) (User, error) {
	attributes, err := mapAt(s, "attributes")
	return User{
		ID: s.GetText("id"), Key: int(s.GetInt64("key")), Username: s.GetText("username"), Name: s.GetText("name"),
		Email: s.GetText("email"), Active: s.GetBool("active"), Superuser: s.GetBool("superuser"), Type: s.GetText("type"),
		Path: s.GetText("path"), Attributes: attributes, Usable: s.GetBool("usable"), Credential: s.GetText("credential"),
		PasswordChanged: timeAt(s, "password_changed"), Joined: timeAt(s, "joined"), Updated: timeAt(s, "updated"),
		LastLogin: timeAt(s, "last_login"),
	}, err
}

func (u *Users) one(ctx context.Context, condition string, args ...any) (found User, ok bool, err error) {
	err = u.views.read(ctx, "user", columns+" WHERE "+condition, args, func(s *sqlite.Stmt) error {
		ok = true
		found, err = userAt(s)
		return err
	})
	return found, ok, err
}

// ByID returns a user by the id of the stream.
func (u *Users) ByID(ctx context.Context, id string) (User, bool, error) {
	return u.one(ctx, "id = ?", id)
}

// ByKey returns a user by the contract's integer key.
func (u *Users) ByKey(ctx context.Context, key int) (User, bool, error) {
	return u.one(ctx, "key = ?", key)
}

// findable are the fields by which people identify themselves.
var findable = map[string]bool{"username": true, "email": true, "upn": true}

// Find returns the first user, by key, one of whose fields has this value:
// username, email or upn. Inactive users are found, too; an empty value finds
// nobody.
func (u *Users) Find(ctx context.Context, fields []string, value string, foldCase bool) (User, bool, error) {
	var best User
	found := false
	for _, field := range fields {
		if !findable[field] {
			return User{}, false, fmt.Errorf("look up user: there is no field %q to find one by", field)
		}
		if value == "" {
			continue
		}
		column, wanted := field, value
		if foldCase {
			column, wanted = field+"_folded", fold(value)
		}
		// One field after the other, so that each has its index.
		match, ok, err := u.one(ctx, column+" = ? ORDER BY key LIMIT 1", wanted)
		if err != nil {
			return User{}, false, err
		}
		if ok && (!found || match.Key < best.Key) {
			best, found = match, true
		}
	}
	return best, found, nil
}

// Person returns a user as stages and policies see one, and nobody if there is
// none with this id.
func (u *Users) Person(ctx context.Context, id string) (user.Person, error) {
	found, ok, err := u.ByID(ctx, id)
	if err != nil || !ok {
		return user.Person{}, err
	}
	return u.person(ctx, found)
}

// FindPerson is [Users.Find] for those who need the groups, too.
func (u *Users) FindPerson(ctx context.Context, fields []string, value string, foldCase bool) (user.Person, error) {
	found, ok, err := u.Find(ctx, fields, value, foldCase)
	if err != nil || !ok {
		return user.Person{}, err
	}
	return u.person(ctx, found)
}

func (u *Users) person(ctx context.Context, found User) (user.Person, error) {
	people, err := u.people(ctx, []User{found})
	if err != nil {
		return user.Person{}, err
	}
	return people[0], nil
}

// people are users with their groups, which one query brings for all of them.
func (u *Users) people(ctx context.Context, found []User) ([]user.Person, error) {
	ids := make([]string, len(found))
	for i, one := range found {
		ids[i] = one.ID
	}
	groups, err := u.groups(ctx, ids...)
	if err != nil {
		return nil, err
	}
	people := make([]user.Person, len(found))
	for i, one := range found {
		people[i] = personOf(one, groups[one.ID])
	}
	return people, nil
}

func personOf(found User, groups []Group) user.Person {
	p := user.Person{
		ID: found.ID, Key: found.Key, Username: found.Username, Name: found.Name, Email: found.Email, Active: found.Active,
		Superuser: found.Superuser, Usable: found.Usable, Type: found.Type, Path: found.Path, Attributes: found.Attributes,
		Credential: found.Credential, PasswordChanged: found.PasswordChanged, Joined: found.Joined, LastLogin: found.LastLogin,
	}
	merged := map[string]any{}
	for _, g := range groups {
		p.Groups = append(p.Groups, user.Group{
			ID: g.ID, Name: g.Name, Superuser: g.Superuser, Attributes: g.Attributes, Inherited: g.Inherited,
		})
		merged = user.Merge(merged, g.Attributes)
	}
	p.GroupAttributes = user.Merge(merged, found.Attributes)
	return p
}

// groups returns the groups of users, those above them included, by name.
func (u *Users) groups(ctx context.Context, users ...string) (map[string][]Group, error) {
	list, err := json.Marshal(users)
	if err != nil {
		return nil, err
	}
	groups := map[string][]Group{}
	err = u.views.read(ctx, "groups of users", `WITH RECURSIVE mine(user, id) AS (
		SELECT user, id FROM groups_members WHERE user IN (SELECT value FROM json_each(?))
		UNION SELECT mine.user, p.parent FROM mine CROSS JOIN groups_parents p ON p.id = mine.id
	) SELECT mine.user AS member, id, name, superuser, attributes, NOT EXISTS(
		SELECT 1 FROM groups_members m WHERE m.id = groups.id AND m.user = mine.user
	) AS inherited FROM mine CROSS JOIN groups USING(id) ORDER BY name, id`, []any{string(list)},
		func(s *sqlite.Stmt) error {
			attributes, err := mapAt(s, "attributes")
			member := s.GetText("member")
			groups[member] = append(groups[member], Group{
				ID: s.GetText("id"), Name: s.GetText("name"), Superuser: s.GetBool("superuser"), Attributes: attributes,
				Inherited: s.GetBool("inherited"),
			})
			return err
		})
	return groups, err
}

// Joined returns the groups that users are in directly, by name.
func (u *Users) Joined(ctx context.Context, ids ...string) (map[string][]Group, error) {
	found, err := u.groups(ctx, ids...)
	for id, groups := range found {
		found[id] = slices.DeleteFunc(groups, func(g Group) bool { return g.Inherited })
	}
	return found, err
}

// Groups returns the groups of a user, by name. Inherited says whether those
// above them count. Only their names, attributes and rights are filled in.
func (u *Users) Groups(ctx context.Context, id string, inherited bool) ([]Group, error) {
	found, err := u.groups(ctx, id)
	groups := found[id]
	if err != nil || inherited {
		return groups, err
	}
	return slices.DeleteFunc(groups, func(g Group) bool { return g.Inherited }), nil
}

// Mentioned returns the ids of users who have a word in what is searched of
// them, at most limit, in any order.
func (u *Users) Mentioned(ctx context.Context, word string, limit int) ([]string, error) {
	return u.views.ids(ctx, "users", "SELECT id FROM users WHERE instr(folded, ?) > 0 LIMIT ?", fold(word), limit)
}
