package main

import (
	"context"
	"strconv"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/console"
)

// consoleDeliveries shows the console the sinks, and does to them what the
// administration API does.
type consoleDeliveries struct{ sinksAPI }

// Deliveries implements console.Deliveries.
func (d consoleDeliveries) Deliveries(ctx context.Context) ([]console.Delivery, error) {
	all, err := d.all(ctx)
	out := make([]console.Delivery, len(all))
	for i, one := range all {
		out[i] = console.Delivery(one)
	}
	return out, err
}

// parkedShown is how many parked events the page of a sink has.
const parkedShown = 100

// Parked implements console.Deliveries.
func (d consoleDeliveries) Parked(ctx context.Context, sink string) ([]console.ParkedEvent, error) {
	found, _, err := d.sinksAPI.Parked(ctx, sink, adminapi.Page{Limit: parkedShown})
	out := make([]console.ParkedEvent, len(found))
	for i, p := range found {
		out[i] = console.ParkedEvent(p)
	}
	return out, err
}

// Resend implements console.Deliveries.
func (d consoleDeliveries) Resend(ctx context.Context, c session.Caller, sink, from string) error {
	since, err := time.Parse(time.RFC3339Nano, from)
	if err == nil {
		from = ""
	} else if _, err := strconv.ParseUint(from, 10, 63); err != nil {
		return domain.Errorf(domain.Invalid, "Give a position of the ledger, or a time such as 2026-11-23T08:00:00Z.")
	}
	if _, err := d.sinksAPI.Resend(ctx, c, sink, from, since); err != nil {
		return err
	}
	return d.app.wait(ctx)
}

// Settle implements console.Deliveries.
func (d consoleDeliveries) Settle(ctx context.Context, c session.Caller, sink, event string, again bool) error {
	if event == "" { // the API takes that for all of them
		return domain.Errorf(domain.Invalid, "Say which event.")
	}
	if _, err := d.sinksAPI.Settle(ctx, c, sink, event, again); err != nil {
		return err
	}
	return d.app.wait(ctx)
}

// Enable implements console.Deliveries. It is one field of the configuration,
// and needs no look at other things.
func (d consoleDeliveries) Enable(ctx context.Context, c session.Caller, sink string, on bool) error {
	t, ok := d.app.objects.Thing(sink)
	if !ok || t.Kind != trail.Model {
		return domain.Errorf(domain.NotFound, "There is no such sink.")
	}
	put := object.Put{Kind: trail.Model, Fields: map[string]any{"enabled": on}, By: c.User, Via: "api"}
	if _, err := d.app.objectHandler.Handle(ctx, eventstore.Stream("object", sink), put, caused("object:"+sink, c)); err != nil {
		return err
	}
	return d.app.wait(ctx)
}
