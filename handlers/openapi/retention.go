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

// retained describes how long the ledger stays readable.
func retained() []resource {
	return []resource{{path: "ledger/retention/", more: map[string]deed{
		"GET ": {summary: "Read for how long what is sealed can be opened, and what goes when", answer: retentionReport{}},
		"PUT ": {
			summary: "Set for how long what is sealed can be opened", body: retentionRule{}, answer: retentionReport{},
			description: "A profile has its own months; the profile custom takes those that are given, each from 1 to 1200. " +
				"What makes any of them fewer takes effect a day later, so that it can be undone.",
		},
	}}}
}
