package main

import (
	"context"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/auditapi"
)

// Definitions implements auditapi.Stories.
func (a *app) Definitions(ctx context.Context, id string) ([]auditapi.Definition, error) {
	d := definitions{app: a, all: []auditapi.Definition{}, seen: map[auditapi.Definition]bool{}}
	for recorded, err := range a.store.ReadStream(ctx, eventstore.Stream("execution", id), 0) {
		if err != nil {
			return nil, err
		}
		decoded, err := a.codec.DecodeClear(recorded)
		if err != nil {
			return nil, err
		}
		if event, ok := decoded.Event.(execution.Event); ok {
			err = d.of(ctx, event)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(d.all) == 0 {
		return nil, noExecution(id)
	}
	return d.all, nil
}

// definitions gathers what configured an execution, each part once.
type definitions struct {
	app  *app
	all  []auditapi.Definition
	seen map[auditapi.Definition]bool
}

// of adds what an event names.
func (d *definitions) of(ctx context.Context, event execution.Event) error {
	switch e := event.(type) {
	case execution.ExecutionStarted:
		d.add("flow", e.Flow)
	case execution.PlanCreated:
		d.add("flow", e.Flow)
		d.entries(e.Entries)
		return d.pinned(ctx, e.Pins)
	case execution.StageInserted:
		d.entries(e.Entries)
	case execution.ExecutionResumed:
		d.entries(e.Entries)
		return d.pinned(ctx, e.Pins)
	case execution.PolicyEvaluated:
		d.evaluated(e.Evaluation)
	case execution.PolicyDenied:
		d.evaluated(e.Evaluation)
	}
	return nil
}

func (d *definitions) add(part string, ref domain.Ref) {
	if one := (auditapi.Definition{Part: part, Ref: ref}); ref.ID != "" && !d.seen[one] {
		d.seen[one] = true
		d.all = append(d.all, one)
	}
}

func (d *definitions) entries(all []execution.Entry) {
	for _, e := range all {
		d.add("binding", e.Binding)
		d.add("stage", e.Stage)
	}
}

func (d *definitions) evaluated(e execution.Evaluation) {
	for _, r := range e.Results {
		if r.Binding != nil {
			d.add("policy binding", domain.Ref{ID: r.Binding.ID, Revision: r.Binding.Revision})
		}
		if r.Policy != nil {
			d.add("policy", *r.Policy)
		}
	}
}

func (d *definitions) pinned(ctx context.Context, pins execution.Pins) error {
	all, err := d.app.teller().Pinned(ctx, pins)
	for _, p := range all {
		if p.Part == "policy binding" {
			p.Ref = domain.Ref{ID: p.ID, Revision: p.Revision} // as evidence names it
		}
		d.add(p.Part, p.Ref)
	}
	return err
}
