package trail

import (
	"time"
)

// tellEvery is how far apart the deliveries that are told of are at least.
const tellEvery = time.Minute

// Deliver tells that a target has taken events. Within a minute of the last
// time there is nothing to tell: whoever delivers adds up until then.
type Deliver struct {
	ExportBatchDelivered
	Now time.Time
}

// Decide implements [domain.Command].
func (c Deliver) Decide(s State) ([]Event, error) {
	if c.Count == 0 || c.Now.Before(s.Told.Add(tellEvery)) {
		return nil, nil
	}
	e := c.ExportBatchDelivered
	e.Told = c.Now
	return []Event{e}, nil
}

// Fail tells of an outage. Within one there is nothing more to tell.
type Fail struct{ ExportDeliveryFailed }

// Decide implements [domain.Command].
func (c Fail) Decide(s State) ([]Event, error) {
	if s.Down {
		return nil, nil
	}
	return []Event{c.ExportDeliveryFailed}, nil
}

// Recover tells that an outage is over.
type Recover struct{ Attempts int }

// Decide implements [domain.Command].
func (c Recover) Decide(s State) ([]Event, error) {
	if !s.Down {
		return nil, nil
	}
	return []Event{ExportDeliveryRecovered{From: s.Since, Attempts: c.Attempts}}, nil
}

// Resend wants what comes after a position sent again.
type Resend struct{ From, By string }

// Decide implements [domain.Command].
func (c Resend) Decide(State) ([]Event, error) {
	return []Event{ExportResendRequested(c)}, nil
}
