package execution

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// An Event is something that happened in an execution. Evidence, marked so,
// says why and changes nothing.
type Event = domain.Event[State]

// A Command asks an execution to change.
type Command = domain.Command[State]

// ExecutionStarted records that a browser entered a flow.
type ExecutionStarted struct {
	Flow           domain.Ref        `json:"flow"`
	Slug           string            `json:"slug"`
	Designation    string            `json:"designation"`
	Authentication string            `json:"authentication"`
	DeniedAction   string            `json:"denied_action"`
	Entry          string            `json:"entry"`
	Session        string            `json:"session"`
	User           string            `json:"user,omitempty"`
	Deadline       time.Time         `json:"deadline"`
	Query          map[string]string `json:"query,omitempty" seal:"T"`
	Next           string            `json:"next,omitempty" seal:"T"`
	Change
}

// EventType implements [domain.Event].
func (ExecutionStarted) EventType() string { return "ExecutionStarted" }

// Evolve implements [domain.Event].
func (e ExecutionStarted) Evolve(State) State {
	return State{
		Status: Running, Flow: e.Flow, Slug: e.Slug, Designation: e.Designation, Authentication: e.Authentication,
		DeniedAction: e.DeniedAction, Entry: e.Entry, Session: e.Session, User: e.User, Deadline: e.Deadline, Until: e.Deadline,
		Query: e.Query, Next: e.Next, Context: Context{}.with(e.Change), Sealed: len(e.Secret) > 0,
	}
}

// PolicyEvaluated is evidence that a target's policies let it pass.
type PolicyEvaluated struct{ Evaluation }

// EventType implements [domain.Event].
func (PolicyEvaluated) EventType() string { return "PolicyEvaluated" }

// EventID is the id that decisions refer to.
func (e PolicyEvaluated) EventID() string { return e.ID }

// Evolve implements [domain.Event].
func (e PolicyEvaluated) Evolve(s State) State { return s.promise(e.owed()) }

// PolicyDenied is evidence that a target's policies did not let it pass.
type PolicyDenied struct{ Evaluation }

// EventType implements [domain.Event].
func (PolicyDenied) EventType() string { return "PolicyDenied" }

// EventID is the id that decisions refer to.
func (e PolicyDenied) EventID() string { return e.ID }

// Evolve implements [domain.Event].
func (e PolicyDenied) Evolve(s State) State { return s.promise(e.owed()) }

// LeftOut is a binding that its policies kept out of the plan, with the id of
// the evaluation that says why.
type LeftOut struct {
	Binding    domain.Ref `json:"binding"`
	Stage      domain.Ref `json:"stage"`
	Evaluation string     `json:"evaluation"`
}

// PlanCreated records what there is to do. Flow is there when it is not what
// it was at the start: a restart takes the newest of all.
type PlanCreated struct {
	Flow    domain.Ref `json:"flow,omitzero"`
	Entries []Entry    `json:"entries"`
	LeftOut []LeftOut  `json:"left_out,omitempty"`
	Pins    Pins       `json:"pins,omitempty"`
	Attempt int        `json:"attempt"` // 0, and one more after each restart
}

// EventType implements [domain.Event].
func (PlanCreated) EventType() string { return "PlanCreated" }

// Evolve implements [domain.Event].
func (e PlanCreated) Evolve(s State) State {
	if e.Flow.ID != "" {
		s.Flow = e.Flow
	}
	s.Planned, s.Current, s.Pins = true, nil, e.Pins
	s.Plan = make([]Entry, len(e.Entries))
	for i, entry := range e.Entries {
		entry.Passed = entry.Marker != Reevaluate
		s.Plan[i] = entry
	}
	return s.oweToo()
}

// SubjectIdentified records that the pending user was set or changed.
type SubjectIdentified struct {
	User       string `json:"user,omitempty"`
	By         string `json:"by"`
	MatchedOn  string `json:"matched_on,omitempty"`
	Previous   string `json:"previous,omitempty"`
	Backend    string `json:"backend,omitempty"`
	Shown      bool   `json:"shown"`
	Identifier string `json:"identifier,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (SubjectIdentified) EventType() string { return "SubjectIdentified" }

// Evolve implements [domain.Event].
func (e SubjectIdentified) Evolve(s State) State {
	s.Subject = Subject{User: e.User, Backend: e.Backend}
	s.Context = s.Context.with(Change{Removed: []string{KeyPendingUser}})
	return s
}

// IdentificationFailed is evidence that nobody matched what was typed.
type IdentificationFailed struct {
	Fields     []string `json:"fields"`
	Pretended  bool     `json:"pretended"` // the flow goes on with somebody who does not exist
	Identifier string   `json:"identifier,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (IdentificationFailed) EventType() string { return "IdentificationFailed" }

// Evolve implements [domain.Event].
func (IdentificationFailed) Evolve(s State) State { return s }

// StageReevaluated records that the policies of the head let it pass.
type StageReevaluated struct {
	Binding    domain.Ref `json:"binding"`
	Evaluation string     `json:"evaluation"`
}

// EventType implements [domain.Event].
func (StageReevaluated) EventType() string { return "StageReevaluated" }

// Evolve implements [domain.Event].
func (e StageReevaluated) Evolve(s State) State {
	if head, ok := s.Head(); ok && head.Binding.ID == e.Binding.ID {
		head.Passed = true
		s.Plan = append([]Entry{head}, s.Plan[1:]...)
	}
	return s.owe()
}

// StageSkipped records that the head was dropped without being passed.
type StageSkipped struct {
	Binding    domain.Ref `json:"binding"`
	Cause      string     `json:"cause"` // policy, stage or already_done
	Evaluation string     `json:"evaluation,omitempty"`
	Reason     string     `json:"reason,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (StageSkipped) EventType() string { return "StageSkipped" }

// Evolve implements [domain.Event].
func (e StageSkipped) Evolve(s State) State {
	s.Plan, s.Current = s.Plan[1:], nil
	return s.owe()
}

// StageEntered records that the head came up. What kind of stage it is stands
// beside its reference, not in it.
type StageEntered struct {
	Binding domain.Ref `json:"binding"`
	Stage   domain.Ref `json:"stage"`
	Kind    string     `json:"kind"`
}

// EventType implements [domain.Event].
func (StageEntered) EventType() string { return "StageEntered" }

// Evolve implements [domain.Event].
func (e StageEntered) Evolve(s State) State {
	s.Current = &Current{Binding: e.Binding.ID}
	return s.owe()
}

// ChallengeIssued records that the client is asked, the first time or anew.
type ChallengeIssued struct {
	Binding   domain.Ref               `json:"binding"`
	Component string                   `json:"component"`
	Sequence  int                      `json:"sequence"`
	Attempt   int                      `json:"attempt"`
	ExpiresAt time.Time                `json:"expires_at"` // of the execution, if nobody touches it
	Methods   []string                 `json:"methods,omitempty"`
	Challenge map[string]domain.Secret `json:"challenge,omitempty" seal:"X"`
}

// EventType implements [domain.Event].
func (ChallengeIssued) EventType() string { return "ChallengeIssued" }

// Evolve implements [domain.Event].
func (e ChallengeIssued) Evolve(s State) State {
	current := Current{Binding: e.Binding.ID}
	if s.Current != nil {
		current = *s.Current
	}
	if !current.Asked {
		current.Until = e.ExpiresAt
	}
	current.Component, current.Sequence, current.Asked, current.Kept = e.Component, e.Sequence, true, e.Challenge
	s.Current, s.Sequence, s.Deadline = &current, e.Sequence, e.ExpiresAt
	s.Sealed = s.Sealed || len(e.Challenge) > 0
	return s.oweToo()
}

// ResponseRejected records that an answer was wrong. Texts are the sentences
// of the problems, in their order.
type ResponseRejected struct {
	Binding  domain.Ref `json:"binding"`
	Sequence int        `json:"sequence"`
	Attempt  int        `json:"attempt"`
	Problems []Problem  `json:"problems"`
	Action   string     `json:"action"` // retry, restart, restart_with_context or deny
	Texts    []string   `json:"texts,omitempty" seal:"T"`
	Grounds
}

// EventType implements [domain.Event].
func (ResponseRejected) EventType() string { return "ResponseRejected" }

// Evolve implements [domain.Event].
func (e ResponseRejected) Evolve(s State) State {
	s.Attempts++
	s = s.owe()
	if s.Current == nil {
		return s
	}
	current := *s.Current
	current.Attempt++
	current.Problems = make([]Problem, len(e.Problems))
	for i, p := range e.Problems {
		if i < len(e.Texts) {
			p.Text = e.Texts[i]
		}
		current.Problems[i] = p
	}
	s.Current = &current
	return s
}

// LoginFailed is evidence that a credential was checked and wrong.
type LoginFailed struct {
	User       string     `json:"user,omitempty"`
	Stage      domain.Ref `json:"stage"`
	Method     string     `json:"method"`
	Cause      string     `json:"cause"` // bad_credential, no_such_user, inactive …
	Backend    string     `json:"backend,omitempty"`
	Failures   int        `json:"failures"` // of this execution, this one included
	Identifier string     `json:"identifier,omitempty" seal:"T"`
}

// EventType implements [domain.Event].
func (LoginFailed) EventType() string { return "LoginFailed" }

// Evolve implements [domain.Event]. The count is evidence too: nothing is
// decided on it.
func (e LoginFailed) Evolve(s State) State {
	s.Failures = e.Failures
	return s
}

// FactorVerified records that a credential was right, and what proved it: the
// subject is proved by that from here on.
type FactorVerified struct {
	Factor
	Backend string `json:"backend,omitempty"`
}

// EventType implements [domain.Event].
func (FactorVerified) EventType() string { return "FactorVerified" }

// Evolve implements [domain.Event].
func (e FactorVerified) Evolve(s State) State {
	s.Factors = append(s.Factors[:len(s.Factors):len(s.Factors)], e.Factor)
	if e.Backend != "" {
		s.Subject.Backend = e.Backend
	}
	return s
}

// ContextChanged records that a stage, a policy or the executor wrote the
// context, what kept a stage from computing a part of it, and what a stage
// wants done while it waits for its answer.
type ContextChanged struct {
	By      string   `json:"by"`
	Touched []string `json:"keys"`
	Change
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
	Details     []string     `json:"details,omitempty" seal:"T"` // of the diagnostics
	Debts
}

// EventType implements [domain.Event].
func (ContextChanged) EventType() string { return "ContextChanged" }

// Evolve implements [domain.Event].
func (e ContextChanged) Evolve(s State) State {
	s.Context, s.Sealed = s.Context.with(e.Change), s.Sealed || len(e.Secret)+len(e.EffectSecrets) > 0
	return s.promise(e.owed())
}

// SecretsDiscarded records that secrets of the context are gone.
type SecretsDiscarded struct {
	Keys []string `json:"keys"`
}

// EventType implements [domain.Event].
func (SecretsDiscarded) EventType() string { return "SecretsDiscarded" }

// Evolve implements [domain.Event].
func (e SecretsDiscarded) Evolve(s State) State {
	s.Context = s.Context.without(e.Keys...)
	return s
}
