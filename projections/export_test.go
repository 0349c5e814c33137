package projections

import "time"

// SumQuery is the query of [Reputation.Sum].
func (r *Reputation) SumQuery(ip, identifier string, now time.Time) (text string, args []any) {
	return r.sum(ip, identifier, now)
}

// Limit sets what a search may cost.
func (x *Executions) Limit(budget time.Duration, collect, sort int) {
	x.limits = searchLimits{budget: budget, collect: collect, sort: sort}
}
