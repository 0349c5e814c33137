package adminapi

import (
	"context"
	"time"
)

// People are the users and the groups.
type People interface {
	// Users returns a page of the users that f wants, and how many there are
	// on all pages. Order is a field of the contract, with a minus in front to
	// turn it around; one that is unknown orders by user name.
	Users(ctx context.Context, f UserFilter, order string, p Page) ([]User, int, error)
	UserByKey(ctx context.Context, key int) (User, bool, error)
	UserByID(ctx context.Context, id string) (User, bool, error)
	// Groups returns a page of groups by name.
	Groups(ctx context.Context, f GroupFilter, descending bool, p Page) ([]Group, int, error)
	// Group returns one. Its members need not be filled in.
	Group(ctx context.Context, id string) (Group, bool, error)
}

// A Page is a part of a list: Limit rows from Offset on, all for 0.
type Page struct {
	Offset, Limit int
}

// A User is a user as lists show one.
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
	PasswordChanged time.Time
	Joined          time.Time
	Updated         time.Time
	LastLogin       time.Time // zero for never
	Roles           []Role    // those that are not by a group, by name
	Groups          []Group   // those that the user is in directly, by name; relatives need not be filled in
}

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
	Bare                      bool           // their groups and roles need not be filled in
	// Times are bounds, by date_joined, last_login or last_updated: exact, or
	// with __gt or __lt for later and earlier.
	Times   map[string]time.Time
	NoLogin *bool // whether they never logged in
}

// A Group is a group as lists show one.
type Group struct {
	ID         string
	Name       string
	Superuser  bool
	Parents    []string // ids, in their order
	Children   []string // ids, by name
	Members    []string // ids of the direct members who exist
	Keys       []int    // of the members, in the same order
	Roles      []Role   // of the group itself, by name
	Attributes map[string]any
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
