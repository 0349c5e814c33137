package main

import (
	"context"
	"errors"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/auditapi"
	"github.com/flowledger/flowledger/handlers/console"
	"github.com/flowledger/flowledger/projections"
)

// consoleErasures tells the console what was destroyed, and what will be.
type consoleErasures struct {
	*projections.Erasures
	app *app
}

// Answer implements console.Erasures.
func (e *consoleErasures) Answer(ctx context.Context, event string) (console.ErasureAnswer, bool, error) {
	report, err := e.app.ErasureReport(ctx, event)
	if known, ok := errors.AsType[*domain.Error](err); ok && known.Code == domain.NotFound {
		return console.ErasureAnswer{}, false, nil
	}
	if err != nil {
		return console.ErasureAnswer{}, false, err
	}
	entry, _, err := e.app.audit.ByID(ctx, report.Event)
	if err != nil {
		return console.ErasureAnswer{}, false, err
	}
	return erasureAnswer(report, entry.Position), true, nil
}

func erasureAnswer(report auditapi.ErasureReport, at eventstore.Position) console.ErasureAnswer {
	out := console.ErasureAnswer{Bound: map[string]int{}}
	for _, k := range report.Keys {
		if k.Destroyed > 0 {
			out.Bound[k.Kind] = k.Destroyed
			out.Erasure.Bound += k.Destroyed
		}
	}
	for _, l := range report.Remaining {
		out.Left = append(out.Left, console.LeftSubject{Name: l.Subject, Gone: l.GoneAt})
	}
	for _, s := range report.Stays {
		out.Events = append(out.Events, console.EventCount{Type: s.Type, Count: s.Events})
	}
	for _, c := range report.Copies {
		out.Gone = append(out.Gone, console.ErasedCopy{Kind: c.Kind, Name: c.Name, By: c.By, From: c.From, Until: c.Until, Events: c.Events})
	}
	o := &out.Erasure
	o.Position, o.Event, o.At, o.Kind, o.Subject, o.Classes = at, report.Event, report.At, report.Kind, report.Subject, report.Classes
	o.Cause, o.By, o.Remaining, o.BackupsGoneAt = report.Cause, report.By, len(report.Remaining), report.BackupsGoneAt
	return out
}

// consoleRetention gives the console the rule of retention.
type consoleRetention struct{ *app }

// Rule implements console.Retention.
func (r consoleRetention) Rule(ctx context.Context) (retention.State, []console.RuleChange, time.Time, error) {
	state, _, err := r.retentionHandler.Load(ctx, retentionStream)
	if err != nil {
		return state, nil, time.Time{}, err
	}
	report, err := r.RetentionReport(ctx)
	if err != nil {
		return state, nil, time.Time{}, err
	}
	var past []console.RuleChange
	for _, h := range report.History {
		past = append(past, console.RuleChange{At: h.At, From: h.From, By: h.By, Rule: h.Rule})
	}
	first, err := r.firstMonth(ctx)
	return state, past, first, err
}
