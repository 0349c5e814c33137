// Package trail is the outgoing trail as it is configured and remembered: the
// kind of its sinks, to which events are sent, and the aggregate of one
// sink's deliveries. It sends nothing itself.
package trail

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// State is what the ledger remembers of the deliveries to one sink.
type State struct {
	Down      bool      // there is an outage
	Since     string    // where in the ledger it began
	Delivered int64     // events, as far as they are told of
	Told      time.Time // when a delivery was told of last
	Resends   int       // how often somebody wanted events sent again
	From      string    // after which position, the last time
}

// An Event is something that happened to the deliveries of a sink.
type Event = domain.Event[State]

// ExportBatchDelivered records that a target has taken events. It tells of all
// batches since the last one that was told of.
type ExportBatchDelivered struct {
	From  string    `json:"from"` // position of the first event
	To    string    `json:"to"`   // and of the last
	Count int64     `json:"count"`
	Ack   string    `json:"ack,omitempty"` // what the target said, such as its status
	Told  time.Time `json:"told"`
}

// EventType implements [domain.Event].
func (ExportBatchDelivered) EventType() string { return "ExportBatchDelivered" }

// Evolve implements [domain.Event].
func (e ExportBatchDelivered) Evolve(s State) State {
	s.Delivered, s.Told = s.Delivered+e.Count, e.Told
	return s
}

// ExportDeliveryFailed records that a target takes nothing any more. It is
// written once for each outage.
type ExportDeliveryFailed struct {
	From     string `json:"from"` // position of the first event that waits
	Attempts int    `json:"attempts"`
	Class    string `json:"class"`
}

// EventType implements [domain.Event].
func (ExportDeliveryFailed) EventType() string { return "ExportDeliveryFailed" }

// Evolve implements [domain.Event].
func (e ExportDeliveryFailed) Evolve(s State) State {
	s.Down, s.Since = true, e.From
	return s
}

// ExportDeliveryRecovered records that a target takes events again.
type ExportDeliveryRecovered struct {
	From     string `json:"from"` // where the outage began
	Attempts int    `json:"attempts"`
}

// EventType implements [domain.Event].
func (ExportDeliveryRecovered) EventType() string { return "ExportDeliveryRecovered" }

// Evolve implements [domain.Event].
func (ExportDeliveryRecovered) Evolve(s State) State {
	s.Down, s.Since = false, ""
	return s
}

// ExportResendRequested records that somebody wants events sent again.
type ExportResendRequested struct {
	From string `json:"from"` // what comes after this position is sent again
	By   string `json:"by,omitempty"`
}

// EventType implements [domain.Event].
func (ExportResendRequested) EventType() string { return "ExportResendRequested" }

// Evolve implements [domain.Event].
func (e ExportResendRequested) Evolve(s State) State {
	s.Resends, s.From = s.Resends+1, e.From
	return s
}
