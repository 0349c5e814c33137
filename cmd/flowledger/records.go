package main

import (
	"context"
	"time"
)

// records answers what policies ask about the past.
type records struct{ app *app }

// Score implements policy.History. A login that failed a moment ago counts,
// so the read models have to have seen it.
func (r *records) Score(ctx context.Context, ip, username string) (int64, error) {
	if err := r.app.wait(ctx); err != nil {
		return 0, err
	}
	return r.app.reputation.Sum(ctx, ip, username, time.Now())
}
