package openapi

import "time"

// retentionRule is for how many months what is sealed can be opened.
type retentionRule struct {
	Profile string `json:"profile" api:"enum=default|pci|hipaa|minimal|custom"`
	Trace   int    `json:"trace_months,omitempty"`
	Network int    `json:"network_months,omitempty"`
	Rows    int    `json:"rows_months,omitempty"`
}

// pendingRule is a rule that takes effect at some time.
type pendingRule struct {
	retentionRule
	From time.Time `json:"from"`
}

// retentionMonth is one class in one month, and when it goes.
type retentionMonth struct {
	Class  string    `json:"class" api:"enum=T|N"`
	Epoch  string    `json:"epoch"`
	GoneAt time.Time `json:"gone_at"`
}

// retentionChange is one time that somebody set the rule.
type retentionChange struct {
	pendingRule
	At time.Time `json:"at"`
	By string    `json:"by"`
}

// retentionReport is the rule in force and what follows from it.
type retentionReport struct {
	retentionRule
	Pending  *pendingRule      `json:"pending"`
	Profiles []retentionRule   `json:"profiles"`
	Months   []retentionMonth  `json:"months"`
	History  []retentionChange `json:"history"`
}

// erasedKeys are the subjects of one kind whose keys went.
type erasedKeys struct {
	Kind      string `json:"kind"`
	Destroyed int    `json:"destroyed"`
	Remaining int    `json:"remaining"`
}

// erasedLater is a subject that was in use, and when its keys went.
type erasedLater struct {
	Subject string    `json:"subject"`
	GoneAt  time.Time `json:"gone_at,omitempty"`
}

// erasedCopy is where data went that no key reaches.
type erasedCopy struct {
	Kind   string    `json:"kind" api:"enum=sink|export|mail"`
	ID     string    `json:"id,omitempty"`
	Name   string    `json:"name,omitempty"`
	By     string    `json:"by,omitempty"`
	From   time.Time `json:"from,omitempty"`
	Until  time.Time `json:"until,omitempty"`
	Events int       `json:"events,omitempty"`
}

// typeCount is how many events of one type there are.
type typeCount struct {
	Type   string `json:"type"`
	Events int    `json:"events"`
}

// erasureReport answers a request for erasure.
type erasureReport struct {
	Event         string        `json:"event"`
	Kind          string        `json:"kind" api:"enum=user|execution|session|epoch"`
	Subject       string        `json:"subject"`
	At            time.Time     `json:"at"`
	By            string        `json:"by"`
	Cause         string        `json:"cause"`
	Classes       []string      `json:"classes"`
	Created       time.Time     `json:"created,omitempty"`
	Deleted       time.Time     `json:"deleted,omitempty"`
	Keys          []erasedKeys  `json:"keys"`
	Remaining     []erasedLater `json:"remaining"`
	BackupsGoneAt time.Time     `json:"backups_gone_at,omitempty"`
	Complete      bool          `json:"complete"`
	Stays         []typeCount   `json:"stays"`
	Copies        []erasedCopy  `json:"copies"`
}

// erased describes answers to requests for erasure.
func erased() resource {
	return resource{path: "ledger/erasures/", key: key("id", ""), more: map[string]deed{
		"GET ": {
			id: "ledger_erasures_list", summary: "List what was destroyed, the newest first", answer: erasure{}, page: true,
			query: timed(by("kind", "", "user, execution, session or epoch."), by("subject", "", "Whose keys; of an epoch, class and month.")),
		},
		"GET {}/": {
			summary: "Answer a request for erasure: what was destroyed, when, by whom, and where copies went", answer: erasureReport{},
			query: []Parameter{by("format", "", "The format text answers in words.")},
		},
	}}
}

// retained describes how long the ledger stays readable.
func retained() []resource {
	return []resource{{path: "ledger/retention/", more: map[string]deed{
		"GET ": {summary: "Read for how long what is sealed can be opened, and what goes when", answer: retentionReport{}},
		"PUT ": {
			summary: "Set for how long what is sealed can be opened", body: retentionRule{}, answer: retentionReport{},
			description: "A profile has its own months; the profile custom takes those that are given, each from 1 to 1200. " +
				"What makes any of them fewer takes effect a day later, so that it can be undone.",
		},
	}}, erased()}
}
