package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/trail"
	outcast "github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/worker"
	"github.com/flowledger/flowledger/projections"
)

// sinksAPI is what the administration API does with sinks.
type sinksAPI struct{ *outgoing }

// Health implements adminapi.Sinks.
func (s sinksAPI) Health(ctx context.Context, id string) ([]adminapi.SinkHealth, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []adminapi.SinkHealth
	for _, d := range all {
		if id != "" && d.ID != id {
			continue
		}
		out = append(out, adminapi.SinkHealth{
			ID: d.ID, Name: d.Name, Kind: d.Kind, Format: d.Format, Enabled: d.Enabled, State: d.State, Lag: d.Lag.Seconds(),
			At: d.At.String(), Head: d.Head.String(), Delivered: d.Delivered, Parked: d.Parked, LastError: d.LastError,
			Since: known(d.Since), NextTry: known(d.NextTry),
		})
	}
	return out, nil
}

// known is nil for no time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Parked implements adminapi.Sinks.
func (s sinksAPI) Parked(ctx context.Context, id string, p adminapi.Page) ([]adminapi.SinkParked, int, error) {
	found, total, err := s.deliveries.Parked(ctx, id, page(p))
	out := make([]adminapi.SinkParked, len(found))
	for i, e := range found {
		out[i] = adminapi.SinkParked(e)
	}
	return out, total, err
}

// Settle implements adminapi.Sinks. Whoever dies in the middle of many has
// settled the first of them.
func (s sinksAPI) Settle(ctx context.Context, c session.Caller, id, event string, release bool) (int, error) {
	events := []string{event}
	if event == "" {
		found, _, err := s.deliveries.Parked(ctx, id, projections.Page{})
		if err != nil {
			return 0, err
		}
		events = events[:0]
		for _, e := range found {
			events = append(events, e.Event)
		}
	}
	stream := eventstore.Stream("worker", projections.SinkWorker(id))
	for i, event := range events {
		var do domain.Command[outcast.State] = outcast.Abandon{Event: event, By: c.User}
		if release {
			do = outcast.Release{Event: event, By: c.User}
		}
		if _, err := s.app.workerHandler.Handle(ctx, stream, do, caused("object:"+id, c)); err != nil {
			return i, err
		}
	}
	return len(events), nil
}

// Resend implements adminapi.Sinks.
func (s sinksAPI) Resend(ctx context.Context, c session.Caller, id, position string, since time.Time) (string, error) {
	from, err := eventstore.ParsePosition(position)
	if position == "" {
		from, err = s.before(ctx, since)
	}
	if err != nil {
		return "", err
	}
	_, at, err := s.app.checkpoint(ctx, projections.SinkWorker(id))
	if err != nil {
		return "", err
	}
	if from.Compare(at) >= 0 {
		return "", domain.Errorf(domain.Conflict, "The sink has come to position %s only. It can send again what it has sent.", at)
	}
	_, err = s.handler.Handle(ctx, eventstore.Stream("export", id), trail.Resend{From: from.String(), By: c.User}, caused("object:"+id, c))
	return from.String(), err
}

// before finds the last position before a time. Times grow with positions, so
// where any number is a place to read from, it is found by halving.
func (o *outgoing) before(ctx context.Context, since time.Time) (worker.Position, error) {
	if _, sparse := o.app.store.(*esdb.Store); sparse {
		return o.scan(ctx, worker.Position{}, since)
	}
	head, err := o.app.store.Head(ctx)
	if err != nil {
		return head, err
	}
	low, high := uint64(0), head.Value()
	for high-low > 1000 {
		middle := low + (high-low)/2
		e, ok, err := o.next(ctx, eventstore.PositionOf(middle))
		if err != nil {
			return head, err
		}
		if ok && e.RecordedAt.Before(since) {
			low = middle
		} else {
			high = middle
		}
	}
	return o.scan(ctx, eventstore.PositionOf(low), since)
}

// next reads the first event after a position.
func (o *outgoing) next(ctx context.Context, at worker.Position) (eventstore.Recorded, bool, error) {
	for e, err := range o.app.store.ReadAll(ctx, at) {
		return e, err == nil, err
	}
	return eventstore.Recorded{}, false, nil
}

// scan reads on until a time.
func (o *outgoing) scan(ctx context.Context, at worker.Position, since time.Time) (worker.Position, error) {
	for e, err := range o.app.store.ReadAll(ctx, at) {
		if err != nil || !e.RecordedAt.Before(since) {
			return at, err
		}
		at = e.Position
	}
	return at, nil
}

// trialLimit bounds how long a target has to answer to a test.
const trialLimit = 10 * time.Second

// Try implements adminapi.Sinks. The record that goes out is of an event that
// never was: nothing is appended, and its id is nobody's.
func (s sinksAPI) Try(ctx context.Context, t object.Thing) (adminapi.SinkTrial, error) {
	config, err := sinkOf(t)
	if err != nil {
		return adminapi.SinkTrial{}, err
	}
	item, err := s.sample(ctx, s.clerk(t, config))
	if err != nil {
		return adminapi.SinkTrial{}, err
	}
	target, _, err := s.target(ctx, t, config)
	if err != nil {
		return adminapi.SinkTrial{}, err
	}
	defer target.Close()
	if live := s.running(t.ID); live != nil && config.Kind == trail.File {
		target = live.Target // two writers would take each other's lines for torn ones
	}
	ctx, cancel := context.WithTimeout(ctx, trialLimit)
	defer cancel()
	start := time.Now()
	ack, err := target.Send(ctx, []worker.Item{item})
	trial := adminapi.SinkTrial{Taken: err == nil, Answer: ack, Millis: float64(time.Since(start).Microseconds()) / 1000}
	if err != nil {
		trial.Answer = worker.Explain(err)
	}
	return trial, nil
}

// sample writes a record that is marked as a test.
func (o *outgoing) sample(ctx context.Context, k *clerk) (worker.Item, error) {
	event := audit.AuditCustomRecorded{Action: "custom_test", App: "flowledger.sinks.test"}
	made, err := o.app.codec.Encode(ctx, eventstore.Stream("audit", uuid.NewString()), system("tenant"), event)
	if err != nil {
		return worker.Item{}, err
	}
	e := eventstore.Recorded{NewEvent: made[0], Stream: eventstore.Stream("audit", "test"), RecordedAt: time.Now().UTC()}
	r, err := k.gatherer.Record(ctx, e)
	if err != nil {
		return worker.Item{}, err
	}
	k.options.All = true
	item, said, err := k.write(r)
	if err != nil {
		return worker.Item{}, err
	}
	if !said {
		// A format without a word for tests gets the bare fact.
		if item.Body, err = json.Marshal(map[string]any{"test": true, "id": e.ID, "product": "flowledger"}); err != nil {
			return worker.Item{}, fmt.Errorf("write a test record: %w", err)
		}
	}
	item.ID, item.RecordedAt = e.ID, e.RecordedAt
	return item, nil
}
