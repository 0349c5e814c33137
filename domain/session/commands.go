package session

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Begin starts a session.
type Begin struct {
	Kind    string
	Now     time.Time
	Expires time.Time
}

// Decide implements [domain.Command].
func (c Begin) Decide(s State) ([]Event, error) {
	if s.Status != "" {
		return nil, domain.Errorf(domain.Conflict, "The session has begun already.")
	}
	return []Event{SessionBegun{Kind: c.Kind, Begun: c.Now, Expires: c.Expires}}, nil
}

// Attach makes an execution the current one of its flow.
type Attach struct {
	Execution string
	Flow      domain.Ref
}

// Decide implements [domain.Command].
func (c Attach) Decide(s State) ([]Event, error) {
	if s.Status != Alive {
		return nil, domain.Errorf(domain.Expired, "The session is over.")
	}
	current := s.Flows[c.Flow.ID]
	if current == c.Execution {
		return nil, nil
	}
	return []Event{SessionExecutionAttached{Execution: c.Execution, Flow: c.Flow, Replaces: current}}, nil
}

// Authenticate logs a user in, as an execution decided. Repeating it changes
// nothing.
type Authenticate struct {
	User      string
	Execution string
	Expires   time.Time
	Browser   bool
	Bound     Binding
	IP        string
	Origin    Origin
	Now       time.Time
}

// Decide implements [domain.Command].
func (c Authenticate) Decide(s State) ([]Event, error) {
	switch {
	case s.Logins[c.Execution]:
		return nil, nil // also if somebody else was logged in since
	case s.Status != Alive:
		return nil, domain.Errorf(domain.Expired, "The session is over.")
	}
	return []Event{SessionAuthenticated{
		User: c.User, Execution: c.Execution, Login: c.Now, Expires: c.Expires, Browser: c.Browser, Bound: c.Bound, IP: c.IP,
		Place: c.Origin.Place, System: c.Origin.System,
	}}, nil
}

// SeenEvery is how far apart the records of a session's use are; MovedEvery,
// those of a session that is tied to its network and moves about in it.
const (
	SeenEvery  = 15 * time.Minute
	MovedEvery = time.Minute
)

// Unseen tells whether a use is to be recorded.
func (s State) Unseen(ip string, now time.Time) bool {
	since := now.Sub(s.Seen)
	return since >= SeenEvery || since >= MovedEvery && s.Bound.ties() && ip != s.LastIP
}

// See records that the session was used, now and then.
type See struct {
	IP  string
	Now time.Time
}

// Decide implements [domain.Command].
func (c See) Decide(s State) ([]Event, error) {
	if s.Status != Alive {
		return nil, domain.Errorf(domain.Expired, "The session is over.")
	}
	if !s.Unseen(c.IP, c.Now) {
		return nil, nil
	}
	seen := SessionSeen{At: c.Now}
	if s.Bound.ties() {
		seen.IP = c.IP
	}
	return []Event{seen}, nil
}

// Break ends a session whose network is not the one it is tied to.
type Break struct {
	Reason     string
	Mode       string
	Previous   string
	New        string
	PreviousIP string
	NewIP      string
}

// Decide implements [domain.Command].
func (c Break) Decide(s State) ([]Event, error) {
	if s.Status != Alive {
		return nil, nil
	}
	return []Event{
		SessionBindingBroken(c),
		SessionRevoked{Cause: "binding"},
		SessionEnded{Cause: "revoked"},
	}, nil
}

// LogOut logs a session's user out, and ends the session unless it is kept for
// the stages that follow. Repeating it changes nothing.
type LogOut struct {
	Execution string
	Cause     string
	Keep      bool
}

// Decide implements [domain.Command].
func (c LogOut) Decide(s State) ([]Event, error) {
	if s.Status != Alive || s.Logouts[c.Execution] {
		return nil, nil
	}
	out := SessionLoggedOut{User: s.User, Execution: c.Execution, Cause: c.Cause}
	switch {
	case !c.Keep:
		return []Event{out, SessionEnded{Cause: "logged_out"}}, nil
	case s.User == "":
		return nil, nil
	}
	return []Event{out}, nil
}

// Revoke ends a session against, or without, its user's will.
type Revoke struct {
	By    string
	Cause string
}

// Decide implements [domain.Command].
func (c Revoke) Decide(s State) ([]Event, error) {
	if s.Status != Alive {
		return nil, nil
	}
	return []Event{SessionRevoked{By: c.By, Cause: c.Cause}, SessionEnded{Cause: "revoked"}}, nil
}

// Expire ends a session whose time is over.
type Expire struct {
	Now time.Time
}

// Decide implements [domain.Command].
func (c Expire) Decide(s State) ([]Event, error) {
	cause := s.over(c.Now)
	if s.Status != Alive || cause == "" {
		return nil, nil
	}
	return []Event{SessionEnded{Cause: cause}}, nil
}

// How long a session lives that nobody uses. One whose cookie ends with the
// browser was meant for a day's work.
const (
	IdleBrowser = 12 * time.Hour
	IdleKept    = 7 * 24 * time.Hour
)

// over tells why the session's time is over, or nothing.
func (s State) over(now time.Time) string {
	idle := IdleKept
	if s.Browser {
		idle = IdleBrowser
	}
	switch {
	case !now.Before(s.Expires):
		return "expired"
	case now.Sub(s.Seen) >= idle:
		return "idle"
	}
	return ""
}

// Living tells whether the session can still be used.
func (s State) Living(now time.Time) bool { return s.Status == Alive && s.over(now) == "" }

// Authenticated tells whether the session proves its user at this moment.
func (s State) Authenticated(now time.Time) bool {
	return s.Living(now) && s.User != ""
}
