package retention

import (
	"fmt"
	"time"

	"github.com/flowledger/flowledger/domain"
)

// The bounds of a rule in months. Nothing younger than a month is destroyed,
// whatever somebody types, and nothing lives longer than law has ever asked.
const (
	Least = 1
	Most  = 1200
)

// Grace is how long a rule waits that destroys more than the one in force.
const Grace = 24 * time.Hour

// Change sets a rule. A profile with a name brings its months along; whoever
// names others, too, means a custom one and has to say so.
type Change struct {
	Rule Rule
	By   string
	Now  time.Time
}

// Decide implements [domain.Command].
func (c Change) Decide(s State) ([]Event, error) {
	rule, err := c.rule()
	if err != nil {
		return nil, err
	}
	before := s.At(c.Now)
	last := before
	if s.Changes > 0 {
		last = s.Rule
	}
	if rule == last {
		return nil, nil
	}
	from := c.Now.UTC()
	if rule.shorter(before) {
		from = from.Add(Grace)
	}
	return []Event{LedgerRetentionChanged{
		Profile: rule.Profile, Trace: rule.Trace, Network: rule.Network, Rows: rule.Rows, From: from, Before: before, By: c.By,
	}}, nil
}

// rule is what is meant, or says field by field why it is none.
func (c Change) rule() (Rule, error) {
	fields := map[string][]string{}
	named, known := Profile(c.Rule.Profile)
	if !known && c.Rule.Profile != Custom {
		fields["profile"] = []string{fmt.Sprintf("%q is not a valid choice.", c.Rule.Profile)}
	}
	for _, f := range []struct {
		name   string
		months int
		named  int
	}{
		{"trace_months", c.Rule.Trace, named.Trace},
		{"network_months", c.Rule.Network, named.Network},
		{"rows_months", c.Rule.Rows, named.Rows},
	} {
		switch {
		case known && f.months != 0 && f.months != f.named:
			fields[f.name] = []string{"A profile has its own months. Choose the profile custom to set others."}
		case c.Rule.Profile != Custom: // what is wrong with it is said already, or its months are its own
		case f.months < Least:
			fields[f.name] = []string{fmt.Sprintf("Ensure this value is greater than or equal to %d.", Least)}
		case f.months > Most:
			fields[f.name] = []string{fmt.Sprintf("Ensure this value is less than or equal to %d.", Most)}
		}
	}
	if len(fields) > 0 {
		return Rule{}, &domain.Error{Code: domain.Invalid, Message: "The rule makes no sense.", Fields: fields}
	}
	if known {
		return named, nil
	}
	return c.Rule, nil
}
