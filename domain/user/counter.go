package user

import "github.com/flowledger/flowledger/domain"

// Counter is the last integer key that was given. Its stream is counter-user.
type Counter struct {
	Last int
}

// A CounterEvent is something that happened to a counter.
type CounterEvent = domain.Event[Counter]

// CounterAdvanced records that a key is taken.
type CounterAdvanced struct {
	To int `json:"to"`
}

// EventType implements [domain.Event].
func (CounterAdvanced) EventType() string { return "CounterAdvanced" }

// Evolve implements [domain.Event].
func (e CounterAdvanced) Evolve(Counter) Counter { return Counter{Last: e.To} }

// Advance takes the next key.
type Advance struct{}

// Decide implements [domain.Command].
func (Advance) Decide(s Counter) ([]CounterEvent, error) {
	return []CounterEvent{CounterAdvanced{To: s.Last + 1}}, nil
}
