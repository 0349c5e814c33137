package openapi

import (
	"slices"
	"time"
)

// definition is a configured thing as of a revision.
type definition struct {
	ID       string `json:"id"`
	Kind     string `json:"kind,omitempty"`
	Revision int    `json:"revision"`
	Name     string `json:"name,omitempty"`
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
	Decisions   []decided        `json:"decisions"`
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

// eventsPicked are the filters of events, but for those of time.
func eventsPicked() []Parameter {
	return []Parameter{
		by("stream", "", "Events of one stream."), by("category", "", "Events of all streams of a category, such as session."),
		by("execution", "", "Events that an execution wrote or caused."), by("type", []string{}, "Types of events."),
	}
}

// eventsWanted are the filters of events.
func eventsWanted() []Parameter { return append(eventsPicked(), between()...) }

// between are a span of time.
func between() []Parameter {
	return []Parameter{by("since", time.Time{}, "Not before this time."), by("until", time.Time{}, "Before this time.")}
}

// ledger describes the addresses that this server has beside the contract's.
func ledger(s *shapes) []resource {
	text := []string{"text/plain"}
	return []resource{
		{path: "ledger/events/", more: map[string]deed{
			"GET ": {
				summary: "Read the ledger, event by event, the oldest first", answer: ledgerPage{},
				description: "What is sealed stays sealed. To follow the ledger, ask again with the position in next.",
				query: append([]Parameter{
					by("after", "", "Position of the last event that is known; the beginning unless given."),
					by("limit", 0, "How many events, 500 by default and 1000 at most."),
				}, eventsWanted()...),
			},
		}},
		{path: "ledger/stream/", more: map[string]deed{"GET ": {
			summary: "Follow the ledger, as server-sent events", answer: "", media: []string{"text/event-stream"},
			description: "The id of each is its position, its type is the event's type, and its data is what ledger/events shows. " +
				"A client that comes again with Last-Event-ID gets all that it has missed, once. A stream begins at the end unless after is given. " +
				"There are 8 streams of one person, and 64 in all.",
			query: append([]Parameter{by("after", "", "Begin behind this position; 0 is the beginning of the ledger.")}, eventsPicked()...),
		}}},
		{path: "ledger/export/", more: map[string]deed{"GET ": {
			summary: "Write events as those who collect logs read them", answer: "", query: exportedEvents(),
			media: []string{"application/jsonl", "text/csv", "text/plain"}, description: exportsAre +
				" It has the events up to the moment when it begins. What is left out begins behind the position that X-Export-Truncated says: " +
				"ask for it with after. Filters that begin with execution__ say of which executions events are wanted, 10000 of them at most.",
		}}},
		{path: "flows/executions/", key: key("id", ""), more: map[string]deed{
			"GET ": {
				id: "flows_executions_list", summary: "List executions, the newest first", answer: executionPage(s), query: slices.Concat(executionFilters(), []Parameter{
					by("search", "", "Words of flows, stages and users, ids and networks, all of which must occur."),
					by("ordering", "", "started, last_seen or duration; - in front for descending. The newest come first unless given."),
				}, paging),
				description: "The header X-Count-Exact is false where count is what there is at least. Where a rare filter ended the search " +
					"early, searched_back_to says how far back it came: ask again with that time in until.",
			},
			"GET export/": {
				summary: "Write executions as CSV or JSON Lines, the oldest first", answer: "", media: []string{"application/jsonl", "text/csv"},
				query:       slices.Concat(exported("csv|jsonl"), executionFilters(), []Parameter{by("search", "", "Words that all must occur.")}),
				description: exportsAre + " What is left out began at the time that X-Export-Truncated says, or later: ask for it with since.",
			},
			"GET {}/":        {summary: "Read where an execution stands, and what it went by", answer: executionInFull{}},
			"GET {}/events/": {summary: "List what happened in an execution, the oldest first", answer: ledgerEvent{}, page: true, query: paging},
			"GET {}/story/":  {summary: "Tell what happened in an execution, as text", answer: "", media: text},
			"GET {}/state/": {
				summary: "Show plan and context of an execution as of a revision", query: []Parameter{by("revision", 0, "The newest unless given.")},
				answer: map[string]any{},
			},
			"GET {}/decisions/": {summary: "Explain what policies decided, and why", answer: decisions{}},
			"GET {}/differences/": {
				summary: "Show what is different between two revisions of an execution", answer: differences{}, query: []Parameter{
					by("from", 0, "The revision before to unless given."), by("to", 0, "The newest unless given."),
				},
			},
		}},
	}
}
