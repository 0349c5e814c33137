package execution

import (
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// StageInserted records that a stage or a policy put an entry into the plan,
// at Index of the entries left, -1 for the end.
type StageInserted struct {
	Index       int     `json:"index"`
	Entries     []Entry `json:"entries"`
	By          string  `json:"by"`
	Destination string  `json:"destination,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (StageInserted) EventType() string { return "StageInserted" }

// Evolve implements [domain.Event].
func (e StageInserted) Evolve(s State) State {
	entries := slices.Clone(e.Entries)
	for i := range entries {
		entries[i].Destination = e.Destination
		entries[i].Passed = entries[i].Marker != Reevaluate
	}
	at := e.Index
	if at < 0 || at > len(s.Plan) {
		at = len(s.Plan)
	}
	if at == 0 {
		s.Current = nil
	}
	s.Plan = slices.Insert(slices.Clone(s.Plan), at, entries...)
	return s
}

// UserLoggedIn records the decision to log the subject in. The session follows
// as an effect.
type UserLoggedIn struct {
	User           string         `json:"user"`
	Session        string         `json:"session"`
	AuthMethod     string         `json:"auth_method,omitempty"`
	Factors        []Factor       `json:"factors,omitempty"`
	AAL            int            `json:"aal"`
	AMR            []string       `json:"amr,omitempty"`
	KnownDevice    bool           `json:"known_device"`
	Remember       bool           `json:"remember"`
	Expires        time.Time      `json:"expires"`
	Bound          Binding        `json:"binding"`
	Terminated     []string       `json:"terminated,omitempty"`
	AuthMethodArgs map[string]any `json:"auth_method_args,omitempty" seal:"T"`
}

// A Binding says to what of the network a session is tied (spec/stages.md 3.3).
type Binding struct {
	Network string `json:"network"`
	GeoIP   string `json:"geoip"`
}

// EventType implements [domain.Event].
func (UserLoggedIn) EventType() string { return "UserLoggedIn" }

// Evolve implements [domain.Event].
func (e UserLoggedIn) Evolve(s State) State {
	s.LoggedIn, s.User = e.User, e.User
	return s
}

// UserLoggedOut records the decision to log the session's user out.
type UserLoggedOut struct {
	User    string `json:"user"`
	Session string `json:"session"`
}

// EventType implements [domain.Event].
func (UserLoggedOut) EventType() string { return "UserLoggedOut" }

// Evolve implements [domain.Event].
func (UserLoggedOut) Evolve(s State) State {
	s.User = ""
	return s
}

// StageCompleted records a right answer, or that there was nothing to ask:
// what was learned, and the effects that it asks for.
type StageCompleted struct {
	Binding  domain.Ref `json:"binding"`
	Sequence int        `json:"sequence,omitempty"`
	Attempts int        `json:"attempts"`
	MS       int64      `json:"ms,omitempty"` // since the client was asked first; none if it was not
	Grounds
	Debts
	Change
}

// EventType implements [domain.Event].
func (StageCompleted) EventType() string { return "StageCompleted" }

// Evolve implements [domain.Event].
func (e StageCompleted) Evolve(s State) State {
	s.History = append(s.History[:len(s.History):len(s.History)], Snapshot{Plan: s.Plan, Context: s.Context.Masked(), Subject: s.Subject})
	s.Plan, s.Current = s.Plan[1:], nil
	s.Context = s.Context.with(e.Change)
	s.Sealed = s.Sealed || len(e.Secret)+len(e.EffectSecrets) > 0
	return s.owe(e.owed()...)
}

// PlanRestarted records that the flow starts over. A PlanCreated follows, or a
// denial.
type PlanRestarted struct {
	KeepContext bool       `json:"keep_context"`
	Count       int        `json:"count"`
	Cause       string     `json:"cause"` // invalid_response or stage_invalid
	Binding     domain.Ref `json:"binding"`
}

// EventType implements [domain.Event].
func (PlanRestarted) EventType() string { return "PlanRestarted" }

// Evolve implements [domain.Event].
func (e PlanRestarted) Evolve(s State) State {
	s.Restarts, s.Plan, s.Current, s.Planned = e.Count, nil, nil, false
	if !e.KeepContext {
		s.Context, s.Subject, s.Factors = Context{}, Subject{}, nil
	}
	return s.oweToo()
}

// ExecutionCompleted records that nothing is left to do.
type ExecutionCompleted struct {
	Redirect string   `json:"redirect"` // next, context or default
	User     string   `json:"user,omitempty"`
	Session  string   `json:"session,omitempty"`
	Factors  []string `json:"factors,omitempty"` // the methods that were verified
	AAL      int      `json:"aal"`
	Restarts int      `json:"restarts"`
	MS       int64    `json:"ms"`              // since the start
	Early    string   `json:"early,omitempty"` // empty_flow or already_authenticated
	To       string   `json:"to" seal:"T"`
}

// EventType implements [domain.Event].
func (ExecutionCompleted) EventType() string { return "ExecutionCompleted" }

// Evolve implements [domain.Event].
func (e ExecutionCompleted) Evolve(s State) State {
	// A token is used up by what its link was for, not by opening the link
	// (spec/product.md 3, row 9).
	token := s.Context.Text(KeyIsRestored)
	s = s.ended(Completed, Conclusion{Cause: e.Redirect, To: e.To})
	if token != "" && e.Early == "" {
		s.Owed = append(s.Owed, Effect{UseToken: &UseToken{Token: token}})
	}
	return s
}

// ExecutionDenied records that the client may not go on.
type ExecutionDenied struct {
	Cause      string      `json:"cause"`
	Action     string      `json:"action"` // message, message_continue or continue
	Need       string      `json:"requirement,omitempty"`
	Binding    *domain.Ref `json:"binding,omitempty"`
	Evaluation string      `json:"evaluation,omitempty"`
	Message    string      `json:"message,omitempty" seal:"T"`
	To         string      `json:"to,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (ExecutionDenied) EventType() string { return "ExecutionDenied" }

// Evolve implements [domain.Event].
func (e ExecutionDenied) Evolve(s State) State {
	return s.ended(Denied, Conclusion{Cause: e.Cause, Message: e.Message, To: e.To})
}

// ExecutionCancelled records that somebody gave up.
type ExecutionCancelled struct {
	Cause string `json:"cause"`            // user, other_flow, logout or admin
	By    string `json:"by_run,omitempty"` // the execution that took its place
}

// EventType implements [domain.Event].
func (ExecutionCancelled) EventType() string { return "ExecutionCancelled" }

// Evolve implements [domain.Event].
func (e ExecutionCancelled) Evolve(s State) State {
	return s.ended(Cancelled, Conclusion{Cause: e.Cause})
}

// ExecutionExpired records that nobody touched the execution for too long.
type ExecutionExpired struct {
	IdleMS int64 `json:"idle_ms"`
}

// EventType implements [domain.Event].
func (ExecutionExpired) EventType() string { return "ExecutionExpired" }

// Evolve implements [domain.Event].
func (ExecutionExpired) Evolve(s State) State { return s.ended(Expired, Conclusion{Cause: "expired"}) }

// ExecutionFailed records a fault of ours. It ends the execution: what a stage
// that fails would do the next time is not known (spec/events.md 5.2).
type ExecutionFailed struct {
	Binding *domain.Ref `json:"binding,omitempty"`
	Class   string      `json:"class"`
	ErrorID string      `json:"error_id"`
	Detail  string      `json:"detail,omitempty" seal:"T"`
	Stack   string      `json:"stack,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (ExecutionFailed) EventType() string { return "ExecutionFailed" }

// Evolve implements [domain.Event].
func (e ExecutionFailed) Evolve(s State) State {
	return s.ended(Failed, Conclusion{Cause: e.Class, ErrorID: e.ErrorID, Detail: e.Detail, Stack: e.Stack})
}
