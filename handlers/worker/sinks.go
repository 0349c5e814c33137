package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Sinks runs a worker for each sink that is configured, and looks again and
// again what has changed. What one sink does, or fails to do, is of no concern
// to the others.
type Sinks struct {
	// Wanted tells which sinks are to run, and of each a version: a sink whose
	// version changes is begun anew. All are the ids of those that there are.
	Wanted func(ctx context.Context) (versions map[string]string, all map[string]bool, err error)
	// Run runs a sink until ctx is done.
	Run func(ctx context.Context, id string) error
	// Gone forgets a sink that was removed, once it has ended.
	Gone func(ctx context.Context, id string) error

	Every time.Duration
	Ticks <-chan time.Time // says when to look, instead of Every; for tests
	Retry time.Duration    // before a sink that ended by itself begins anew
	Log   *slog.Logger
}

// A running is a sink at work.
type running struct {
	version string // empty once it was told to stop
	stop    context.CancelFunc
	ended   chan struct{}
}

// Follow runs the sinks until ctx is done.
func (k *Sinks) Follow(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	at := map[string]running{}
	watcher := &Watcher{Name: "sinks", Every: k.Every, Ticks: k.Ticks, Log: k.Log, Look: func(ctx context.Context) error {
		return k.look(ctx, at, &group)
	}}
	return watcher.Run(ctx)
}

// look stops what is not wanted any more, and begins what is. A sink ends
// before it begins anew, for both have the same place in the ledger; nobody
// waits for that here.
func (k *Sinks) look(ctx context.Context, at map[string]running, group *sync.WaitGroup) error {
	versions, all, err := k.Wanted(ctx)
	if err != nil {
		return err
	}
	for id, r := range at {
		if version, ok := versions[id]; !ok || version != r.version {
			r.stop()
			r.version = "" // it does not go on, even if it is wanted again at once
			at[id] = r
		}
		select {
		case <-r.ended:
		default:
			continue
		}
		if !all[id] {
			// A crash before it leaves a place that nobody asks for again.
			if err := k.Gone(ctx, id); err != nil {
				return err
			}
		}
		delete(at, id)
	}
	for id, version := range versions {
		if _, there := at[id]; there {
			continue
		}
		running := running{version: version, ended: make(chan struct{})}
		var own context.Context
		own, running.stop = context.WithCancel(ctx)
		at[id] = running
		group.Go(func() {
			defer close(running.ended)
			defer running.stop()
			k.run(own, id)
		})
	}
	return nil
}

// run runs a sink again and again until ctx is done. What ends it by itself,
// such as a secret that cannot be opened, is said once.
func (k *Sinks) run(ctx context.Context, id string) {
	last := ""
	for ctx.Err() == nil {
		err := k.Run(ctx, id)
		if err == nil || ctx.Err() != nil {
			return
		}
		if err.Error() != last {
			last = err.Error()
			k.Log.Error("a sink ended and begins anew", "sink", id, "error", err)
		}
		_ = pause(ctx, k.Retry) // the loop asks ctx itself
	}
}
