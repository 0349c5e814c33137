package openapi

import "time"

// definition is a configured thing as of a revision.
type definition struct {
	ID       string `json:"id"`
	Kind     string `json:"kind,omitempty"`
	Revision int    `json:"revision"`
	Name     string `json:"name,omitempty"`
}

// execution is an execution as auditors list it.
type execution struct {
	PK          string     `json:"pk"`
	Status      string     `json:"status"`
	Cause       string     `json:"cause,omitempty"`
	Flow        definition `json:"flow"`
	Slug        string     `json:"slug"`
	Designation string     `json:"designation"`
	Session     string     `json:"session,omitempty"`
	Visitor     string     `json:"visitor,omitempty"`
	User        string     `json:"user,omitempty"`
	Stage       definition `json:"stage"`
	Evaluation  string     `json:"evaluation,omitempty"`
	Revision    int        `json:"revision"`
	Started     time.Time  `json:"started"`
	LastSeen    time.Time  `json:"last_seen"`
	Deadline    time.Time  `json:"deadline"`
	Steps       int        `json:"steps"`
	Attempts    int        `json:"attempts"`
	Restarts    int        `json:"restarts"`
}

// usedDefinition is a part that an execution went by.
type usedDefinition struct {
	Part string `json:"part" api:"enum=flow|binding|stage|policy binding|policy|prompt"`
	definition
}

// executionInFull is an execution with what it went by.
type executionInFull struct {
	execution
	Definitions []usedDefinition `json:"definitions"`
}

// ledgerEvent is an event as the ledger has it.
type ledgerEvent struct {
	Position   string         `json:"position"`
	Stream     string         `json:"stream"`
	Revision   int            `json:"revision"`
	ID         string         `json:"id"`
	Type       string         `json:"type"`
	Schema     int            `json:"schema"`
	RecordedAt time.Time      `json:"recorded_at"`
	Header     map[string]any `json:"header"`
	Payload    map[string]any `json:"payload"`
	Sealed     int            `json:"sealed"`
}

// ledgerPage is a part of the ledger.
type ledgerPage struct {
	Results []ledgerEvent `json:"results"`
	Next    string        `json:"next"`
}

// ledger describes the addresses that this server has beside the contract's.
func ledger() []resource {
	text := []string{"text/plain"}
	between := []Parameter{by("since", time.Time{}, "Not before this time."), by("until", time.Time{}, "Before this time.")}
	return []resource{
		{path: "ledger/events/", more: map[string]deed{
			"GET ": {
				summary: "Read the ledger, event by event, the oldest first", answer: ledgerPage{},
				description: "What is sealed stays sealed. To follow the ledger, ask again with the position in next.",
				query: append([]Parameter{
					by("after", "", "Position of the last event that is known; the beginning unless given."),
					by("limit", 0, "How many events, 500 by default and 1000 at most."), by("stream", "", "Events of one stream."),
					by("execution", "", "Events that an execution wrote or caused."), by("type", []string{}, "Types of events."),
				}, between...),
			},
		}},
		{path: "flows/executions/", key: key("id", ""), more: map[string]deed{
			"GET ": {
				summary: "List executions, the newest first", answer: execution{}, page: true, query: append([]Parameter{
					by("flow", "", "Slug of the flow."), by("session", "", ""), by("status", "", ""), by("user", "", "Username or id of whom it is about."),
				}, append(between, paging...)...),
			},
			"GET {}/":        {summary: "Read where an execution stands, and what it went by", answer: executionInFull{}},
			"GET {}/events/": {summary: "List what happened in an execution, the oldest first", answer: ledgerEvent{}, page: true, query: paging},
			"GET {}/story/":  {summary: "Tell what happened in an execution, as text", answer: "", media: text},
			"GET {}/state/": {
				summary: "Show plan and context of an execution as of a revision", query: []Parameter{by("revision", 0, "The newest unless given.")},
				answer: map[string]any{},
			},
		}},
	}
}
