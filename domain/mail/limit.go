package mail

import (
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Resends are the mails that were sent to an address once more because
// somebody asked. Their stream is named by a keyed code of the address, so all
// executions share them, and they outlive the program.
type Resends struct {
	Last []MailResent // not all that ever were
}

// kept is how many resends are remembered at least: no limit is higher.
const kept = 1000

// MailResent records that somebody wants a mail once more. It names no address.
type MailResent struct {
	Request string    `json:"request"` // what was asked; the same asked twice counts once
	At      time.Time `json:"at"`
}

// EventType implements [domain.Event].
func (MailResent) EventType() string { return "MailResent" }

// Evolve implements [domain.Event].
func (e MailResent) Evolve(r Resends) Resends {
	if len(r.Last) >= 2*kept {
		r.Last = r.Last[kept:]
	}
	r.Last = append(slices.Clip(r.Last), e)
	return r
}

// A TooManyError says that an address has had its mails.
type TooManyError struct{ Wait time.Duration }

// Error implements error.
func (e *TooManyError) Error() string { return "mail: too many, for another " + e.Wait.String() }

// Resend asks for a mail once more: at most so many within any stretch of
// time.
type Resend struct {
	Request string
	Most    int
	Within  time.Duration
	Now     time.Time
}

// Decide implements [domain.Command].
func (c Resend) Decide(r Resends) ([]domain.Event[Resends], error) {
	var recent []MailResent
	for _, e := range r.Last {
		if e.Request == c.Request {
			return nil, nil
		}
		if e.At.Add(c.Within).After(c.Now) {
			recent = append(recent, e)
		}
	}
	most := min(c.Most, kept)
	if len(recent) < most {
		return []domain.Event[Resends]{MailResent{Request: c.Request, At: c.Now}}, nil
	}
	wait := c.Within
	if most > 0 {
		wait = recent[len(recent)-most].At.Add(c.Within).Sub(c.Now)
	}
	return nil, &TooManyError{Wait: wait}
}
