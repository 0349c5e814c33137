package user

import (
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// State is one user.
type State struct {
	Status     Status
	Key        int // the contract's integer pk
	Username   string
	Name       string
	Email      string
	Active     bool
	Type       string
	Path       string
	Attributes map[string]any
	Roles      []string // ids, in the order in which they came

	Password        domain.Secret // the encoded hash; empty when there is none
	PasswordChanged time.Time     // when it was last set; a rehash does not count
	Credential      string        // id of the key that seals the hash; new with each hash
	Joined          time.Time

	Former  []Former // passwords before, the newest first, as far as their keys are not destroyed
	Outworn []string // credentials of hashes that nobody compares with any more
}

// A Status tells whether a user is there.
type Status string

// The statuses. The zero one is a user who never was.
const (
	Present Status = "present"
	Deleted Status = "deleted"
)

// An Event is something that happened to a user.
type Event = domain.Event[State]

// UserCreated records a new user.
type UserCreated struct {
	Key        int            `json:"pk"`
	Type       string         `json:"type"`
	Active     bool           `json:"active"`
	Path       string         `json:"path"`
	Joined     time.Time      `json:"joined"`
	By         string         `json:"by,omitempty"`
	Via        string         `json:"via"` // user_write, source, admin, blueprint or bootstrap
	Username   string         `json:"username" seal:"P"`
	Name       string         `json:"name,omitempty" seal:"P"`
	Email      string         `json:"email,omitempty" seal:"P"`
	Attributes map[string]any `json:"attributes,omitempty" seal:"P"`
}

// EventType implements [domain.Event].
func (UserCreated) EventType() string { return "UserCreated" }

// Evolve implements [domain.Event].
func (e UserCreated) Evolve(State) State {
	return State{
		Status: Present, Key: e.Key, Username: e.Username, Name: e.Name, Email: e.Email, Active: e.Active,
		Type: e.Type, Path: e.Path, Attributes: e.Attributes, PasswordChanged: e.Joined, Joined: e.Joined,
	}
}

// A Profile is part of what describes a person. What is nil is not part of it.
type Profile struct {
	Name       *string        `json:"name,omitempty"`
	Email      *string        `json:"email,omitempty"`
	Attributes map[string]any `json:"attributes,omitzero"`
}

// UserProfileChanged records a changed name, e-mail address or attributes,
// with the new and the old values. Attributes are all of them; Fields says
// which differ.
type UserProfileChanged struct {
	Fields   []string `json:"fields"`
	By       string   `json:"by,omitempty"`
	Via      string   `json:"via,omitempty"`
	Set      Profile  `json:"set" seal:"P"`
	Previous Profile  `json:"previous" seal:"T"`
}

// EventType implements [domain.Event].
func (UserProfileChanged) EventType() string { return "UserProfileChanged" }

// Evolve implements [domain.Event].
func (e UserProfileChanged) Evolve(s State) State {
	if e.Set.Name != nil {
		s.Name = *e.Set.Name
	}
	if e.Set.Email != nil {
		s.Email = *e.Set.Email
	}
	if e.Set.Attributes != nil {
		s.Attributes = e.Set.Attributes
	}
	return s
}

// UserRenamed records a new user name. The claim of it comes first.
type UserRenamed struct {
	By       string `json:"by,omitempty"`
	Via      string `json:"via,omitempty"`
	Username string `json:"username" seal:"P"`
	Previous string `json:"previous" seal:"T"`
}

// EventType implements [domain.Event].
func (UserRenamed) EventType() string { return "UserRenamed" }

// Evolve implements [domain.Event].
func (e UserRenamed) Evolve(s State) State {
	s.Username = e.Username
	return s
}

// UserPasswordSet records a new password.
type UserPasswordSet struct {
	By           string        `json:"by,omitempty"`
	Via          string        `json:"via"`
	Algorithm    string        `json:"algorithm"`
	Changed      time.Time     `json:"changed"`
	CredentialID string        `json:"credential"`
	Hash         domain.Secret `json:"hash" seal:"C"`
}

// EventType implements [domain.Event].
func (UserPasswordSet) EventType() string { return "UserPasswordSet" }

// Credential names the key that seals the hash.
func (e UserPasswordSet) Credential() string { return e.CredentialID }

// Evolve implements [domain.Event].
func (e UserPasswordSet) Evolve(s State) State {
	s = s.retire()
	s.Password, s.PasswordChanged, s.Credential = e.Hash, e.Changed, e.CredentialID
	return s
}

// UserPasswordRehashed records that the same password is stored in another
// form.
type UserPasswordRehashed struct {
	Algorithm    string        `json:"algorithm"`
	CredentialID string        `json:"credential"`
	Hash         domain.Secret `json:"hash" seal:"C"`
}

// EventType implements [domain.Event].
func (UserPasswordRehashed) EventType() string { return "UserPasswordRehashed" }

// Credential names the key that seals the hash.
func (e UserPasswordRehashed) Credential() string { return e.CredentialID }

// Evolve implements [domain.Event].
func (e UserPasswordRehashed) Evolve(s State) State {
	s = s.outwear()
	s.Password, s.Credential = e.Hash, e.CredentialID
	return s
}

// UserPasswordRemoved records that no password proves the user.
type UserPasswordRemoved struct {
	By      string    `json:"by,omitempty"`
	Changed time.Time `json:"changed"`
}

// EventType implements [domain.Event].
func (UserPasswordRemoved) EventType() string { return "UserPasswordRemoved" }

// Evolve implements [domain.Event].
func (e UserPasswordRemoved) Evolve(s State) State {
	s = s.retire().withoutPassword()
	s.PasswordChanged = e.Changed
	return s
}

// UserActivated records that the user may log in.
type UserActivated struct {
	By    string `json:"by,omitempty"`
	Cause string `json:"cause,omitempty"`
}

// EventType implements [domain.Event].
func (UserActivated) EventType() string { return "UserActivated" }

// Evolve implements [domain.Event].
func (UserActivated) Evolve(s State) State {
	s.Active = true
	return s
}

// UserDeactivated records that the user may not log in.
type UserDeactivated struct {
	By    string `json:"by,omitempty"`
	Cause string `json:"cause,omitempty"`
}

// EventType implements [domain.Event].
func (UserDeactivated) EventType() string { return "UserDeactivated" }

// Evolve implements [domain.Event].
func (UserDeactivated) Evolve(s State) State {
	s.Active = false
	return s
}

// UserTypeChanged records another type of user.
type UserTypeChanged struct {
	From string `json:"from"`
	To   string `json:"to"`
	By   string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (UserTypeChanged) EventType() string { return "UserTypeChanged" }

// Evolve implements [domain.Event].
func (e UserTypeChanged) Evolve(s State) State {
	s.Type = e.To
	return s
}

// UserMoved records another path.
type UserMoved struct {
	From string `json:"from"`
	To   string `json:"to"`
	By   string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (UserMoved) EventType() string { return "UserMoved" }

// Evolve implements [domain.Event].
func (e UserMoved) Evolve(s State) State {
	s.Path = e.To
	return s
}

// UserRolesChanged records which roles a user has from then on, beside those
// of the groups, and has no more.
type UserRolesChanged struct {
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
	By      string   `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (UserRolesChanged) EventType() string { return "UserRolesChanged" }

// Evolve implements [domain.Event].
func (e UserRolesChanged) Evolve(s State) State {
	s.Roles = slices.DeleteFunc(slices.Concat(s.Roles, e.Added), func(id string) bool { return slices.Contains(e.Removed, id) })
	return s
}

// UserDeleted is the last event of a user.
type UserDeleted struct {
	By  string `json:"by,omitempty"`
	Via string `json:"via"` // user_delete, admin or blueprint
}

// EventType implements [domain.Event].
func (UserDeleted) EventType() string { return "UserDeleted" }

// Evolve implements [domain.Event]. The key stays, for it is never given
// again, and so does the knowledge of which credentials are to be destroyed.
func (UserDeleted) Evolve(s State) State {
	return State{Status: Deleted, Key: s.Key, Outworn: s.retire().withoutPassword().Expendable(0)}
}
