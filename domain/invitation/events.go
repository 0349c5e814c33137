package invitation

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// State is one invitation.
type State struct {
	Status Status
	Terms
	By     string    // id of the user who made it; empty for the program
	UsedBy string    // id of the execution that used it last
	UsedAt time.Time // when that was
}

// Terms are what an invitation is made of. What names people in it is sealed.
type Terms struct {
	Flow      string         `json:"flow,omitempty"` // id of the only flow that it opens; empty for any
	SingleUse bool           `json:"single_use"`
	Expires   time.Time      `json:"expires,omitzero"` // zero for never
	Name      string         `json:"name" seal:"T"`
	FixedData map[string]any `json:"fixed_data,omitempty" seal:"T"`
}

// A Status tells what an invitation is good for.
type Status string

// The statuses. The zero one is an invitation that never was.
const (
	Open    Status = "open"
	Used    Status = "used" // of those that work once
	Expired Status = "expired"
	Removed Status = "removed"
)

// An Event is something that happened to an invitation.
type Event = domain.Event[State]

// InvitationCreated records a new invitation, or new terms of an open one, all
// of them: whoever has the link has another invitation then.
type InvitationCreated struct {
	Terms
	Changed []string `json:"changed,omitempty"` // the fields that differ from before; none of a new one
	Before  *Before  `json:"previous,omitempty"`
	By      string   `json:"by,omitempty"`
	Via     string   `json:"via"` // api or blueprint

	PreviousName string         `json:"previous_name,omitempty" seal:"T"` // if another
	PreviousData map[string]any `json:"previous_fixed_data,omitempty" seal:"T"`
}

// A Before is what the terms were that differ, apart from what guests are told
// or told about.
type Before struct {
	Flow      *string    `json:"flow,omitempty"`
	SingleUse *bool      `json:"single_use,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"`
}

// EventType implements [domain.Event].
func (InvitationCreated) EventType() string { return "InvitationCreated" }

// Evolve implements [domain.Event].
func (e InvitationCreated) Evolve(s State) State {
	if e.Changed == nil {
		s = State{Status: Open, By: e.By}
	}
	s.Terms = e.Terms
	return s
}

// InvitationUsed records that an execution lets somebody in with it. Last says
// that it lets nobody in after that.
type InvitationUsed struct {
	Execution string    `json:"execution"`
	User      string    `json:"user,omitempty"` // whom the execution is about, if it is known by then
	At        time.Time `json:"at"`
	Last      bool      `json:"last,omitempty"`
}

// EventType implements [domain.Event].
func (InvitationUsed) EventType() string { return "InvitationUsed" }

// Evolve implements [domain.Event].
func (e InvitationUsed) Evolve(s State) State {
	s.UsedBy, s.UsedAt = e.Execution, e.At
	if e.Last {
		s.Status = Used
	}
	return s
}

// InvitationExpired records that the invitation's time is over.
type InvitationExpired struct{}

// EventType implements [domain.Event].
func (InvitationExpired) EventType() string { return "InvitationExpired" }

// Evolve implements [domain.Event].
func (InvitationExpired) Evolve(s State) State {
	s.Status = Expired
	return s
}

// InvitationRemoved records that somebody took the invitation back.
type InvitationRemoved struct {
	By  string `json:"by,omitempty"`
	Via string `json:"via"`
}

// EventType implements [domain.Event].
func (InvitationRemoved) EventType() string { return "InvitationRemoved" }

// Evolve implements [domain.Event].
func (InvitationRemoved) Evolve(s State) State {
	s.Status = Removed
	return s
}
