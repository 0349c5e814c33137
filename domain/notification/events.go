// Package notification is the aggregate of one notification: what somebody is
// told because a rule wants it, and whether they have seen it. It owns the
// kinds of the rules and of the ways to tell; who is told what is decided by
// who follows the ledger.
package notification

import "github.com/flowledger/flowledger/domain"

// State is one notification.
type State struct {
	Status Status
	NotificationRaised
	Seen bool
}

// A Status tells whether a notification is there.
type Status string

// The statuses. The zero one is a notification that never was.
const (
	Present Status = "present"
	Removed Status = "removed"
)

// An Event is something that happened to a notification.
type Event = domain.Event[State]

// NotificationRaised records that somebody is to be told of an event.
type NotificationRaised struct {
	Rule     domain.Ref `json:"rule,omitzero"` // none for a trial of a transport
	Event    string     `json:"event,omitempty"`
	User     string     `json:"user"` // id of who is told
	Severity string     `json:"severity"`
	Body     string     `json:"body,omitempty" seal:"T"` // may name whom the event is about
}

// EventType implements [domain.Event].
func (NotificationRaised) EventType() string { return "NotificationRaised" }

// Evolve implements [domain.Event].
func (e NotificationRaised) Evolve(State) State { return State{Status: Present, NotificationRaised: e} }

// NotificationSeen records that its reader has seen a notification.
type NotificationSeen struct {
	By string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (NotificationSeen) EventType() string { return "NotificationSeen" }

// Evolve implements [domain.Event].
func (NotificationSeen) Evolve(s State) State {
	s.Seen = true
	return s
}

// NotificationUnseen records that its reader wants to see it anew.
type NotificationUnseen struct {
	By string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (NotificationUnseen) EventType() string { return "NotificationUnseen" }

// Evolve implements [domain.Event].
func (NotificationUnseen) Evolve(s State) State {
	s.Seen = false
	return s
}

// NotificationRemoved records that its reader does not want it any more.
type NotificationRemoved struct {
	By string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (NotificationRemoved) EventType() string { return "NotificationRemoved" }

// Evolve implements [domain.Event].
func (NotificationRemoved) Evolve(s State) State {
	s.Status = Removed
	return s
}
