package projections

import (
	"net/netip"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// An Origin is where an execution came from, as far as it may still be known:
// it is empty once the keys that it was sealed with are gone, or its time is
// over.
type Origin struct {
	IP      netip.Addr // of the client when it began
	Country string     // ISO 3166-1, two letters
	City    string
	ASN     int64
	ASOrg   string
	Agent   string // as the client calls itself
	Device  string // what that means to people: Firefox on Linux
}

// An Overview is what became of executions in a span of time.
type Overview struct {
	From, Until time.Time
	Step        time.Duration   // length of a slot
	Slots       []OverviewSlot  // the oldest first, none left out
	Flows       []FlowOutcomes  // the busiest first
	Reasons     []OutcomeReason // of those that did not complete, the most frequent first
	Running     int             // now, in all flows
}

// An OverviewSlot is a part of an overview's time. Executions count where they
// began.
type OverviewSlot struct {
	At       time.Time
	Outcomes map[string]int // by status, running included
}

// FlowOutcomes is what became of the executions of one flow.
type FlowOutcomes struct {
	Flow        string // id
	Slug, Name  string
	Designation string
	Outcomes    map[string]int
}

// An OutcomeReason is why executions ended as they did.
type OutcomeReason struct {
	Status, Cause string
	Count         int
}

// A Configuration change, as one event tells of it.
type ConfigurationChange struct {
	Position  eventstore.Position
	Event     string // id
	At        time.Time
	Stream    eventstore.StreamID
	Revision  int64
	Kind      string   // model name; of users, groups, roles and keys, theirs
	Object    string   // id
	Name      string   // empty for persons
	Verb      string   // created, changed, removed, imported, erased …
	Fields    []string // that changed
	Actor     string   // id of the user; empty for the program
	ActorKind string   // user, admin, system, blueprint …
	Via       string   // api, blueprint, import, bootstrap …
	Origin    string   // what changes of one request or one import have in common
	Flows     []string // ids of the flows that it bears on, as they were then
}

// A ChangeFilter says which changes are wanted. What is empty does not matter.
type ChangeFilter struct {
	Event, Kind, Object, Actor, Flow, Verb, Origin string
	From, Until                                    time.Time
}

// What sources of attack are told apart by.
const (
	ByIP   = "ip"
	ByUser = "user"
	ByASN  = "asn"
)

// A Source is where attempts came from, or whom they were aimed at.
type Source struct {
	Key         string // address, id of a user, or number of an autonomous system
	Label       string // of an autonomous system, its name
	Country     string
	Failures    int // wrong credentials, and names that nobody has
	Denials     int // executions that were denied
	Successes   int // log-ins
	Targets     int // users that were tried, at least; of a user, addresses
	First, Last time.Time
}

// PolicyVerdicts is what one policy said in a span of time.
type PolicyVerdicts struct {
	Policy  domain.Ref // as of the newest revision among them
	Passed  int
	Failed  int
	Erred   int // exceptions and timeouts
	MaxMS   int64
	TotalMS int64
}

// A VerdictSlot is a part of the time in which a policy spoke.
type VerdictSlot struct {
	At                    time.Time
	Passed, Failed, Erred int
}

// A Verdict is what one policy said once.
type Verdict struct {
	Position  eventstore.Position
	At        time.Time
	Event     string // id of the evaluation
	Execution string
	Revision  int64 // of the evaluation in the execution's stream
	Policy    domain.Ref
	Target    domain.Ref // what it is bound to
	Said      string     // passed, failed or erred
	Negate    bool
	MS        int64
}

// A VerdictFilter says which verdicts are wanted. What is empty does not
// matter.
type VerdictFilter struct {
	Policy, Said, Execution string
	PolicyRevision          *int64
	From, Until             time.Time
}

// An Access is one look at audit data, or one refusal.
type Access struct {
	Position  eventstore.Position
	Event     string // id
	At        time.Time
	Type      string // of the event: AuditQueried, AuditExported …
	By        string // id of the user; empty for a stranger
	View      string
	Execution string   // that was looked into
	Filters   []string // names of what was asked for
	Count     int
	Requests  int
	Opened    []string // classes of sealed data
	Cause     string   // of a refusal
}

// An AccessFilter says which looks are wanted. What is empty does not matter.
type AccessFilter struct {
	By, View, Execution, Type string
	From, Until               time.Time
}

// An Erasure is the answer to a request for erasure: what was destroyed, when
// and by whom.
type Erasure struct {
	Position      eventstore.Position
	Event         string // id
	At            time.Time
	Kind          string   // user, execution, session, or epoch for what became too old
	Subject       string   // id of the subject; of an epoch, class and month
	Classes       []string // of sealed data
	Cause         string
	By            string // id of the user; empty for the program
	Bound         int    // executions and sessions whose keys went along
	Remaining     int    // subjects that were in use, whose keys went or go later
	BackupsGoneAt time.Time
}

// An ErasureFilter says which erasures are wanted. What is empty does not
// matter.
type ErasureFilter struct {
	Kind, Subject string
	From, Until   time.Time
}
