package role

import (
	"slices"

	"github.com/flowledger/flowledger/domain"
)

// State is one role.
type State struct {
	Status      Status
	Name        string
	Permissions []string // app.codename, sorted
}

// A Status tells whether a role is there.
type Status string

// The statuses. The zero one is a role that never was.
const (
	Present Status = "present"
	Deleted Status = "deleted"
)

// An Event is something that happened to a role.
type Event = domain.Event[State]

// RoleCreated records a new role. Names of roles are administrators' text.
type RoleCreated struct {
	Name string `json:"name"`
	By   string `json:"by,omitempty"`
	Via  string `json:"via"`
}

// EventType implements [domain.Event].
func (RoleCreated) EventType() string { return "RoleCreated" }

// Evolve implements [domain.Event].
func (e RoleCreated) Evolve(State) State { return State{Status: Present, Name: e.Name} }

// RoleRenamed records a new name.
type RoleRenamed struct {
	From string `json:"from"`
	To   string `json:"to"`
	By   string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (RoleRenamed) EventType() string { return "RoleRenamed" }

// Evolve implements [domain.Event].
func (e RoleRenamed) Evolve(s State) State {
	s.Name = e.To
	return s
}

// RolePermissionsChanged records what whoever has the role may do from then
// on, and may not any more.
type RolePermissionsChanged struct {
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
	By      string   `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (RolePermissionsChanged) EventType() string { return "RolePermissionsChanged" }

// Evolve implements [domain.Event].
func (e RolePermissionsChanged) Evolve(s State) State {
	s.Permissions = change(s.Permissions, e.Added, e.Removed)
	return s
}

// change returns a sorted copy of a set with some names more and some less.
func change(set, added, removed []string) []string {
	out := slices.DeleteFunc(slices.Concat(set, added), func(p string) bool { return slices.Contains(removed, p) })
	slices.Sort(out)
	return slices.Compact(out)
}

// RoleDeleted is the last event of a role. Nobody has it any more.
type RoleDeleted struct {
	By  string `json:"by,omitempty"`
	Via string `json:"via"`
}

// EventType implements [domain.Event].
func (RoleDeleted) EventType() string { return "RoleDeleted" }

// Evolve implements [domain.Event].
func (RoleDeleted) Evolve(s State) State { return State{Status: Deleted, Name: s.Name} }
