package openapi

import (
	"slices"
	"time"
)

// changed is a change as auditors list it.
type changed struct {
	Event     string    `json:"event"`
	Position  string    `json:"position"`
	At        time.Time `json:"at"`
	Stream    string    `json:"stream"`
	Revision  int       `json:"revision"`
	Kind      string    `json:"kind"`
	Object    string    `json:"object"`
	Name      string    `json:"name"`
	Verb      string    `json:"verb" api:"enum=created|changed|removed|imported|erased"`
	Fields    []string  `json:"fields"`
	Actor     *person   `json:"actor"`
	ActorKind string    `json:"actor_kind"`
	Via       string    `json:"via"`
	Origin    string    `json:"origin"`
	Flows     []string  `json:"flows"`
}

// changedField is what one field was before a change and is after it.
type changedField struct {
	Path     string `json:"path"`
	Old      any    `json:"old"`
	New      any    `json:"new"`
	Secret   bool   `json:"secret"`
	Personal bool   `json:"personal"`
}

// flowOutcomes is what became of the executions of a flow around a change.
type flowOutcomes struct {
	Flow   string         `json:"flow"`
	Before map[string]int `json:"before"`
	After  map[string]int `json:"after"`
}

// changedInFull is a change with its values and outcomes.
type changedInFull struct {
	changed
	Values   []changedField `json:"values"`
	Outcomes []flowOutcomes `json:"outcomes"`
}

// attemptSource is where attempts came from, or whom they were aimed at.
type attemptSource struct {
	Key       string    `json:"key"`
	Label     string    `json:"label"`
	Country   string    `json:"country"`
	Person    *person   `json:"person"`
	Failures  int       `json:"failures"`
	Denials   int       `json:"denials"`
	Successes int       `json:"successes"`
	Targets   int       `json:"targets"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// policyVerdict is what one policy said once.
type policyVerdict struct {
	Position  string     `json:"position"`
	At        time.Time  `json:"at"`
	Event     string     `json:"event"`
	Execution string     `json:"execution"`
	Revision  int        `json:"revision"`
	Policy    definition `json:"policy"`
	Target    definition `json:"target"`
	Said      string     `json:"said" api:"enum=passed|failed|erred"`
	Negate    bool       `json:"negate"`
	MS        int        `json:"ms"`
}

// policySums is what one policy said in a span of time.
type policySums struct {
	Policy  definition `json:"policy"`
	Passed  int        `json:"passed"`
	Failed  int        `json:"failed"`
	Erred   int        `json:"erred"`
	MaxMS   int        `json:"max_ms"`
	TotalMS int        `json:"total_ms"`
}

// policySlots is what one policy said over time.
type policySlots struct {
	Results []policySlot `json:"results"`
}

// policySlot is what one policy said in a slot of time.
type policySlot struct {
	At     time.Time `json:"at"`
	Passed int       `json:"passed"`
	Failed int       `json:"failed"`
	Erred  int       `json:"erred"`
}

// access is one look at audit data.
type access struct {
	Event     string    `json:"event"`
	Position  string    `json:"position"`
	At        time.Time `json:"at"`
	Type      string    `json:"type"`
	By        *person   `json:"by"`
	View      string    `json:"view"`
	Execution string    `json:"execution"`
	Filters   []string  `json:"filters"`
	Count     int       `json:"count"`
	Requests  int       `json:"requests"`
	Opened    []string  `json:"sealed_opened"`
	Cause     string    `json:"cause"`
}

// erasure is what was destroyed.
type erasure struct {
	Event         string    `json:"event"`
	Position      string    `json:"position"`
	At            time.Time `json:"at"`
	Kind          string    `json:"kind" api:"enum=user|execution|session|epoch"`
	Subject       string    `json:"subject"`
	Classes       []string  `json:"classes"`
	Cause         string    `json:"cause"`
	By            *person   `json:"by"`
	Bound         int       `json:"bound"`
	Remaining     int       `json:"remaining"`
	BackupsGoneAt time.Time `json:"backups_gone_at,omitempty"`
}

// timed are the parameters of a list that can be limited to a span of time.
func timed(more ...Parameter) []Parameter { return slices.Concat(more, between(), paging) }

// auditLists describes the lists of read models.
func auditLists() []resource {
	const span = " Whole hours count. Until is now unless given, and since a day before."
	return []resource{
		{path: "ledger/changes/", key: key("id", ""), more: map[string]deed{
			"GET ": {
				id: "ledger_changes_list", summary: "List changes of configuration, people and keys, the newest first", answer: changed{}, page: true,
				description: "A change bears on the flows whose executions would have met what changed, as of the change.",
				query: timed(
					by("event", "", "Id of the event."), by("kind", "", "Model of what changed."), by("object", "", "Id of what changed."),
					by("actor", "", "Id of the user who acted."), by("flow", "", "Id of a flow that it bears on."),
					by("verb", "", "created, changed, removed, imported or erased."),
					by("origin", "", "What changes of one request or one import have in common."),
				),
			},
			"GET {}/": {
				summary: "Show one change: what each field was and is, and how the flows that it bears on did an hour before and after",
				answer:  changedInFull{}, description: "Of secret fields and of what describes people it says only that they changed.",
			},
		}},
		{path: "ledger/sources/", more: map[string]deed{"GET ": {
			summary: "List where attempts to log in came from or whom they were aimed at, the worst first", answer: attemptSource{}, page: true,
			description: "Failures and denials count. Attempts are kept for 92 days at most. Targets are counted up to 100." + span,
			query:       timed(by("by", "", "ip, user or asn; ip unless given.")),
		}}},
		{path: "ledger/verdicts/", more: map[string]deed{"GET ": {
			summary: "List what policies said, the newest first", answer: policyVerdict{}, page: true,
			query: timed(
				by("policy", "", "Id of the policy."), by("policy_revision", 0, "Revision of the policy."),
				by("said", "", "passed, failed or erred."), by("execution", "", "Id of an execution."),
			),
		}}},
		{path: "ledger/verdicts/policies/", key: key("id", ""), more: map[string]deed{
			"GET ": {
				id: "ledger_verdicts_policies_list", summary: "List what each policy said in a span of time, the busiest first", answer: policySums{},
				page: true, query: timed(), description: span[1:],
			},
			"GET {}/": {
				summary: "Show what one policy said over time", answer: policySlots{}, description: span[1:],
				query: append(between(), by("step", "", "Length of a slot: seconds, or such as 24h; an hour at least.")),
			},
		}},
		{path: "ledger/accesses/", more: map[string]deed{"GET ": {
			summary: "List who looked at audit data, and who was refused, the newest first", answer: access{}, page: true,
			query: timed(
				by("by", "", "Id of the user who looked."), by("view", "", "What was looked at."), by("execution", "", "Id of an execution that was looked into."),
				by("type", "", "Type of the event."),
			),
		}}},
	}
}
