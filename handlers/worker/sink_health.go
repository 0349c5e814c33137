package worker

import "time"

// The states of a delivery.
const (
	Delivering = "delivering" // all there is has arrived, or is on its way
	Behind     = "behind"     // events wait for longer than they should
	Failing    = "failing"    // the target takes nothing
	Parked     = "parked"     // it delivers, but gave up on some events
	Off        = "off"        // nobody wants it to
)

// A Delivery is how a sink is doing.
type Delivery struct {
	ID, Name, Kind, Format string

	Enabled bool
	State   string

	Lag       time.Duration // how long the oldest event has been waiting
	At, Head  Position      // how far the sink has come, and how far the ledger
	Delivered int64         // events, in all
	Parked    int64         // events that wait for somebody to look at them
	LastError string        // of the outage there is; it names the host, and no secret
	Since     time.Time     // when the outage began
	NextTry   time.Time     // of the delivery, where that is known
}
