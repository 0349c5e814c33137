// Package worker is the aggregate of one worker: which events it gave up on.
// Its progress is not in the ledger, for that would feed itself
// (spec/events.md 1).
package worker

import (
	"maps"

	"github.com/flowledger/flowledger/domain"
)

// State is what a worker could not do.
type State struct {
	Parked int             // events that wait for somebody to look at them
	Events map[string]bool // their ids
}

// An Event is something that happened to a worker.
type Event = domain.Event[State]

// WorkerEventParked records that a worker gave up on an event and went on.
type WorkerEventParked struct {
	Worker   string `json:"worker"`
	Event    string `json:"event"`
	Position string `json:"position"`
	Attempts int    `json:"attempts"` // that failed
	Class    string `json:"class"`
	Detail   string `json:"detail,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (WorkerEventParked) EventType() string { return "WorkerEventParked" }

// Evolve implements [domain.Event].
func (e WorkerEventParked) Evolve(s State) State {
	events := make(map[string]bool, len(s.Events)+1)
	maps.Copy(events, s.Events)
	events[e.Event] = true
	s.Parked, s.Events = s.Parked+1, events
	return s
}

// Park gives up on an event. Repeating it changes nothing: a worker acts at
// least once.
type Park struct{ WorkerEventParked }

// Decide implements [domain.Command].
func (c Park) Decide(s State) ([]Event, error) {
	if s.Events[c.Event] {
		return nil, nil
	}
	return []Event{c.WorkerEventParked}, nil
}
