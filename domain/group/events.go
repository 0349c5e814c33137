package group

import (
	"slices"

	"github.com/flowledger/flowledger/domain"
)

// State is one group.
type State struct {
	Status     Status
	Name       string
	Superuser  bool
	Parents    []string // ids of groups
	Members    Roll     // ids of users, in the order in which they came
	Attributes map[string]any
	Roles      []string // ids, which members have, in the order in which they came
}

// A Status tells whether a group is there.
type Status string

// The statuses. The zero one is a group that never was.
const (
	Present Status = "present"
	Deleted Status = "deleted"
)

// An Event is something that happened to a group.
type Event = domain.Event[State]

// GroupCreated records a new group. Members and attributes follow.
type GroupCreated struct {
	Name      string   `json:"name"`
	Superuser bool     `json:"superuser"`
	Parents   []string `json:"parents,omitempty"`
	By        string   `json:"by,omitempty"`
	Via       string   `json:"via"`
}

// EventType implements [domain.Event].
func (GroupCreated) EventType() string { return "GroupCreated" }

// Evolve implements [domain.Event].
func (e GroupCreated) Evolve(State) State {
	return State{Status: Present, Name: e.Name, Superuser: e.Superuser, Parents: e.Parents}
}

// GroupRenamed records a new name. Names of groups are administrators' text.
type GroupRenamed struct {
	From string `json:"from"`
	To   string `json:"to"`
	By   string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (GroupRenamed) EventType() string { return "GroupRenamed" }

// Evolve implements [domain.Event].
func (e GroupRenamed) Evolve(s State) State {
	s.Name = e.To
	return s
}

// GroupMemberAdded records a new member.
type GroupMemberAdded struct {
	User string `json:"user"`
	By   string `json:"by,omitempty"`
	Via  string `json:"via"`
}

// EventType implements [domain.Event].
func (GroupMemberAdded) EventType() string { return "GroupMemberAdded" }

// Evolve implements [domain.Event].
func (e GroupMemberAdded) Evolve(s State) State {
	s.Members = s.Members.with(e.User)
	return s
}

// GroupMemberRemoved records that a user is a member no more.
type GroupMemberRemoved struct {
	User string `json:"user"`
	By   string `json:"by,omitempty"`
	Via  string `json:"via"`
}

// EventType implements [domain.Event].
func (GroupMemberRemoved) EventType() string { return "GroupMemberRemoved" }

// Evolve implements [domain.Event].
func (e GroupMemberRemoved) Evolve(s State) State {
	s.Members = s.Members.without(e.User)
	return s
}

// GroupParentsChanged records of which groups this one is part.
type GroupParentsChanged struct {
	From []string `json:"from,omitempty"`
	To   []string `json:"to,omitempty"`
	By   string   `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (GroupParentsChanged) EventType() string { return "GroupParentsChanged" }

// Evolve implements [domain.Event].
func (e GroupParentsChanged) Evolve(s State) State {
	s.Parents = e.To
	return s
}

// GroupSuperuserChanged records whether members may do everything.
type GroupSuperuserChanged struct {
	To bool   `json:"to"`
	By string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (GroupSuperuserChanged) EventType() string { return "GroupSuperuserChanged" }

// Evolve implements [domain.Event].
func (e GroupSuperuserChanged) Evolve(s State) State {
	s.Superuser = e.To
	return s
}

// GroupAttributesChanged records the attributes that members inherit: all of
// them, and in Fields the names of those that differ. The values are sealed
// for as long as the group's key lives, for the fold needs them; the old ones
// go with their month.
type GroupAttributesChanged struct {
	Fields   []string       `json:"fields"`
	By       string         `json:"by,omitempty"`
	Set      map[string]any `json:"set" seal:"P"`
	Previous map[string]any `json:"previous,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (GroupAttributesChanged) EventType() string { return "GroupAttributesChanged" }

// Evolve implements [domain.Event].
func (e GroupAttributesChanged) Evolve(s State) State {
	s.Attributes = e.Set
	return s
}

// GroupRolesChanged records which roles the members have from then on, and
// have no more.
type GroupRolesChanged struct {
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
	By      string   `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (GroupRolesChanged) EventType() string { return "GroupRolesChanged" }

// Evolve implements [domain.Event].
func (e GroupRolesChanged) Evolve(s State) State {
	s.Roles = slices.DeleteFunc(slices.Concat(s.Roles, e.Added), func(id string) bool { return slices.Contains(e.Removed, id) })
	return s
}

// GroupDeleted is the last event of a group.
type GroupDeleted struct {
	By  string `json:"by,omitempty"`
	Via string `json:"via"`
}

// EventType implements [domain.Event].
func (GroupDeleted) EventType() string { return "GroupDeleted" }

// Evolve implements [domain.Event].
func (GroupDeleted) Evolve(s State) State { return State{Status: Deleted, Name: s.Name} }
