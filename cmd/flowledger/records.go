package main

import (
	"context"
	"errors"
	"time"

	"github.com/flowledger/flowledger/domain/policy"
)

// records answers what policies ask about the past.
type records struct{ app *app }

var errNoRecord = errors.New("this is not recorded yet")

// Score implements policy.History. A login that failed a moment ago counts,
// so the read models have to have seen it.
func (r *records) Score(ctx context.Context, ip, username string) (int64, error) {
	if err := r.app.wait(ctx); err != nil {
		return 0, err
	}
	return r.app.reputation.Sum(ctx, ip, username, time.Now())
}

// Logins implements policy.History.
func (r *records) Logins(context.Context, string, int) ([]policy.Login, error) {
	return nil, errNoRecord
}
