package object

import (
	"maps"

	"github.com/flowledger/flowledger/domain"
)

// State is one configured thing. Fields holds JSON values by their names on
// the wire; fields whose kind calls them secret are in Secrets.
type State struct {
	Status  Status
	Kind    string // model name
	Name    string // for people, administrators' text
	Fields  map[string]any
	Secrets map[string]domain.Secret
	Managed string // what keeps it, such as a blueprint; empty for people
}

// A Status tells whether a thing is there.
type Status string

// The statuses. The zero one is a thing that never was.
const (
	Present Status = "present"
	Removed Status = "removed"
)

// An Event is something that happened to a configured thing.
type Event = domain.Event[State]

// ObjectCreated records a new thing with all its fields.
type ObjectCreated struct {
	Kind    string                   `json:"kind"`
	Name    string                   `json:"name"`
	Set     map[string]any           `json:"set" cleanse:"-"`
	Secrets map[string]domain.Secret `json:"secrets,omitempty" seal:"C"`
	By      string                   `json:"by,omitempty"`
	Via     string                   `json:"via"`
	Managed string                   `json:"managed,omitempty"`
}

// EventType implements [domain.Event].
func (ObjectCreated) EventType() string { return "ObjectCreated" }

// Evolve implements [domain.Event].
func (e ObjectCreated) Evolve(State) State {
	return State{
		Status: Present, Kind: e.Kind, Name: e.Name, Managed: e.Managed,
		Fields: maps.Clone(e.Set), Secrets: maps.Clone(e.Secrets),
	}
}

// ObjectChanged records changed fields with their new and old values. The old
// value of a secret field is not kept.
type ObjectChanged struct {
	Kind     string                   `json:"kind"`
	Name     string                   `json:"name"`
	Set      map[string]any           `json:"set" cleanse:"-"`
	Previous map[string]any           `json:"previous" cleanse:"-"`
	Secrets  map[string]domain.Secret `json:"secrets,omitempty" seal:"C"`
	By       string                   `json:"by,omitempty"`
	Via      string                   `json:"via"`
}

// EventType implements [domain.Event].
func (ObjectChanged) EventType() string { return "ObjectChanged" }

// Evolve implements [domain.Event].
func (e ObjectChanged) Evolve(s State) State {
	s.Name = e.Name
	s.Fields = merged(s.Fields, e.Set)
	s.Secrets = merged(s.Secrets, e.Secrets)
	return s
}

// ObjectRemoved records the end of a thing. CascadeOf names the thing whose
// removal took this one along.
type ObjectRemoved struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	By        string `json:"by,omitempty"`
	Via       string `json:"via"`
	CascadeOf string `json:"cascade_of,omitempty"`
}

// EventType implements [domain.Event].
func (ObjectRemoved) EventType() string { return "ObjectRemoved" }

// Evolve implements [domain.Event].
func (e ObjectRemoved) Evolve(s State) State {
	return State{Status: Removed, Kind: s.Kind, Name: s.Name}
}

// merged returns base with over on top, without writing either.
func merged[V any](base, over map[string]V) map[string]V {
	out := make(map[string]V, len(base)+len(over))
	maps.Copy(out, base)
	maps.Copy(out, over)
	return out
}
