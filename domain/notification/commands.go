package notification

import (
	"strings"

	"github.com/flowledger/flowledger/domain"
)

// maxBody bounds what a notification says, in bytes. The event says the rest.
const maxBody = 1 << 10

// Raise tells somebody of an event. Repeating it changes nothing, also when
// the notification was seen or removed meanwhile.
type Raise struct{ NotificationRaised }

// Decide implements [domain.Command].
func (c Raise) Decide(s State) ([]Event, error) {
	if s.Status != "" {
		return nil, nil
	}
	e := c.NotificationRaised
	if e.User == "" {
		return nil, domain.Errorf(domain.Invalid, "A notification is for somebody.")
	}
	if len(e.Body) > maxBody {
		e.Body = strings.ToValidUTF8(e.Body[:maxBody], "") + "…"
	}
	return []Event{e}, nil
}

// Mark says whether its reader has seen a notification.
type Mark struct {
	Seen bool
	By   string
}

// Decide implements [domain.Command].
func (c Mark) Decide(s State) ([]Event, error) {
	switch {
	case s.Status != Present:
		return nil, domain.Errorf(domain.NotFound, "No Notification matches the given query.")
	case s.Seen == c.Seen:
		return nil, nil
	case c.Seen:
		return []Event{NotificationSeen{By: c.By}}, nil
	}
	return []Event{NotificationUnseen{By: c.By}}, nil
}

// Remove takes a notification away. Removing what is not there is nothing to
// do.
type Remove struct{ By string }

// Decide implements [domain.Command].
func (c Remove) Decide(s State) ([]Event, error) {
	if s.Status != Present {
		return nil, nil
	}
	return []Event{NotificationRemoved{By: c.By}}, nil
}
