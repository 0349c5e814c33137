package session

import (
	"maps"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// State is one browser session.
type State struct {
	Status     Status
	Kind       string          // browser or api
	User       string          // id of who is logged in; empty for nobody
	Execution  string          // that logged the user in
	Logins     map[string]bool // executions that logged somebody in here: none does so twice
	Logouts    map[string]bool // and those that logged somebody out
	Generation int             // counts the logins: a cookie of an older one proves nothing
	Expires    time.Time
	Begun      time.Time
	Login      time.Time
	Seen       time.Time // when its use was last recorded
	Browser    bool      // its cookie ends with the browser
	Bound      Binding
	IP         string            // at login, what the binding compares with
	Origin     Origin            // of that address, as databases told then
	LastIP     string            // where a tied session was used last, as far as recorded
	Flows      map[string]string // flow id to the execution that is under way
	Cause      string            // why it ended
}

// A Binding says to what of the network a session is tied (spec/stages.md
// 3.3), and what that was at login.
type Binding struct {
	Network string `json:"network,omitempty"`
	GeoIP   string `json:"geoip,omitempty"`
}

// ties tells whether the session is tied to anything.
func (b Binding) ties() bool {
	const no = "no_binding"
	return b.Network != "" && b.Network != no || b.GeoIP != "" && b.GeoIP != no
}

// A Status tells whether a session is alive.
type Status string

// The statuses. The zero one is a session that never was.
const (
	Alive Status = "alive"
	Ended Status = "ended"
)

// An Event is something that happened to a session.
type Event = domain.Event[State]

// SessionBegun records the first durable need of a session. Its network part
// is the one of the append.
type SessionBegun struct {
	Kind    string    `json:"kind"`
	Begun   time.Time `json:"begun"`
	Expires time.Time `json:"expires"`
}

// EventType implements [domain.Event].
func (SessionBegun) EventType() string { return "SessionBegun" }

// Evolve implements [domain.Event].
func (e SessionBegun) Evolve(State) State {
	return State{Status: Alive, Kind: e.Kind, Expires: e.Expires, Begun: e.Begun, Seen: e.Begun}
}

// SessionExecutionAttached records that an execution became the session's
// current one of its flow.
type SessionExecutionAttached struct {
	Execution string     `json:"execution"`
	Flow      domain.Ref `json:"flow"`
	Replaces  string     `json:"replaces,omitempty"`
}

// EventType implements [domain.Event].
func (SessionExecutionAttached) EventType() string { return "SessionExecutionAttached" }

// Evolve implements [domain.Event].
func (e SessionExecutionAttached) Evolve(s State) State {
	flows := make(map[string]string, len(s.Flows)+1)
	maps.Copy(flows, s.Flows)
	flows[e.Flow.ID] = e.Execution
	s.Flows = flows
	return s
}

// SessionAuthenticated records that a user is logged in, as the execution
// decided.
type SessionAuthenticated struct {
	User      string    `json:"user"`
	Execution string    `json:"execution"`
	Login     time.Time `json:"login"`
	Expires   time.Time `json:"expires"`
	Browser   bool      `json:"browser"`
	Bound     Binding   `json:"binding"`
	IP        string    `json:"ip,omitempty" seal:"N"` // what the binding compares with
	Place     *Place    `json:"geo,omitempty" seal:"N"`
	System    *System   `json:"asn,omitempty" seal:"N"`
}

// EventType implements [domain.Event].
func (SessionAuthenticated) EventType() string { return "SessionAuthenticated" }

// Evolve implements [domain.Event].
func (e SessionAuthenticated) Evolve(s State) State {
	s.User, s.Execution, s.Login, s.Expires, s.Bound, s.IP = e.User, e.Execution, e.Login, e.Expires, e.Bound, e.IP
	s.Origin, s.LastIP = Origin{Place: e.Place, System: e.System}, e.IP
	s.Logins = with(s.Logins, e.Execution)
	s.Seen, s.Browser = e.Login, e.Browser
	s.Generation++
	return s
}

// SessionSeen records that the session was used from a new address, or after
// a while.
type SessionSeen struct {
	At time.Time `json:"at"`
	IP string    `json:"ip,omitempty" seal:"N"` // of a session that is tied to its network
}

// EventType implements [domain.Event].
func (SessionSeen) EventType() string { return "SessionSeen" }

// Evolve implements [domain.Event].
func (e SessionSeen) Evolve(s State) State {
	s.Seen = e.At
	if e.IP != "" {
		s.LastIP = e.IP
	}
	return s
}

// SessionBindingBroken records that the network is not the one the session is
// tied to.
type SessionBindingBroken struct {
	Reason     string `json:"reason"` // network.asn, network.ip …
	Mode       string `json:"mode"`
	Previous   string `json:"previous,omitempty" seal:"N"` // what was compared, as text; empty where it is not known
	New        string `json:"new,omitempty" seal:"N"`
	PreviousIP string `json:"previous_ip,omitempty" seal:"N"`
	NewIP      string `json:"new_ip,omitempty" seal:"N"`
}

// EventType implements [domain.Event].
func (SessionBindingBroken) EventType() string { return "SessionBindingBroken" }

// Evolve implements [domain.Event].
func (SessionBindingBroken) Evolve(s State) State { return s }

// SessionLoggedOut records that the user left.
type SessionLoggedOut struct {
	User      string `json:"user,omitempty"`
	Execution string `json:"execution,omitempty"`
	Cause     string `json:"cause"` // user
}

// EventType implements [domain.Event].
func (SessionLoggedOut) EventType() string { return "SessionLoggedOut" }

// Evolve implements [domain.Event]. The cookies that proved the user prove
// nobody from here on.
func (e SessionLoggedOut) Evolve(s State) State {
	s.User, s.Execution = "", ""
	s.Generation++
	s.Logouts = with(s.Logouts, e.Execution)
	return s
}

// with returns a set with one more member.
func with(set map[string]bool, member string) map[string]bool {
	out := make(map[string]bool, len(set)+1)
	maps.Copy(out, set)
	out[member] = true
	return out
}

// SessionRevoked records that somebody else, or a rule, ended the session.
type SessionRevoked struct {
	By    string `json:"by,omitempty"`
	Cause string `json:"cause"` // admin, password_changed, user_deactivated, limit, binding
}

// EventType implements [domain.Event].
func (SessionRevoked) EventType() string { return "SessionRevoked" }

// Evolve implements [domain.Event].
func (SessionRevoked) Evolve(s State) State { return s }

// SessionEnded is the last event of a session.
type SessionEnded struct {
	Cause string `json:"cause"` // expired, idle, logged_out or revoked
}

// EventType implements [domain.Event].
func (SessionEnded) EventType() string { return "SessionEnded" }

// Evolve implements [domain.Event]. Who was logged in stays known, for the
// audit; the status says that nobody is.
func (e SessionEnded) Evolve(s State) State {
	s.Status, s.Cause, s.Flows = Ended, e.Cause, nil
	return s
}
