package execution

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Idle is how long an execution lives that nobody touches.
const Idle = 30 * time.Minute

// Start enters a flow.
type Start struct {
	Flow           domain.Ref
	Slug           string
	Designation    string
	Authentication string
	DeniedAction   string
	Entry          string
	Session        string
	User           string
	Query          map[string]string
	Next           string
	Context        Context
	Subject        *SubjectIdentified // whom the entry point names, if it does
	Resume         *ExecutionResumed  // where it goes on, if a link leads there
	Now            time.Time
	Idle           time.Duration
}

// Decide implements [Command].
func (c Start) Decide(s State) ([]Event, error) {
	if s.Status != "" {
		return nil, domain.Errorf(domain.Conflict, "The execution has started already.")
	}
	events := []Event{ExecutionStarted{
		Flow: c.Flow, Slug: c.Slug, Designation: c.Designation, Authentication: c.Authentication, DeniedAction: c.DeniedAction,
		Entry: c.Entry, Session: c.Session, User: c.User, Deadline: c.Now.Add(c.Idle), Query: c.Query, Next: c.Next,
		Change: Learn(c.Context),
	}}
	if c.Resume != nil {
		events = append(events, *c.Resume)
	}
	if c.Subject != nil {
		events = append(events, *c.Subject)
	}
	return events, nil
}

// MakePlan records what there is to do, with the evidence for it.
type MakePlan struct {
	Flow     domain.Ref
	Evidence []Evaluation // of the flow, and of bindings that are evaluated on plan
	Entries  []Entry
	LeftOut  []LeftOut
	Pins     Pins
}

// Decide implements [Command].
func (c MakePlan) Decide(s State) ([]Event, error) {
	if s.Status != Running || s.Planned {
		return nil, domain.Errorf(domain.Conflict, "The execution needs no plan.")
	}
	created := PlanCreated{Flow: c.Flow, Entries: c.Entries, LeftOut: c.LeftOut, Pins: c.Pins, Attempt: s.Restarts}
	if c.Flow == s.Flow {
		created.Flow = domain.Ref{}
	}
	return append(evidence(c.Evidence), created), nil
}

// evidence turns evaluations into the events that record them.
func evidence(evaluations []Evaluation) []Event {
	var events []Event
	for _, e := range evaluations {
		if e.Passing {
			events = append(events, PolicyEvaluated{e})
		} else {
			events = append(events, PolicyDenied{e})
		}
	}
	return events
}

// Refuse ends an execution for a reason that lies with the flow: a
// requirement or its policies. To is where the client is sent instead of
// being told, and empty where it is told.
type Refuse struct {
	Cause      string // authentication_requirement, flow_policy, invalid_next or restart_cap
	Need       string // the requirement that was not met
	Action     string
	Message    string
	To         string
	Evidence   []Evaluation
	Evaluation string
}

// Decide implements [Command].
func (c Refuse) Decide(s State) ([]Event, error) {
	if s.Status != Running {
		return nil, domain.Errorf(domain.Conflict, "The execution is not running.")
	}
	denied := ExecutionDenied{
		Cause: c.Cause, Need: c.Need, Action: c.Action, Evaluation: c.Evaluation, Message: c.Message, To: c.To,
	}
	return append(evidence(c.Evidence), last(s, denied)...), nil
}

// last puts the end of an execution behind the end of its secrets.
func last(s State, end Event) []Event {
	if keys := s.Secrets(); len(keys) > 0 {
		return []Event{SecretsDiscarded{Keys: keys}, end}
	}
	return []Event{end}
}
