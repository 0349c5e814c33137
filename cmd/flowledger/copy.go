package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/worker"
)

// A copying is what copy is told: two ends, and the one master key of both.
type copying struct {
	from, to  storage
	masterKey string
	brokers   []string // the workers that publish from --from
}

func copyCommand() *subcommand {
	return &subcommand{
		name: "copy", about: "copies a ledger with its keys and checkpoints to another store, and compares both; goes on where it was interrupted",
		example: "flowledger copy --from sqlite: --from-data /var/lib/flowledger --to postgres://flowledger@db/flowledger",
		run: func(ctx context.Context, c *call) error {
			var job copying
			fs := c.flags()
			fs.StringVar(&job.from.store, "from", "", "the `ledger` to copy: sqlite:[PATH], postgres://…, esdb://… or esdb+discover://…")
			fs.StringVar(&job.from.data, "from-data", "./data", "data `folder` of the ledger to copy: with its master key and, for sqlite:, its keys")
			fs.StringVar(&job.to.store, "to", "", "`ledger` to copy to: sqlite:[PATH], postgres://…, esdb://… or esdb+discover://…; empty, or an earlier copy of the same ledger")
			fs.StringVar(&job.to.data, "to-data", "", "data `folder` at the other end; for sqlite: it gets the keys, and any gets the master key")
			fs.StringVar(&job.masterKey, "master-key-file", "", "`file` with the master key of both ends; by default master.key in the data folder of --from")
			fs.Func("broker", "message broker, as serve is given it, whose checkpoint goes along from a ledger that nodes share, as a `URL`; nothing is published", func(text string) error {
				bus, err := worker.OpenBus(text)
				if err == nil {
					job.brokers = append(job.brokers, publisher(bus))
				}
				return err
			})
			rest, err := c.parse(fs)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return usagef("copy takes no arguments, but got %q", rest[0])
			}
			if err := job.check(); err != nil {
				return err
			}
			return job.run(ctx, c)
		},
	}
}

// check refuses what cannot be meant.
func (j *copying) check() error {
	switch {
	case j.from.store == "" || j.to.store == "":
		return usagef("say where the ledger is and where it goes: --from URL --to URL")
	case j.from.store == "memory:" || j.to.store == "memory:":
		return usagef("a ledger in memory is gone when its program ends: it cannot be copied")
	case j.to.data == "" && strings.HasPrefix(j.to.store, "sqlite:"):
		return usagef("say with --to-data FOLDER where the keys go")
	case j.to.data != "" && filepath.Clean(j.to.data) == filepath.Clean(j.from.data):
		return usagef("--from-data and --to-data name the same folder")
	case j.from.store == j.to.store && !strings.HasPrefix(j.to.store, "sqlite:"):
		return usagef("--from and --to name the same ledger")
	}
	return nil
}

// run copies what is not there yet. Nothing is written before it is known that
// the target is empty or an earlier copy. Then the keys go first, for events
// without their keys are worth less than keys without events; the checkpoints
// go last, when it is known where in the target they are. A crash anywhere
// leaves a target with which the next run goes on.
func (j *copying) run(ctx context.Context, c *call) (err error) {
	from, err := openSource(ctx, j.from, j.masterKey)
	if err != nil {
		return err
	}
	from.brokers = j.brokers
	defer func() { err = errors.Join(err, from.close()) }()
	to, err := openTarget(ctx, j.to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	if err := from.opens(ctx, from.key); err != nil {
		return err
	}
	t, bar, err := j.transfer(ctx, c, from, to)
	if err != nil {
		return err
	}
	if err := t.begin(ctx); err != nil {
		return bar.broken(err)
	}
	keys, err := carryKeys(ctx, from.keys, to.keys)
	if err != nil {
		return err
	}
	if err := t.finish(ctx); err != nil {
		return bar.broken(err)
	}
	bar.copied(t)
	if !from.local() {
		// Servers may have gone on: what was made or destroyed meanwhile.
		if keys, err = carryKeys(ctx, from.keys, to.keys); err != nil {
			return err
		}
	}
	if err := to.opens(ctx, from.key); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "copied %d keys; the master key %s opens both ends\n", keys, from.keyPath)
	if err := to.settle(ctx, t.marks); err != nil {
		return err
	}
	for _, m := range t.marks {
		fmt.Fprintf(c.stdout, "worker %s goes on at position %s, which is %s at the source\n", m.name, m.target, m.source)
	}
	return j.closing(c, from, to, t)
}

// transfer prepares the copying of the events, with a bar that grows.
func (j *copying) transfer(ctx context.Context, c *call, from, to *depot) (*transfer, *progress, error) {
	head, err := from.ledger.Head(ctx)
	if err != nil {
		return nil, nil, err
	}
	marks, err := from.marks(ctx)
	if err != nil {
		return nil, nil, err
	}
	bar := &progress{call: c, start: time.Now()}
	tell := func(doing string, at eventstore.Position, events int) {
		bar.draw(doing, float64(at.Value())/float64(max(head.Value(), 1)), events)
	}
	return &transfer{from: from.ledger, to: to.ledger, marks: marks, tell: tell}, bar, nil
}

// broken ends the bar's line, so that the error has one of its own.
func (p *progress) broken(err error) error {
	if !p.shown.IsZero() {
		fmt.Fprintln(p.call.stderr)
	}
	return err
}

// copied ends the bar of a transfer.
func (p *progress) copied(t *transfer) {
	seconds := max(time.Since(p.start).Seconds(), 1e-9)
	fmt.Fprintln(p.call.stderr)
	fmt.Fprintf(p.call.stdout, "copied %d events and compared all %d, in %.1f s, %.0f events/s\n", t.copied, t.alike, seconds, float64(t.alike)/seconds)
}

// closing says what is left to do.
func (j *copying) closing(c *call, from, to *depot, t *transfer) error {
	if !from.local() {
		fmt.Fprintf(c.stdout, "copied up to position %s; for what came since, stop the servers of the source and run again\n", t.source)
	}
	if to.data == "" || j.masterKey != "" {
		fmt.Fprintf(c.stdout, "whoever opens the copy needs the same master key: name %s with --master-key-file\n", from.keyPath)
		return nil
	}
	path := filepath.Join(to.data, "master.key")
	made, err := carryMasterKey(from.keyPath, path)
	if made {
		fmt.Fprintf(c.stdout, "the master key is in %s, too\n", path)
	}
	return err
}
