package object

import "github.com/flowledger/flowledger/domain/catalog"

func init() {
	catalog.Register(catalog.Kind{
		Model: UserModel, Category: catalog.User, Path: "core/users", Name: "User",
		Natural: [][]string{{"username"}},
		New: func() any {
			return &User{Type: "internal", Path: "users", Active: true, Attributes: map[string]any{}}
		},
	})
	catalog.Register(catalog.Kind{
		Model: GroupModel, Category: catalog.Group, Path: "core/groups", Name: "Group",
		Natural: [][]string{{"name"}},
		New:     func() any { return &Group{Attributes: map[string]any{}} },
	})
}

// User is a user as blueprints and the admin API write it. Users are an
// aggregate of their own (package user); this is only the shape.
type User struct {
	Username     string         `json:"username" catalog:"required,max=150"`
	Name         string         `json:"name" catalog:"required,blank"`
	Email        string         `json:"email" catalog:"blank,max=254"`
	Active       bool           `json:"is_active"`
	Type         string         `json:"type" catalog:"enum=internal|external|service_account|internal_service_account"`
	Path         string         `json:"path"`
	Attributes   map[string]any `json:"attributes"`
	Groups       []string       `json:"groups" catalog:"ref=group"`
	Roles        []string       `json:"roles" catalog:"ref=role"`
	Permissions  []string       `json:"permissions"` // of blueprints; there must be none
	Password     *string        `json:"password" catalog:"secret,verbatim"`
	PasswordHash *string        `json:"password_hash" catalog:"secret"`
}

// Validate implements [catalog.Validator].
func (u *User) Validate() catalog.Problems {
	var p catalog.Problems
	if u.Password != nil && u.PasswordHash != nil {
		p.Add(catalog.NonField, "Only one of 'password', 'password_hash' can be set.")
	}
	if len(u.Permissions) > 0 {
		p.Add("permissions", "Users are given permissions by roles only.")
	}
	return p
}

// Group is a group as blueprints and the admin API write it. Groups are an
// aggregate of their own (package group); this is only the shape.
type Group struct {
	Name       string         `json:"name" catalog:"required"`
	Superuser  bool           `json:"is_superuser"`
	Parents    []string       `json:"parents" catalog:"ref=group"`
	Users      []int          `json:"users" catalog:"ref=user"`
	Roles      []string       `json:"roles" catalog:"ref=role"`
	Attributes map[string]any `json:"attributes"`
}
