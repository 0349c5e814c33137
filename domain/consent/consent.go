// Package consent is the aggregate of what one user lets one application see.
// It does not ask: that is the stage's business.
package consent

import (
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// State is the consent of one user to one application.
type State struct {
	Status      Status
	Key         int // the contract's integer pk; the same for ever
	User        string
	Application Application
	Permissions []string
	Mode        string
	Expires     time.Time // zero for never
	Execution   string    // that it was given in last
}

// An Application is what consent is given to.
type Application struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Slug string `json:"slug,omitempty"`
}

// A Status tells whether consent stands.
type Status string

// The statuses. The zero one is a consent that was never given.
const (
	Given   Status = "given"
	Expired Status = "expired"
	Revoked Status = "revoked"
)

// Stands tells whether the consent is good at this moment.
func (s State) Stands(now time.Time) bool {
	return s.Status == Given && (s.Expires.IsZero() || now.Before(s.Expires))
}

// An Event is something that happened to a consent.
type Event = domain.Event[State]

// ConsentGranted records that a user lets an application see these things, and
// no others.
type ConsentGranted struct {
	Key         int         `json:"pk"`
	User        string      `json:"user"`
	Application Application `json:"application"`
	Permissions []string    `json:"permissions"`
	Mode        string      `json:"mode"` // permanent or expiring
	Expires     time.Time   `json:"expires,omitzero"`
	Execution   string      `json:"execution"`
	By          string      `json:"by"`
}

// EventType implements [domain.Event].
func (ConsentGranted) EventType() string { return "ConsentGranted" }

// Evolve implements [domain.Event].
func (e ConsentGranted) Evolve(State) State {
	return State{
		Status: Given, Key: e.Key, User: e.User, Application: e.Application, Permissions: e.Permissions, Mode: e.Mode,
		Expires: e.Expires, Execution: e.Execution,
	}
}

// ConsentExpired records that the consent's time is over.
type ConsentExpired struct{}

// EventType implements [domain.Event].
func (ConsentExpired) EventType() string { return "ConsentExpired" }

// Evolve implements [domain.Event].
func (ConsentExpired) Evolve(s State) State {
	s.Status = Expired
	return s
}

// ConsentRevoked records that somebody took the consent back.
type ConsentRevoked struct {
	By    string `json:"by,omitempty"`
	Cause string `json:"cause"` // user or admin
}

// EventType implements [domain.Event].
func (ConsentRevoked) EventType() string { return "ConsentRevoked" }

// Evolve implements [domain.Event].
func (ConsentRevoked) Evolve(s State) State {
	s.Status = Revoked
	return s
}

// Grant gives consent, in place of what was given before. The execution may
// repeat it.
type Grant struct{ ConsentGranted }

// Decide implements [domain.Command].
func (c Grant) Decide(s State) ([]Event, error) {
	if s.Execution == c.Execution && s.Status != "" {
		return nil, nil
	}
	granted := c.ConsentGranted
	if s.Key != 0 {
		granted.Key = s.Key
	}
	if granted.Key <= 0 || granted.User == "" || granted.Application.ID == "" {
		return nil, domain.Errorf(domain.Internal, "A consent needs a key, a user and an application.")
	}
	granted.Permissions = slices.Clone(granted.Permissions)
	return []Event{granted}, nil
}

// Revoke takes consent back. What does not stand need not be.
type Revoke struct{ By, Cause string }

// Decide implements [domain.Command].
func (c Revoke) Decide(s State) ([]Event, error) {
	if s.Status != Given {
		return nil, nil
	}
	return []Event{ConsentRevoked(c)}, nil
}

// Expire ends a consent whose time is over.
type Expire struct{ Now time.Time }

// Decide implements [domain.Command].
func (c Expire) Decide(s State) ([]Event, error) {
	if s.Status != Given || s.Stands(c.Now) {
		return nil, nil
	}
	return []Event{ConsentExpired{}}, nil
}
