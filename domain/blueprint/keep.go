package blueprint

import (
	"slices"

	"github.com/flowledger/flowledger/domain"
)

// A Life tells whether an instance is there.
type Life string

// The lives. The zero one is an instance that never was.
const (
	Kept    Life = "kept"
	Dropped Life = "dropped"
)

// Terms are what an instance is made of. Its texts may hold passwords, so they
// are sealed, under a key of their own that goes with them.
type Terms struct {
	Name         string        `json:"name"`
	Path         string        `json:"path"`   // below the blueprint folder; empty for a text of its own
	Source       string        `json:"source"` // file or internal
	Enabled      bool          `json:"enabled"`
	Found        bool          `json:"found,omitempty"` // made for a file that lay in the folder, and never touched by anybody
	ContextKeys  []string      `json:"context_keys,omitempty"`
	CredentialID string        `json:"credential"`
	Content      domain.Secret `json:"content" seal:"C"` // deflated, base64
	Context      domain.Secret `json:"context" seal:"C"` // JSON
}

// The sources of the catalogue that are served.
const (
	FromFile = "file"
	Internal = "internal"
)

// BlueprintAdded records a new instance.
type BlueprintAdded struct {
	Terms
	By  string `json:"by,omitempty"`
	Via string `json:"via"`
}

// EventType implements [domain.Event].
func (BlueprintAdded) EventType() string { return "BlueprintAdded" }

// Credential names the key that seals the texts.
func (e BlueprintAdded) Credential() string { return e.CredentialID }

// Evolve implements [domain.Event]. What was being applied when an instance of
// the same file was dropped goes on.
func (e BlueprintAdded) Evolve(s State) State {
	return State{Life: Kept, Terms: e.Terms, Import: s.Import}
}

// InstanceModel is what the contract calls instances.
const InstanceModel = "authentik_blueprints.blueprintinstance"

// A Before is what of the old terms differs and may be kept.
type Before struct {
	Name    *string `json:"name,omitempty"`
	Path    *string `json:"path,omitempty"`
	Enabled *bool   `json:"enabled,omitempty"`
}

// BlueprintChanged records new terms, all of them. The texts of the old ones
// are not kept.
type BlueprintChanged struct {
	Terms
	Changed []string `json:"changed"` // the fields that differ from before
	Before  Before   `json:"previous,omitzero"`
	By      string   `json:"by,omitempty"`
	Via     string   `json:"via"`
}

// EventType implements [domain.Event].
func (BlueprintChanged) EventType() string { return "BlueprintChanged" }

// Credential names the key that seals the texts.
func (e BlueprintChanged) Credential() string { return e.CredentialID }

// Renews tells whether another text is to be applied than before, or with
// another context: what became of the old one says nothing then.
func (e BlueprintChanged) Renews() bool {
	return slices.ContainsFunc(e.Changed, func(name string) bool { return name == "path" || name == "content" || name == "context" })
}

// Evolve implements [domain.Event].
func (e BlueprintChanged) Evolve(s State) State {
	s.Terms = e.Terms
	if e.Renews() {
		s.Outcome.Status, s.Outcome.Tried, s.Outcome.Logs = Unknown, "", nil
	}
	return s
}

// BlueprintRemoved records the end of an instance. What it made stays.
type BlueprintRemoved struct {
	Name string `json:"name"`
	Path string `json:"path"`
	By   string `json:"by,omitempty"`
	Via  string `json:"via"`
}

// EventType implements [domain.Event].
func (BlueprintRemoved) EventType() string { return "BlueprintRemoved" }

// Evolve implements [domain.Event].
func (BlueprintRemoved) Evolve(s State) State { return State{Life: Dropped, Import: s.Import} }

// Keep makes an instance what the terms say, or changes it to that.
type Keep struct {
	Terms
	By     string // id of the user who asks; empty for the program
	Via    string // api or blueprint
	Create bool
}

// Decide implements [domain.Command]. Several may find the same file: for all
// but one there is nothing to do.
func (c Keep) Decide(s State) ([]Event, error) {
	switch {
	case c.Create && s.Life == Kept && c.Found:
		return nil, nil
	case c.Create && s.Life == Kept:
		return nil, domain.Errorf(domain.Conflict, "The blueprint instance exists already.")
	case c.Create:
		return []Event{BlueprintAdded{Terms: c.Terms, By: c.By, Via: c.Via}}, nil
	case s.Life != Kept:
		return nil, domain.Errorf(domain.NotFound, "There is no such blueprint instance.")
	}
	changed := c.differs(s.Terms)
	if changed == nil {
		return nil, nil
	}
	return []Event{BlueprintChanged{Terms: c.Terms, Changed: changed, Before: c.before(s.Terms), By: c.By, Via: c.Via}}, nil
}

// before is what differs of old terms.
func (t Terms) before(old Terms) (b Before) {
	if t.Name != old.Name {
		b.Name = &old.Name
	}
	if t.Path != old.Path {
		b.Path = &old.Path
	}
	if t.Enabled != old.Enabled {
		b.Enabled = &old.Enabled
	}
	return b
}

// differs names the fields that are other than old ones, as the contract calls
// them.
func (t Terms) differs(old Terms) (names []string) {
	for name, differs := range map[string]bool{
		"name": t.Name != old.Name, "path": t.Path != old.Path, "enabled": t.Enabled != old.Enabled,
		"content": !t.Content.Equal(old.Content), "context": !t.Context.Equal(old.Context),
	} {
		if differs {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Drop ends an instance. Dropping what is not there is nothing to do.
type Drop struct {
	By  string
	Via string
}

// Decide implements [domain.Command].
func (c Drop) Decide(s State) ([]Event, error) {
	if s.Life != Kept {
		return nil, nil
	}
	return []Event{BlueprintRemoved{Name: s.Terms.Name, Path: s.Terms.Path, By: c.By, Via: c.Via}}, nil
}
