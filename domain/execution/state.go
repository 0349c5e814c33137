package execution

import (
	"slices"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// A Status tells where an execution stands.
type Status string

// The statuses. The zero one is an execution that never started.
const (
	Running   Status = "running"
	Completed Status = "completed"
	Denied    Status = "denied"
	Cancelled Status = "cancelled"
	Expired   Status = "expired"
	Failed    Status = "failed"
)

// MaxRestarts is how often an execution may start over before it is denied
// (spec/product.md 3, row 11).
const MaxRestarts = 5

// State is an execution as its events tell it (spec/events.md 5).
type State struct {
	Status         Status
	Flow           domain.Ref
	Slug           string
	Designation    string
	Authentication string
	DeniedAction   string
	Entry          string
	Session        string
	User           string // who is logged in, as far as the execution knows; empty for nobody
	Query          map[string]string
	Next           string
	Deadline       time.Time
	Until          time.Time // the deadline that the start set, which tells when that was

	Subject  Subject
	Planned  bool // a plan was made since the start or the last restart
	Plan     []Entry
	Pins     Pins
	Current  *Current
	Context  Context
	History  []Snapshot
	Factors  []Factor
	Owed     []Effect
	Promised []Effect // by policies, for the decision that rests on them
	LoggedIn string   // id of the user whom this execution logged in
	Sealed   bool     // something was sealed under the execution's own key

	Restarts int
	Sequence int
	Attempts int
	Failures int
	Outcome  Conclusion
}

// A Subject is whom an execution is about: the pending user.
type Subject struct {
	User    string // id; empty for nobody, and for somebody who does not exist
	Backend string // what authenticated the user in this execution; empty when nothing did
}

// A BindingID identifies a stage's place in a flow.
type BindingID = string

// An Entry is a binding that is left to do.
type Entry struct {
	Binding        domain.Ref `json:"binding"`
	Stage          domain.Ref `json:"stage"`
	Order          int        `json:"order"`
	Marker         string     `json:"marker"` // static or reevaluate
	EvaluateOnPlan bool       `json:"evaluate_on_plan,omitempty"`
	ReEvaluate     bool       `json:"re_evaluate_policies,omitempty"`
	OnInvalid      string     `json:"invalid_response_action,omitempty"`
	InMemory       bool       `json:"in_memory,omitempty"` // no configured stage stands behind it
	Policies       []string   `json:"policies,omitempty"`  // ids of the policy bindings to ask, in their order; none for those of the present
	Passed         bool       `json:"-"`                   // its policies need not be asked any more
	Destination    string     `json:"-"`                   // of an inserted redirect
}

// Pins are revisions of configured things by their ids: those of all that the
// stages of a plan refer to, and of the policies that are to be asked, when
// the plan was made. The execution goes on with these, whatever becomes of the
// things meanwhile.
type Pins map[string]int64

// The markers of an entry (spec/flows.md 3.3).
const (
	Static     = "static"
	Reevaluate = "reevaluate"
)

// Current is the entry at the head of the plan, once it has come up.
type Current struct {
	Binding   BindingID
	Component string
	Sequence  int
	Attempt   int
	Asked     bool
	Until     time.Time                // the deadline that the first asking set, which tells when that was
	Kept      map[string]domain.Secret // what the answer is compared with
	Problems  []Problem                // of the last wrong answer
}

// A Snapshot is the plan and the context as they were when a stage was passed,
// with [Masked] in the place of secrets.
type Snapshot struct {
	Plan    []Entry
	Context Context
	Subject Subject
}

// A Factor is a proof that the subject gave.
type Factor struct {
	Method string `json:"method"`
	Kind   string `json:"factor"` // knowledge, possession, inherence
	Device string `json:"device,omitempty"`
}

// A Conclusion is how an execution ended, for the client that asks again.
type Conclusion struct {
	Cause   string
	Message string
	To      string
	ErrorID string
	Detail  string // of a fault of ours, for those who may see it
	Stack   string
	Subject Subject
}

// Head returns the entry that comes next, and false at the end of the plan.
func (s State) Head() (Entry, bool) {
	if len(s.Plan) == 0 {
		return Entry{}, false
	}
	return s.Plan[0], true
}

// Secrets lists the paths of the secrets that the context holds.
func (s State) Secrets() []string { return s.Context.secretPaths() }

// ended returns s after its last event: nothing left to do, nothing kept.
func (s State) ended(status Status, c Conclusion) State {
	c.Subject = s.Subject
	s.Status, s.Outcome = status, c
	s.Plan, s.Current = nil, nil
	owed := slices.DeleteFunc(slices.Clone(s.Owed), Effect.Blocks) // those were done before this was decided
	s.Owed = owed
	s = s.oweToo()
	s.Context = s.Context.without(s.Context.secretPaths()...)
	return s
}
