package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/worker"
)

// brokerFlags say where the ledger is published, too.
type brokerFlags struct {
	bus      *worker.Bus // nil for nowhere
	fault    error       // why the URL is none
	personal bool
	fromEnd  bool
}

func (f *brokerFlags) flags(fs *flag.FlagSet) {
	fs.Func("broker", "also publish the ledger, as CloudEvents, to a message broker at this `URL`: "+worker.BusForm+"; off by default", func(text string) error {
		// An error here would be quoted with the URL, and that has a password.
		f.bus, f.fault = worker.OpenBus(text)
		return nil
	})
	fs.Func("broker-include", "`what` else than clear payloads goes to the broker: nothing, or personal, which opens names, addresses and networks, beyond the reach of an erasure; nothing by default", func(text string) error {
		f.personal = text == "personal"
		return oneOf(text, "personal", "nothing")
	})
	fs.Func("broker-from", "`where` publishing begins the first time: start or end of the ledger; start by default", func(text string) error {
		f.fromEnd = text == "end"
		return oneOf(text, "start", "end")
	})
}

// check tells whether the URL of the broker can be read.
func (f *brokerFlags) check() error {
	if f.fault != nil {
		return usagef("--broker: %v", f.fault)
	}
	return nil
}

func oneOf(text, one, other string) error {
	if text != one && text != other {
		return fmt.Errorf("it is %s or %s", one, other)
	}
	return nil
}

// broker makes the worker that publishes the ledger; nil where there is no
// broker.
func (a *app) broker(f brokerFlags) *worker.Broker {
	if f.bus == nil {
		return nil
	}
	return &worker.Broker{Bus: f.bus, Codec: a.codec, Personal: f.personal, Now: time.Now}
}

// publisher names the worker of a broker. One of another kind, and another
// topic, have a checkpoint of their own.
func publisher(b *worker.Bus) string { return "broker-" + b.Kind + "-" + b.Topic }

// publish runs the broker's worker when it is this node's turn.
func (a *app) publish(ctx context.Context, b *worker.Broker, fromEnd bool) error {
	name := publisher(b.Bus)
	return a.alone(ctx, name, func(ctx context.Context) error {
		checkpoint, at, err := a.checkpoint(ctx, name)
		if err == nil && fromEnd && at.Compare(eventstore.Position{}) == 0 {
			if at, err = a.store.Head(ctx); err == nil {
				err = checkpoint.save(at)
			}
		}
		if err != nil {
			return fmt.Errorf("find where publishing goes on: %w", err)
		}
		b.Follower = a.follower(checkpoint, at)
		return b.Run(ctx)
	})
}

// watchBroker shows how far the broker lags.
func (m *metrics) watchBroker(b *worker.Broker) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "flowledger_broker_lag_seconds", Help: "How long the oldest event has been waiting for the broker.",
		}, func() float64 { return b.Lag().Seconds() }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "flowledger_broker_published_total", Help: "How many events the broker has acknowledged since the start.",
		}, func() float64 { return float64(b.Published()) }),
	)
}
