package user

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain"
)

// Fields are fields of a user as the contract names them. What is nil is left
// alone, or has its default on a new user.
type Fields struct {
	Username, Name, Email, Type, Path *string
	Active                            *bool
	Attributes                        map[string]any
	Roles                             []string // ids of all roles that the user is to have, beside those of the groups
}

// FieldsOf takes the fields of a user out of a map by their names on the
// wire. Others, and values of another type, are left out.
func FieldsOf(values map[string]any) Fields {
	text := func(name string) *string {
		if v, ok := values[name].(string); ok {
			return &v
		}
		return nil
	}
	f := Fields{
		Username: text("username"), Name: text("name"), Email: text("email"), Type: text("type"), Path: text("path"),
	}
	if v, ok := values["is_active"].(bool); ok {
		f.Active = &v
	}
	f.Attributes, _ = values["attributes"].(map[string]any)
	if list, ok := values["roles"].([]any); ok {
		f.Roles = []string{}
		for _, item := range list {
			if id, ok := item.(string); ok && !slices.Contains(f.Roles, id) {
				f.Roles = append(f.Roles, id)
			}
		}
	}
	return f
}

// types are the contract's types of users.
var types = []string{"internal", "external", "service_account", "internal_service_account"}

// Limits of the contract, in characters.
const (
	maxUsername = 150
	maxEmail    = 254
)

// problems returns the error that says which fields cannot be.
func (f Fields) problems() error {
	found := map[string][]string{}
	switch {
	case f.Username == nil:
	case *f.Username == "":
		found["username"] = []string{"This field may not be blank."}
	case len([]rune(*f.Username)) > maxUsername:
		found["username"] = []string{"Ensure this field has no more than 150 characters."}
	}
	if f.Email != nil && len([]rune(*f.Email)) > maxEmail {
		found["email"] = []string{"Ensure this field has no more than 254 characters."}
	}
	if f.Type != nil && !slices.Contains(types, *f.Type) {
		found["type"] = []string{"This is no type of user."}
	}
	if len(found) == 0 {
		return nil
	}
	return &domain.Error{Code: domain.Invalid, Message: "The user cannot be written like this.", Fields: found}
}

// Write changes fields of a user. What is the same already is nothing to do.
type Write struct {
	Fields
	By  string
	Via string
}

// Decide implements [domain.Command].
func (c Write) Decide(s State) ([]Event, error) {
	if err := present(s); err != nil {
		return nil, err
	}
	if err := c.problems(); err != nil {
		return nil, err
	}
	var events []Event
	if differs(c.Username, s.Username) {
		events = append(events, UserRenamed{By: c.By, Via: c.Via, Username: *c.Username, Previous: s.Username})
	}
	if changed, any := c.profile(s); any {
		events = append(events, changed)
	}
	if differs(c.Type, s.Type) {
		events = append(events, UserTypeChanged{From: s.Type, To: *c.Type, By: c.By})
	}
	if differs(c.Path, s.Path) {
		events = append(events, UserMoved{From: s.Path, To: *c.Path, By: c.By})
	}
	if c.Active != nil {
		activity, err := SetActive{Active: *c.Active, By: c.By, Cause: c.Via}.Decide(s)
		if err != nil {
			return nil, err
		}
		events = append(events, activity...)
	}
	return append(events, c.roles(s, c.By)...), nil
}

func differs(to *string, from string) bool { return to != nil && *to != from }

func (c Write) profile(s State) (UserProfileChanged, bool) {
	e := UserProfileChanged{By: c.By, Via: c.Via}
	if differs(c.Name, s.Name) {
		e.Fields = append(e.Fields, "name")
		e.Set.Name, e.Previous.Name = c.Name, &s.Name
	}
	if differs(c.Email, s.Email) {
		e.Fields = append(e.Fields, "email")
		e.Set.Email, e.Previous.Email = c.Email, &s.Email
	}
	if c.Attributes != nil {
		if paths := attributePaths(s.Attributes, c.Attributes); len(paths) > 0 {
			e.Fields = append(e.Fields, paths...)
			e.Set.Attributes, e.Previous.Attributes = c.Attributes, s.Attributes
		}
	}
	return e, len(e.Fields) > 0
}

// attributePaths lists the attributes in which two sets differ, sorted.
func attributePaths(from, to map[string]any) []string {
	paths := map[string]bool{}
	for key, v := range to {
		if old, had := from[key]; !had || !same(old, v) {
			paths[key] = true
		}
	}
	for key := range from {
		if _, kept := to[key]; !kept {
			paths[key] = true
		}
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(paths)) {
		out = append(out, "attributes."+key)
	}
	return out
}

// same compares two JSON values, whatever Go types hold their numbers.
func same(a, b any) bool {
	left, err := json.Marshal(a)
	if err != nil {
		return false
	}
	right, err := json.Marshal(b)
	return err == nil && bytes.Equal(left, right)
}
