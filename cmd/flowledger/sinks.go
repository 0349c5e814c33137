package main

import (
	"context"

	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/handlers/worker"
)

// Deliveries tells how each sink is doing, by name, on whatever node it runs.
func (a *app) Deliveries(ctx context.Context) ([]worker.Delivery, error) {
	head, err := a.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	var all []worker.Delivery
	for _, t := range a.objects.Kind(trail.Model) {
		all = append(all, worker.Delivery{ID: t.ID, Name: t.Name, Head: head, State: worker.Off})
	}
	return all, nil
}
