package projections

import "time"

// SumQuery is the query of [Reputation.Sum].
func (r *Reputation) SumQuery(ip, identifier string, now time.Time) (text string, args []any) {
	return r.sum(ip, identifier, now)
}
