package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/trail"
	outcast "github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/command"
	"github.com/flowledger/flowledger/handlers/siem"
	"github.com/flowledger/flowledger/handlers/worker"
	"github.com/flowledger/flowledger/projections"
)

// outgoing is what the program has of the outgoing trail.
type outgoing struct {
	app        *app
	deliveries *projections.Deliveries
	handler    command.Handler[trail.State]
	gatherers  map[bool]*siem.Gatherer // by whether they open names and addresses
	every      time.Duration           // between two looks at the configuration
	retry      time.Duration           // of a delivery, at first; 0 for the usual

	mu   sync.Mutex
	live map[string]*worker.Sink // those that run in this process; guarded by mu
}

// sinkHistories is how many sinks' histories are kept in memory.
const sinkHistories = 256

func newOutgoing(a *app, d *projections.Deliveries) *outgoing {
	o := &outgoing{app: a, deliveries: d, live: map[string]*worker.Sink{}, every: time.Second, gatherers: map[bool]*siem.Gatherer{}}
	o.handler = command.Handler[trail.State]{Store: a.store, Codec: a.codec, Cache: command.NewCache[trail.State](sinkHistories)}
	for _, personal := range []bool{false, true} {
		o.gatherers[personal] = &siem.Gatherer{Store: a.store, Codec: a.codec, People: a.users, Now: time.Now, Personal: personal}
	}
	return o
}

// run runs the sinks that are configured.
func (o *outgoing) run(ctx context.Context) error {
	sinks := &worker.Sinks{
		Wanted: o.wanted, Gone: o.gone, Every: o.every, Retry: 5 * time.Second, Log: o.app.log,
		Run: func(ctx context.Context, id string) error {
			return o.app.alone(ctx, projections.SinkWorker(id), func(ctx context.Context) error { return o.sink(ctx, id) })
		},
	}
	return sinks.Follow(ctx)
}

// wanted tells which sinks are to run. One that somebody wants to send events
// again is another version of itself.
func (o *outgoing) wanted(ctx context.Context) (versions map[string]string, all map[string]bool, err error) {
	versions, all = map[string]string{}, map[string]bool{}
	for _, t := range o.app.objects.Kind(trail.Model) {
		all[t.ID] = true
		config, err := sinkOf(t)
		if err != nil {
			return nil, nil, err
		}
		if !config.Enabled {
			continue
		}
		s, _, err := o.handler.Load(ctx, eventstore.Stream("export", t.ID))
		if err != nil {
			return nil, nil, err
		}
		versions[t.ID] = fmt.Sprintf("%d/%d", t.Revision, s.Resends)
	}
	return versions, all, nil
}

// sinkOf reads the configuration of a sink.
func sinkOf(t object.Thing) (*trail.Sink, error) {
	kind, _ := catalog.Lookup(trail.Model)
	config, err := kind.Load(t.Fields)
	if err != nil {
		return nil, err
	}
	return config.(*trail.Sink), nil
}

// gone forgets how far a sink had come.
func (o *outgoing) gone(ctx context.Context, id string) error {
	for _, name := range []string{projections.SinkWorker(id), resends(id)} {
		c, at, err := o.app.checkpoint(ctx, name)
		if err == nil && at.Compare(worker.Position{}) != 0 {
			err = c.save(worker.Position{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resends names the mark of which wishes to send again were followed.
func resends(id string) string { return projections.SinkWorker(id) + "-resends" }

// sink runs one sink, as it is configured, until ctx is done.
func (o *outgoing) sink(ctx context.Context, id string) error {
	t, ok := o.app.objects.Thing(id)
	if !ok || t.Kind != trail.Model {
		return nil // it was removed a moment ago
	}
	config, err := sinkOf(t)
	if err != nil {
		return err
	}
	target, lanes, err := o.target(ctx, t, config)
	if err != nil {
		return err
	}
	c, at, again, err := o.place(ctx, t, config)
	if err != nil {
		return err
	}
	s := &worker.Sink{
		Follower: o.app.follower(c, at), Name: c.name, Clerk: o.clerk(t, config), Target: target, Journal: &journal{o, id, c.name},
		Lanes: lanes, Batch: config.BatchSize, Linger: config.LingerFor(), Again: again, Now: time.Now,
	}
	if config.Kind == trail.Webhook {
		s.Batch, s.Linger = 1, 0 // a request is about one event
	}
	s.Retry = o.retry
	o.mu.Lock()
	o.live[id] = s
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.live, id)
	}()
	return s.Run(ctx)
}

// place finds where a sink goes on: behind what it has delivered, where
// somebody wants it to begin anew, or, the first time, where its configuration
// says. Again is up to where it has been before.
func (o *outgoing) place(ctx context.Context, t object.Thing, config *trail.Sink) (c *savedCheckpoint, at, again worker.Position, err error) {
	c, at, err = o.app.checkpoint(ctx, projections.SinkWorker(t.ID))
	if err != nil {
		return nil, at, again, err
	}
	if at.Compare(worker.Position{}) == 0 && config.Start == trail.End {
		// What happens between the wish for a sink and its first look goes out,
		// too: it begins behind the event that switched it on.
		at, err = o.app.objectHandler.Position(ctx, eventstore.Stream("object", t.ID), eventstore.Revision(t.Revision))
		if err == nil {
			err = c.save(at)
		}
		if err != nil {
			return nil, at, again, err
		}
	}
	mark, followed, err := o.app.checkpoint(ctx, resends(t.ID))
	if err != nil {
		return nil, at, again, err
	}
	s, _, err := o.handler.Load(ctx, eventstore.Stream("export", t.ID))
	if err != nil || uint64(s.Resends) <= followed.Value() {
		return c, at, again, err
	}
	from, err := eventstore.ParsePosition(s.From)
	if err != nil {
		return nil, at, again, err
	}
	if from.Compare(at) < 0 {
		// A crash between the two writes begins anew once more.
		again, at = at, from
		if err = c.save(at); err != nil {
			return nil, at, again, err
		}
	}
	return c, at, again, mark.save(eventstore.PositionOf(uint64(s.Resends)))
}

// lanesOf is how many batches are on their way at the same time.
var lanesOf = map[string]int{trail.File: 1, trail.Syslog: 1, trail.HTTPS: 2, trail.Webhook: 8}

// target makes what a sink sends to.
func (o *outgoing) target(ctx context.Context, t object.Thing, config *trail.Sink) (worker.Target, int, error) {
	lanes := lanesOf[config.Kind]
	secrets, err := o.app.secretsAt(ctx, t.Ref())
	if err != nil {
		return nil, 0, fmt.Errorf("open the secret of the sink: %w", err)
	}
	encrypted, err := worker.TLSConfig(config.CA, config.ServerName)
	if err != nil {
		return nil, 0, err
	}
	switch config.Kind {
	case trail.File:
		return &worker.FileTarget{
			Folder: filepath.Join(o.app.data, "trail"), Path: config.Target, Max: int64(config.RotateMegabytes) << 20, Keep: config.RotateKeep,
		}, lanes, nil
	case trail.Syslog:
		return worker.NewSyslogTarget(config.Target, encrypted, 0), lanes, nil
	case trail.Webhook:
		return worker.NewWebhookTarget(worker.WebhookTarget{URL: config.Target, Secret: secrets["secret"], Now: time.Now}, encrypted, lanes), lanes, nil
	}
	media := "application/x-ndjson"
	if config.Format == "cef" {
		media = "text/plain; charset=utf-8"
	}
	return worker.NewHTTPTarget(worker.HTTPTarget{
		URL: config.Target, Media: media, Header: config.SecretHeader, Secret: secrets["secret"],
	}, encrypted, lanes), lanes, nil
}

// A journal writes what a sink remembers into the ledger.
type journal struct {
	of   *outgoing
	id   string
	name string // of the worker
}

func (j *journal) handle(ctx context.Context, c domain.Command[trail.State]) (trail.State, error) {
	return j.of.handler.Handle(ctx, eventstore.Stream("export", j.id), c, system("object:"+j.id))
}

// Failed implements worker.Journal.
func (j *journal) Failed(ctx context.Context, from worker.Position, attempts int, class string) error {
	_, err := j.handle(ctx, trail.Fail{ExportDeliveryFailed: trail.ExportDeliveryFailed{From: from.String(), Attempts: attempts, Class: class}})
	return err
}

// Recovered implements worker.Journal.
func (j *journal) Recovered(ctx context.Context, attempts int) error {
	_, err := j.handle(ctx, trail.Recover{Attempts: attempts})
	return err
}

// Delivered implements worker.Journal.
func (j *journal) Delivered(ctx context.Context, t worker.Tally) (bool, error) {
	now := time.Now().UTC()
	s, err := j.handle(ctx, trail.Deliver{
		ExportBatchDelivered: trail.ExportBatchDelivered{From: t.From.String(), To: t.To.String(), Count: t.Count, Ack: t.Ack}, Now: now,
	})
	return err == nil && s.Told.Equal(now), err
}

// Park implements worker.Journal.
func (j *journal) Park(ctx context.Context, i worker.Item, cause *worker.Rejection, attempts int) error {
	parked := outcast.WorkerEventParked{
		Worker: j.name, Event: i.ID.String(), Position: i.Place.String(), Attempts: attempts, Class: cause.Class,
		Stream: string(i.Stream), Revision: int64(i.Revision),
	}
	_, err := j.of.app.workerHandler.Handle(ctx, eventstore.Stream("worker", j.name), outcast.Park{WorkerEventParked: parked, Again: i.Again}, system("tenant"))
	return err
}
