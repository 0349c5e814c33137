package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/handlers/worker"
	"github.com/flowledger/flowledger/projections"
)

// late is from when on a sink is behind.
const late = 10 * time.Second

// Deliveries tells how each sink is doing, by name, on whatever node it runs.
func (a *app) Deliveries(ctx context.Context) ([]worker.Delivery, error) { return a.outgoing.all(ctx) }

func (o *outgoing) all(ctx context.Context) ([]worker.Delivery, error) {
	sinks := slices.Clone(o.app.objects.Kind(trail.Model))
	slices.SortFunc(sinks, func(a, b object.Thing) int { return strings.Compare(a.Name, b.Name) })
	head, err := o.app.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]worker.Delivery, len(sinks))
	for i, t := range sinks {
		if out[i], err = o.health(ctx, t, head); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// health puts together what this process knows of a sink, if it runs it, and
// what every node can read: the checkpoint and what the ledger tells.
func (o *outgoing) health(ctx context.Context, t object.Thing, head worker.Position) (worker.Delivery, error) {
	config, err := sinkOf(t)
	if err != nil {
		return worker.Delivery{}, err
	}
	d := worker.Delivery{ID: t.ID, Name: t.Name, Kind: config.Kind, Format: config.Format, Enabled: config.Enabled, Head: head}
	told, err := o.deliveries.Sink(ctx, t.ID)
	if err != nil {
		return d, err
	}
	if _, d.At, err = o.app.checkpoint(ctx, projections.SinkWorker(t.ID)); err != nil {
		return d, err
	}
	d.Delivered, d.Parked = told.Delivered, told.Parked
	failing := !told.Failing.IsZero()
	if failing {
		d.Since, d.LastError = told.Failing, told.Class
	}
	if s := o.running(t.ID); s != nil {
		now := s.Status()
		d.Lag, d.Delivered = now.Lag, d.Delivered+now.Untold
		if failing = now.Failing; failing {
			d.Since, d.LastError, d.NextTry = now.Since, now.LastError, now.NextTry
		} else {
			d.Since, d.LastError = time.Time{}, ""
		}
	} else if config.Enabled {
		if d.Lag, err = o.waiting(ctx, o.clerk(t, config), d.At); err != nil {
			return d, err
		}
	}
	if d.LastError != "" && config.Host() != "" {
		d.LastError = config.Host() + ": " + d.LastError
	}
	d.State = stateOf(d, failing)
	return d, nil
}

func stateOf(d worker.Delivery, failing bool) string {
	switch {
	case !d.Enabled:
		return worker.Off
	case failing:
		return worker.Failing
	case d.Lag > late:
		return worker.Behind
	case d.Parked > 0:
		return worker.Parked
	}
	return worker.Delivering
}

// maxLooked bounds how many events are looked at to see how far a sink of
// another node lags.
const maxLooked = 1000

// waiting is how long the first event has been waiting that a sink has not
// delivered. A checkpoint is a few seconds old, and so is what follows from it.
func (o *outgoing) waiting(ctx context.Context, k *clerk, at worker.Position) (time.Duration, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	looked := 0
	for e, err := range o.app.store.ReadAll(ctx, at) {
		if err != nil {
			return 0, err
		}
		if _, quiet := silent[e.Stream.Category()]; !quiet && k.Wants(e) {
			return max(time.Since(e.RecordedAt), 0), nil
		}
		if looked++; looked == maxLooked {
			break
		}
	}
	return 0, nil
}

// silent are the categories that trigger no export.
var silent = map[string]struct{}{"ledger": {}, "worker": {}, "export": {}}

// running returns a sink that runs in this process.
func (o *outgoing) running(id string) *worker.Sink {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.live[id]
}

// sinkMetrics are what operators watch of sinks.
type sinkMetrics struct{ of *outgoing }

var (
	sinkLag       = prometheus.NewDesc("flowledger_sink_lag_seconds", "How long the oldest event has been waiting for the sink's target.", []string{"id", "name"}, nil)
	sinkDelivered = prometheus.NewDesc("flowledger_sink_delivered_total", "How many events the target has taken.", []string{"id", "name"}, nil)
	sinkParked    = prometheus.NewDesc("flowledger_sink_parked", "How many events the sink gave up on and nobody has settled.", []string{"id", "name"}, nil)
	sinkFailing   = prometheus.NewDesc("flowledger_sink_failing", "1 if the target takes nothing, else 0.", []string{"id", "name"}, nil)
)

// Describe implements [prometheus.Collector].
func (sinkMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sinkLag, sinkDelivered, sinkParked, sinkFailing} {
		out <- d
	}
}

// maxSinks bounds how many sinks the metrics tell apart.
const maxSinks = 100

// Collect implements [prometheus.Collector].
func (m sinkMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	all, err := m.of.all(ctx)
	if err != nil {
		return // whoever scrapes sees that they are missing
	}
	for _, d := range all[:min(len(all), maxSinks)] {
		failing := 0.0
		if d.State == worker.Failing {
			failing = 1
		}
		out <- prometheus.MustNewConstMetric(sinkLag, prometheus.GaugeValue, d.Lag.Seconds(), d.ID, d.Name)
		out <- prometheus.MustNewConstMetric(sinkDelivered, prometheus.CounterValue, float64(d.Delivered), d.ID, d.Name)
		out <- prometheus.MustNewConstMetric(sinkParked, prometheus.GaugeValue, float64(d.Parked), d.ID, d.Name)
		out <- prometheus.MustNewConstMetric(sinkFailing, prometheus.GaugeValue, failing, d.ID, d.Name)
	}
}
