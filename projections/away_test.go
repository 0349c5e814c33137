package projections_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
)

// distant is a store whose engine can be out of reach. What is read of a
// subscription then ends with that; or it rests, as if nothing happened.
type distant struct {
	*memory.Store
	away, rests atomic.Bool
}

func (d *distant) fault() error {
	if d.away.Load() {
		return fmt.Errorf("connect: %w", eventstore.ErrUnavailable)
	}
	return nil
}

func (d *distant) Head(ctx context.Context) (eventstore.Position, error) {
	if err := d.fault(); err != nil {
		return eventstore.Position{}, err
	}
	return d.Store.Head(ctx)
}

func (d *distant) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for e, err := range d.Store.Subscribe(ctx, after) {
			if fault := d.fault(); fault != nil && !d.rests.Load() {
				yield(eventstore.Recorded{}, fault)
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// ready waits until the runner is, or is not.
func (w *world) ready(is bool, limit time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(limit); (w.runner.Ready() == nil) != is; <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("after %v it is ready: %v, want %t", limit, w.runner.Ready(), is)
		}
	}
}

// An engine that was away delays the read models, and changes nothing in them.
func TestRunnerOutlivesTheEngine(t *testing.T) {
	for name, rests := range map[string]bool{"the subscription breaks": false, "the subscription rests": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := &distant{Store: w.store.(*memory.Store)}
			d.rests.Store(rests)
			w.store = d
			w.close()
			c := &counting{version: "1"}
			w.open(c)
			w.run()
			w.append(stream("group", "a"), groupNamed("a"))
			w.settle()
			w.ready(true, 5*time.Second)
			d.away.Store(true)
			if !rests {
				w.append(stream("group", "b"), groupNamed("b"))
			}
			w.ready(false, 5*time.Second)
			if w.runner.Reached() {
				t.Error("the engine counts as reached")
			}
			w.append(stream("group", "c"), groupNamed("c"))
			d.away.Store(false)
			w.ready(true, 5*time.Second)
			w.settle()
			want := 3
			if rests {
				want = 2
			}
			if c.seen != want {
				t.Errorf("%d groups were seen, want %d", c.seen, want)
			}
		})
	}
}
