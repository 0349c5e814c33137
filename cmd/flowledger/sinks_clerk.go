package main

import (
	"context"
	"os"
	"slices"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/trail"
	outcast "github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/siem"
	"github.com/flowledger/flowledger/handlers/worker"
	"github.com/flowledger/flowledger/projections"
)

// A clerk writes what a sink sends, as it is configured.
type clerk struct {
	of       *outgoing
	sink     string
	config   *trail.Sink
	gatherer *siem.Gatherer
	format   siem.Format
	options  siem.Options
}

// formats are the names that sinks have for formats.
var formats = map[string]siem.Format{"json": siem.JSONL, "ocsf": siem.OCSF, "ecs": siem.ECS, "cef": siem.CEF}

func (o *outgoing) clerk(t object.Thing, config *trail.Sink) *clerk {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	k := &clerk{
		of: o, sink: t.ID, config: config, gatherer: o.gatherers[config.Personal], format: formats[config.Format],
		options: siem.Options{Personal: config.Personal, All: config.All, Host: host, Version: version()},
	}
	if config.Kind == trail.Syslog {
		k.format, k.options.Message = siem.Syslog, k.format
	}
	return k
}

// Wants implements worker.Clerk. The deliveries of a sink are for no sink,
// unless somebody names them or wants all there is.
func (k *clerk) Wants(e eventstore.Recorded) bool {
	category := e.Stream.Category()
	if len(k.config.Events) > 0 {
		return slices.Contains(k.config.Events, e.Type) || slices.Contains(k.config.Events, category)
	}
	return k.config.All || category != "worker" && category != "export"
}

// Write implements worker.Clerk.
func (k *clerk) Write(ctx context.Context, e eventstore.Recorded) (worker.Item, bool, error) {
	r, err := k.gatherer.Record(ctx, e)
	if err != nil {
		return worker.Item{}, false, err
	}
	if len(k.config.Flows) > 0 && !slices.Contains(k.config.Flows, r.Flow.ID) {
		return worker.Item{}, false, nil
	}
	if k.config.Outcome != "" && siem.Outcome(r) != k.config.Outcome {
		return worker.Item{}, false, nil
	}
	return k.write(r)
}

func (k *clerk) write(r siem.Record) (worker.Item, bool, error) {
	options := k.options
	if c := r.Stream.Category(); c == "worker" || c == "export" {
		options.All = true // formats leave deliveries out, and somebody named them
	}
	body, said, err := k.format.Append(nil, r, options)
	if err != nil || !said {
		return worker.Item{}, false, err
	}
	order := r.Header.Execution
	if r.Stream.Category() == "execution" {
		order = r.Stream.ID()
	}
	return worker.Item{Order: order, Body: body}, true, nil
}

// Released implements worker.Clerk. What is sent again is read again, too.
func (k *clerk) Released(ctx context.Context, e eventstore.Recorded) (eventstore.Recorded, bool, error) {
	d, err := k.of.app.codec.DecodeClear(e)
	if err != nil {
		return eventstore.Recorded{}, false, err
	}
	released, ok := d.Event.(outcast.WorkerEventReleased)
	if !ok {
		return eventstore.Recorded{}, false, nil
	}
	s, _, err := k.of.app.workerHandler.Load(ctx, eventstore.Stream("worker", projections.SinkWorker(k.sink)))
	if err != nil {
		return eventstore.Recorded{}, false, err
	}
	if s.Events[released.Event] {
		return eventstore.Recorded{}, false, nil // it was tried, and is parked again
	}
	place := s.Places[released.Event]
	for parked, err := range k.of.app.store.ReadStream(ctx, eventstore.StreamID(place.Stream), eventstore.Revision(place.Revision)) {
		return parked, err == nil && parked.ID.String() == released.Event, err
	}
	return eventstore.Recorded{}, false, nil
}
