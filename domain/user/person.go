package user

import (
	"maps"
	"slices"
	"time"
)

// A Person is a user as stages, policies and pages see one: the state and what
// follows from groups. The zero Person is nobody.
type Person struct {
	ID              string // of the stream; empty for nobody, and for somebody who does not exist
	Key             int    // the integer key that the contract demands
	Username        string
	Name            string
	Email           string
	Active          bool
	Superuser       bool
	Usable          bool // has a password that can be right
	Type            string
	Path            string
	Attributes      map[string]any
	GroupAttributes map[string]any // of groups and the user, merged
	Groups          []Group        // inherited ones included, by name
	Credential      string         // of the password; empty when there is none
	PasswordChanged time.Time
	Joined          time.Time
	LastLogin       time.Time // zero for never
}

// A Group is a group as [Person] knows it.
type Group struct {
	ID         string
	Name       string
	Superuser  bool
	Attributes map[string]any
	Inherited  bool // somebody is in it by a group below it only
}

// Exists tells whether there is such a user.
func (p Person) Exists() bool { return p.ID != "" }

// Member tells whether the person is in the group with this id.
func (p Person) Member(group string) bool {
	for _, g := range p.Groups {
		if g.ID == group {
			return true
		}
	}
	return false
}

// Text returns what people call the person: the user name.
func (p Person) Text() string { return p.Username }

// Merge lays over on top of base, as the contract has it: objects are merged,
// lists are put together, anything else is replaced (spec/stages.md 2.1).
func Merge(base, over map[string]any) map[string]any {
	out := make(map[string]any, len(base)+len(over))
	maps.Copy(out, base)
	for key, v := range over {
		switch v := v.(type) {
		case map[string]any:
			if inner, ok := out[key].(map[string]any); ok {
				out[key] = Merge(inner, v)
				continue
			}
		case []any:
			if list, ok := out[key].([]any); ok {
				out[key] = slices.Concat(list, v)
				continue
			}
		}
		out[key] = v
	}
	return out
}
