package main

import (
	"context"
	"time"

	"github.com/flowledger/flowledger/handlers/caller"
	"github.com/flowledger/flowledger/handlers/console"
)

// console makes the audit console.
func (a *app) console(callers *caller.Callers) *console.Server {
	persons := &consolePersons{pageAccount{a}}
	return &console.Server{
		Persons: persons, Logins: persons, Things: a.objects, Trail: &consoleTrail{a}, Deliveries: consoleDeliveries{sinksAPI{a.outgoing}},
		Changes: &consoleChanges{a.changes, a}, Sources: a.sources, Verdicts: a.verdicts, Accesses: a.accesses, Erasures: &consoleErasures{a.erasures, a}, Retention: consoleRetention{a},
		Callers: callers, Forgery: callers, Brands: &brands{a}, Looks: a.looks, People: &consolePeople{a},
		Executions: a.executions, Stories: a.teller(), Fresh: a.freshness, Wait: a.wait, Now: time.Now, Log: a.log,
	}
}

// freshness tells how far the read models have followed the ledger. What is
// not shown yet is as old as the first event of it.
func (a *app) freshness(ctx context.Context) (console.Freshness, error) {
	f := console.Freshness{Shown: a.runner.Applied(), Halted: a.runner.Ready() != nil}
	for e, err := range a.store.ReadAll(ctx, f.Shown) {
		if err != nil {
			return f, err
		}
		f.Behind = max(time.Since(e.RecordedAt), time.Millisecond)
		break
	}
	return f, nil
}

// consolePeople knows who is behind the ids of users.
type consolePeople struct{ app *app }

// Named implements console.People.
func (p *consolePeople) Named(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	for _, id := range ids {
		if _, known := names[id]; known || id == "" {
			continue
		}
		found, ok, err := p.app.users.ByID(ctx, id)
		if err != nil {
			return nil, err
		}
		if ok {
			names[id] = found.Username
		}
	}
	return names, nil
}

// UserID implements console.People.
func (p *consolePeople) UserID(ctx context.Context, text string) (string, error) {
	return p.app.UserID(ctx, text)
}
