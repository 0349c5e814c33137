package main

import (
	"context"
	"errors"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/policy"
)

// records answers what policies ask about the past.
type records struct{ app *app }

var errNoRecord = errors.New("this is not recorded yet")

// Score implements policy.History.
func (r *records) Score(context.Context, string, string) (int64, error) { return 0, errNoRecord }

// Logins implements policy.History.
func (r *records) Logins(context.Context, string, int) ([]policy.Login, error) {
	return nil, errNoRecord
}

// Reused implements policy.History.
func (r *records) Reused(context.Context, string, domain.Secret, int) (bool, error) {
	return false, errNoRecord
}
