package invitation

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Admits tells whether the invitation lets an execution of a flow in at this
// moment. The execution that used it last is let in again.
func (s State) Admits(execution, flow string, now time.Time) bool {
	if s.Flow != "" && s.Flow != flow {
		return false
	}
	return s.Status == Open && s.valid(now) || s.Status == Used && s.UsedBy == execution && execution != ""
}

func (s State) valid(now time.Time) bool { return s.Expires.IsZero() || now.Before(s.Expires) }

// abandoned is how long an invitation stays with an execution that never came
// to be.
const abandoned = time.Minute

// Abandoned tells whether the execution that used the invitation up has had
// the time to come to be. If it never did, the next one may have it.
func (s State) Abandoned(now time.Time) bool {
	return s.Status == Used && now.Sub(s.UsedAt) > abandoned
}

// Without returns the invitation as if the execution that used it up had not.
func (s State) Without() State {
	s.Status, s.UsedBy, s.UsedAt = Open, "", time.Time{}
	return s
}

// Use lets an execution in. Of several that want an invitation that works
// once, one gets it; it may repeat that. From names a holder from whom it may
// be taken: an execution that never came to be, which the caller knows.
type Use struct {
	Execution string
	Flow      string // id
	User      string
	From      string
	Now       time.Time
}

// Decide implements [domain.Command].
func (c Use) Decide(s State) ([]Event, error) {
	if s.Status == "" {
		return nil, domain.Errorf(domain.NotFound, "There is no such invitation.")
	}
	if s.UsedBy == c.Execution {
		return nil, nil
	}
	if c.From != "" && s.UsedBy == c.From && s.Status == Used {
		s = s.Without()
	}
	if !s.Admits(c.Execution, c.Flow, c.Now) {
		return nil, domain.Errorf(domain.Expired, "The invitation is not valid any more.")
	}
	return []Event{InvitationUsed{Execution: c.Execution, User: c.User, At: c.Now, Last: s.SingleUse}}, nil
}

// Remove takes an invitation back. Removing what is over is nothing to do.
type Remove struct {
	By  string
	Via string
}

// Decide implements [domain.Command].
func (c Remove) Decide(s State) ([]Event, error) {
	if s.Status != Open {
		return nil, nil
	}
	return []Event{InvitationRemoved{By: c.By, Via: c.Via}}, nil
}

// Expire ends an invitation whose time is over.
type Expire struct {
	Now time.Time
}

// Decide implements [domain.Command].
func (c Expire) Decide(s State) ([]Event, error) {
	if s.Status != Open || s.valid(c.Now) {
		return nil, nil
	}
	return []Event{InvitationExpired{}}, nil
}
