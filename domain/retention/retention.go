// Package retention is the aggregate of the rule that says how long what is
// sealed in the ledger can be opened. The ledger itself stays: what becomes too
// old loses the keys of its month (spec/events.md 6.5).
package retention

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// ID is what the stream of the rule is called by: a ledger has one.
const ID = "retention"

// A Rule is for how many whole months each class stays readable, and how long
// views have rows of executions.
type Rule struct {
	Profile string `json:"profile"`
	Trace   int    `json:"trace_months"`
	Network int    `json:"network_months"`
	Rows    int    `json:"rows_months"`
}

// Custom is the profile of a rule of one's own.
const Custom = "custom"

// Profiles are the rules with a name.
var profiles = []Rule{
	{Profile: "default", Trace: 13, Network: 13, Rows: 13},
	{Profile: "pci", Trace: 13, Network: 13, Rows: 13},
	{Profile: "hipaa", Trace: 73, Network: 73, Rows: 73},
	{Profile: "minimal", Trace: 3, Network: 3, Rows: 3},
}

// Profiles returns the rules with a name, the default first.
func Profiles() []Rule { return append([]Rule(nil), profiles...) }

// Default is in force until somebody sets another.
func Default() Rule { return profiles[0] }

// Profile returns the rule of that name.
func Profile(name string) (Rule, bool) {
	for _, r := range profiles {
		if r.Profile == name {
			return r, true
		}
	}
	return Rule{}, false
}

// Months is how long a class stays readable, 0 for one that has no months.
func (r Rule) Months(class domain.Sealed) int {
	switch class {
	case domain.Trace:
		return r.Trace
	case domain.Network:
		return r.Network
	}
	return 0
}

// shorter tells whether something is lost under r that other keeps.
func (r Rule) shorter(other Rule) bool {
	return r.Trace < other.Trace || r.Network < other.Network || r.Rows < other.Rows
}

// KeptFrom is the beginning of the oldest month that stays when that many whole
// months do: what was before is older than the rule to its last day.
func KeptFrom(now time.Time, months int) time.Time {
	year, month, _ := now.UTC().Date()
	return time.Date(year, month-time.Month(months), 1, 0, 0, 0, 0, time.UTC)
}

// GoneAt is when a month becomes too old, given its first day.
func GoneAt(month time.Time, months int) time.Time { return month.AddDate(0, months+1, 0) }

// Epoch is what the keys of a month are called by.
func Epoch(t time.Time) string { return t.UTC().Format("2006-01") }

// EpochStart is the first day of the month that an epoch names.
func EpochStart(epoch string) (time.Time, error) { return time.Parse("2006-01", epoch) }

// State is the rule in force, and the one before as long as that is.
type State struct {
	Changes int // how often it was set
	Before  Rule
	Rule    Rule
	From    time.Time // when Rule takes the place of Before
}

// At returns the rule in force.
func (s State) At(now time.Time) Rule {
	switch {
	case s.Changes == 0:
		return Default()
	case now.Before(s.From):
		return s.Before
	default:
		return s.Rule
	}
}

// Pending returns the rule that will be in force, and since when, if another
// one still is.
func (s State) Pending(now time.Time) (Rule, time.Time, bool) {
	return s.Rule, s.From, s.Changes > 0 && now.Before(s.From)
}

// An Event is something that happened to the rule.
type Event = domain.Event[State]

// LedgerRetentionChanged records another rule, and the one that is in force
// until then: a shorter one waits, so that a slip can be undone.
type LedgerRetentionChanged struct {
	Profile string    `json:"profile"`
	Trace   int       `json:"trace_months"`
	Network int       `json:"network_months"`
	Rows    int       `json:"rows_months"`
	From    time.Time `json:"from"`   // when it takes effect
	Before  Rule      `json:"before"` // in force until then
	By      string    `json:"by,omitempty"`
}

// Rule is what was set.
func (e LedgerRetentionChanged) Rule() Rule {
	return Rule{Profile: e.Profile, Trace: e.Trace, Network: e.Network, Rows: e.Rows}
}

// EventType implements [domain.Event].
func (LedgerRetentionChanged) EventType() string { return "LedgerRetentionChanged" }

// Evolve implements [domain.Event].
func (e LedgerRetentionChanged) Evolve(s State) State {
	return State{Changes: s.Changes + 1, Before: e.Before, Rule: e.Rule(), From: e.From}
}
