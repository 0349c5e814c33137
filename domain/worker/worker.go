// Package worker is the aggregate of one worker: which events it gave up on.
// Its progress is not in the ledger, for that would feed itself
// (spec/events.md 1).
package worker

import (
	"github.com/flowledger/flowledger/domain"
)

// State is what a worker could not do.
type State struct {
	Parked int // events that wait for somebody to look at them
}

// An Event is something that happened to a worker.
type Event = domain.Event[State]

// WorkerEventParked records that a worker gave up on an event and went on.
type WorkerEventParked struct {
	Worker   string `json:"worker"`
	Event    string `json:"event"`
	Position string `json:"position"`
	Class    string `json:"class"`
	Detail   string `json:"detail,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (WorkerEventParked) EventType() string { return "WorkerEventParked" }

// Evolve implements [domain.Event].
func (WorkerEventParked) Evolve(s State) State {
	s.Parked++
	return s
}

// Park gives up on an event.
type Park struct{ WorkerEventParked }

// Decide implements [domain.Command].
func (c Park) Decide(State) ([]Event, error) { return []Event{c.WorkerEventParked}, nil }
