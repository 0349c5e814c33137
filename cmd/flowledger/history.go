package main

import (
	"context"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/eventstore"
)

// Reused implements policy.History. Each comparison costs a hash, so the
// newest, which is the likeliest, comes first.
func (r *records) Reused(ctx context.Context, userID string, password domain.Secret, n int) (bool, error) {
	s, _, err := r.app.userHandler.Load(ctx, eventstore.Stream("user", userID))
	if err != nil {
		return false, err
	}
	for _, hash := range s.Last(n) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if same, _, err := r.app.pool.Verify(ctx, hash, password); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// told is how many of the last passwords of a user are to be told apart: as
// many as the most demanding policy that is in use asks for.
func (r *records) told(ctx context.Context) (int, error) {
	if err := r.app.wait(ctx); err != nil {
		return 0, err
	}
	n := 0
	for _, t := range r.app.objects.Kind(policy.UniquePasswordModel) {
		p, err := policy.Load(t.Kind, t.Fields)
		if err != nil {
			return 0, err
		}
		if r.inUse(t.ID) {
			n = max(n, p.(*policy.UniquePassword).Number)
		}
	}
	return n, nil
}

// inUse tells whether a policy is bound to something, or validates what is
// typed into prompts.
func (r *records) inUse(id string) bool {
	bound := func(t object.Thing) bool { return t.Fields["policy"] == id }
	validates := func(t object.Thing) bool {
		policies, _ := t.Fields["validation_policies"].([]any)
		return slices.Contains(policies, any(id))
	}
	return slices.ContainsFunc(r.app.objects.Category(catalog.PolicyBinding), bound) ||
		slices.ContainsFunc(r.app.objects.Category(catalog.Stage), validates)
}
