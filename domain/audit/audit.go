// Package audit is the aggregate of one look at audit data, or of one note that
// somebody wrote into the trail: a stream that is appended to once.
package audit

import "github.com/flowledger/flowledger/domain"

// State tells whether the note is there.
type State struct {
	Written bool
}

// An Event is something for the audit trail.
type Event = domain.Event[State]

// AuditCustomRecorded records an event of somebody's own making: a policy's
// ak_create_event, or the API's POST.
type AuditCustomRecorded struct {
	Action  string         `json:"action"` // custom_…
	App     string         `json:"app"`    // name of the policy, or what the client said
	By      string         `json:"by,omitempty"`
	Context map[string]any `json:"context,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (AuditCustomRecorded) EventType() string { return "AuditCustomRecorded" }

// Evolve implements [domain.Event].
func (AuditCustomRecorded) Evolve(State) State { return State{Written: true} }

// AuditPolicyTested records that somebody tried a policy out.
type AuditPolicyTested struct {
	Policy  domain.Ref     `json:"policy"`
	User    string         `json:"user,omitempty"` // about whom it was asked
	Passing bool           `json:"passing"`
	By      string         `json:"by,omitempty"`
	Context map[string]any `json:"context,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (AuditPolicyTested) EventType() string { return "AuditPolicyTested" }

// Evolve implements [domain.Event].
func (AuditPolicyTested) Evolve(State) State { return State{Written: true} }

// Write writes one event. Repeating it changes nothing.
type Write struct{ Event Event }

// Decide implements [domain.Command].
func (c Write) Decide(s State) ([]Event, error) {
	if s.Written {
		return nil, nil
	}
	return []Event{c.Event}, nil
}
