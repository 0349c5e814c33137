// Package worker is the aggregate of one worker: which events it gave up on,
// and what became of them. Its progress is not in the ledger, for that would
// feed itself (spec/events.md 1).
package worker

import (
	"maps"

	"github.com/flowledger/flowledger/domain"
)

// State is what a worker could not do.
type State struct {
	Parked int              // events that wait for somebody to look at them
	Events map[string]bool  // by id, all that were ever parked; true for those that wait
	Places map[string]Place // where they stand
}

// A Place is where an event stands in its stream.
type Place struct {
	Stream   string
	Revision int64
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
	Stream   string `json:"stream,omitempty"` // of the event; only where it can be released
	Revision int64  `json:"revision,omitempty"`
}

// EventType implements [domain.Event].
func (WorkerEventParked) EventType() string { return "WorkerEventParked" }

// Evolve implements [domain.Event].
func (e WorkerEventParked) Evolve(s State) State {
	s = s.mark(e.Event, true)
	s.Places = with(s.Places, e.Event, Place{e.Stream, e.Revision})
	return s
}

// WorkerEventReleased records that a worker is to try a parked event again.
type WorkerEventReleased struct {
	Event string `json:"event"`
	By    string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (WorkerEventReleased) EventType() string { return "WorkerEventReleased" }

// Evolve implements [domain.Event].
func (e WorkerEventReleased) Evolve(s State) State { return s.mark(e.Event, false) }

// WorkerEventAbandoned records that nobody wants a parked event any more.
type WorkerEventAbandoned struct {
	Event string `json:"event"`
	By    string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (WorkerEventAbandoned) EventType() string { return "WorkerEventAbandoned" }

// Evolve implements [domain.Event].
func (e WorkerEventAbandoned) Evolve(s State) State { return s.mark(e.Event, false) }

// mark says whether an event waits.
func (s State) mark(event string, waits bool) State {
	switch {
	case waits && !s.Events[event]:
		s.Parked++
	case !waits && s.Events[event]:
		s.Parked--
	}
	s.Events = with(s.Events, event, waits)
	return s
}

// with returns a map with one more entry, without writing it.
func with[V any](m map[string]V, key string, value V) map[string]V {
	out := make(map[string]V, len(m)+1)
	maps.Copy(out, m)
	out[key] = value
	return out
}

// Park gives up on an event. Repeating it changes nothing: a worker acts at
// least once. Again parks one that was parked before and was to be tried again.
type Park struct {
	WorkerEventParked
	Again bool
}

// Decide implements [domain.Command].
func (c Park) Decide(s State) ([]Event, error) {
	if waits, known := s.Events[c.Event]; waits || known && !c.Again {
		return nil, nil
	}
	return []Event{c.WorkerEventParked}, nil
}

// Release has the worker try a parked event again.
type Release struct{ Event, By string }

// Decide implements [domain.Command].
func (c Release) Decide(s State) ([]Event, error) {
	if !s.Events[c.Event] {
		return nil, notParked()
	}
	return []Event{WorkerEventReleased(c)}, nil
}

// Abandon gives a parked event up for good.
type Abandon struct{ Event, By string }

// Decide implements [domain.Command].
func (c Abandon) Decide(s State) ([]Event, error) {
	if !s.Events[c.Event] {
		return nil, notParked()
	}
	return []Event{WorkerEventAbandoned(c)}, nil
}

func notParked() error { return domain.Errorf(domain.NotFound, "No such event is parked.") }
