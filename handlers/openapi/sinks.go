package openapi

import "time"

// sinkHealth is how a sink of the outgoing trail is doing.
type sinkHealth struct {
	PK        uuid       `json:"pk"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind" api:"enum=file|syslog|https|webhook"`
	Format    string     `json:"format" api:"enum=ocsf|ecs|cef|json"`
	Enabled   bool       `json:"enabled"`
	State     string     `json:"state" api:"enum=delivering|behind|failing|parked|off"`
	Lag       float64    `json:"lag_seconds"`
	Position  string     `json:"position"`
	Head      string     `json:"head"`
	Delivered int        `json:"delivered"`
	Parked    int        `json:"parked"`
	LastError string     `json:"last_error"`
	Since     *time.Time `json:"failing_since"`
	NextTry   *time.Time `json:"next_try"`
}

// sinkParked is an event that a sink gave up on.
type sinkParked struct {
	Event    uuid      `json:"event"`
	Position string    `json:"position"`
	Class    string    `json:"class"`
	At       time.Time `json:"parked_at"`
}

// sinkEvent names a parked event.
type sinkEvent struct {
	Event uuid `json:"event"`
}

// sinkCount is how many events something was done with.
type sinkCount struct {
	Count int `json:"count"`
}

// sinkFrom is where sending begins anew: a position, or a time.
type sinkFrom struct {
	From string `json:"from" api:"required"`
}

// sinkTrial is what a target made of a test record.
type sinkTrial struct {
	Taken  bool    `json:"taken"`
	Answer string  `json:"answer"`
	Millis float64 `json:"milliseconds"`
}

// sinks describes what sinks have beside the operations of every kind.
func sinks() []resource {
	const all = "All that are parked, unless the body names one."
	return []resource{{path: "ledger/sinks/", key: key("uuid", uuid("")), more: map[string]deed{
		"GET health/":      {summary: "Tell how all sinks are doing", answer: sinkHealth{}, page: true, query: paging},
		"GET {}/health/":   {summary: "Tell how a sink is doing", answer: sinkHealth{}},
		"GET {}/parked/":   {summary: "List the events that a sink gave up on, the oldest first", answer: sinkParked{}, page: true, query: paging},
		"POST {}/release/": {summary: "Have a sink try parked events again", description: all, body: sinkEvent{}, bare: true, answer: sinkCount{}},
		"POST {}/abandon/": {summary: "Give parked events up for good", description: all, body: sinkEvent{}, bare: true, answer: sinkCount{}},
		"POST {}/test/":    {summary: "Send a record that is marked as a test", answer: sinkTrial{}},
		"POST {}/resend/": {
			summary: "Have a sink send events again", body: sinkFrom{}, answer: sinkFrom{}, status: 202,
			description: "What comes after a position of the ledger, or what was recorded from a time on, goes out once more, under the same ids.",
		},
	}}}
}
