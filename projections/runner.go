package projections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// maxBatch is how many events are committed together at most.
const maxBatch = 1000

// A Runner feeds projections from one subscription to the ledger. The rows of
// a batch of events and the checkpoints commit together, so each event counts
// once, wherever the process dies.
type Runner struct {
	store eventstore.Store
	codec *codec.Codec
	views *Views
	log   *slog.Logger

	tracks []*track // owned by Run, and by Rebuild

	mu sync.Mutex // guards all below
	// applied is the last event that is committed in every projection that
	// has not stopped; moved is closed and replaced when it changes.
	applied eventstore.Position
	moved   chan struct{}
	target  eventstore.Position // the end of the ledger when Run began
	stopped []*StoppedError
	away    error // why the engine is out of reach; nil while it is not
	ended   error // why Run returned, once it has
}

// A track is a projection on its way through the ledger.
type track struct {
	Projection
	at      eventstore.Position // committed up to here
	stopped *StoppedError       // nil while it runs
}

// A StoppedError says that a projection stands still in front of an event that
// it cannot apply. Its answers are as old as that event.
type StoppedError struct {
	Projection string
	Position   eventstore.Position
	Type       string
	Err        error
}

// Error implements error.
func (e *StoppedError) Error() string {
	return fmt.Sprintf("projection %s stopped at position %s, %s: %v", e.Projection, e.Position, e.Type, e.Err)
}

// Unwrap returns the cause.
func (e *StoppedError) Unwrap() error { return e.Err }

// errEnded is what waiters get when nobody follows the ledger.
var errEnded = errors.New("the projections have ended")

// NewRunner prepares the projections' tables and what they keep in memory:
// they can be asked from here on. It replays nothing.
func NewRunner(
	store eventstore.Store, c *codec.Codec, v *Views, log *slog.Logger, projections ...Projection,
) (*Runner, error) {
	r := &Runner{store: store, codec: c, views: v, log: log, moved: make(chan struct{})}
	for _, p := range projections {
		at, err := prepare(v.writer, p)
		if err != nil {
			return nil, err
		}
		r.tracks = append(r.tracks, &track{Projection: p, at: at})
	}
	r.applied = r.slowest()
	return r, r.refresh()
}

// slowest returns the position behind which some projection has work to do.
func (r *Runner) slowest() eventstore.Position {
	slowest := r.tracks[0].at
	for _, t := range r.tracks[1:] {
		if t.at.Compare(slowest) < 0 {
			slowest = t.at
		}
	}
	return slowest
}

func (r *Runner) refresh() error {
	for _, t := range r.tracks {
		if err := t.Refresh(r.views.writer); err != nil {
			return fmt.Errorf("refresh %s: %w", t.Name(), err)
		}
	}
	return nil
}

// Run follows the ledger until ctx is done, and ends without an error then.
// It is called once.
func (r *Runner) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	probing, stop := context.WithCancel(ctx)
	wg.Go(func() { r.probe(probing) })
	err := r.run(ctx)
	stop()
	wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = errEnded
	if err != nil {
		r.ended = fmt.Errorf("%w: %w", errEnded, err)
	}
	close(r.moved)
	r.moved = make(chan struct{})
	return err
}

// runOnce follows the ledger until ctx is done or the store fails.
func (r *Runner) runOnce(ctx context.Context) error {
	head, err := r.head(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	r.sawEngine(nil)
	r.mu.Lock()
	r.target = head
	r.mu.Unlock()
	return r.follow(ctx, func(ctx context.Context) iter.Seq2[eventstore.Recorded, error] {
		return r.store.Subscribe(ctx, r.slowest())
	}, func(int) {})
}

// head returns the end of the ledger, where the store can tell.
func (r *Runner) head(ctx context.Context) (eventstore.Position, error) {
	store, ok := r.store.(interface {
		Head(context.Context) (eventstore.Position, error)
	})
	if !ok {
		return eventstore.Position{}, nil
	}
	head, err := store.Head(ctx)
	if err != nil {
		return head, fmt.Errorf("find the end of the ledger: %w", err)
	}
	return head, nil
}

// Rebuild drops all tables, replays the ledger up to its end, and fails if a
// projection stops on the way. Progress is told of the events done so far.
// Neither Run nor another Rebuild may be under way.
func (r *Runner) Rebuild(ctx context.Context, progress func(events int)) error {
	for _, t := range r.tracks {
		if err := reset(r.views.writer, t); err != nil {
			return fmt.Errorf("rebuild %s: %w", t.Name(), err)
		}
		t.at, t.stopped = eventstore.Position{}, nil
	}
	r.mu.Lock()
	r.stopped = nil
	r.mu.Unlock()
	err := r.follow(ctx, func(ctx context.Context) iter.Seq2[eventstore.Recorded, error] {
		return r.store.ReadAll(ctx, eventstore.Position{})
	}, progress)
	if err == nil {
		err = ctx.Err()
	}
	return errors.Join(err, r.refresh(), r.fault())
}

// An arrival is what a reader of the ledger got.
type arrival struct {
	eventstore.Recorded
	err error
}

// follow applies what open yields, batch by batch: as many events as are there.
func (r *Runner) follow(
	ctx context.Context, open func(context.Context) iter.Seq2[eventstore.Recorded, error], progress func(events int),
) error {
	reading, cancel := context.WithCancel(ctx)
	arrivals := make(chan arrival, maxBatch)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		defer close(arrivals)
		for e, err := range open(reading) {
			select {
			case arrivals <- arrival{e, err}:
			case <-reading.Done():
				return
			}
		}
	})
	for done := 0; ; {
		batch, err := gather(arrivals)
		if len(batch) > 0 {
			if err := r.apply(ctx, batch); err != nil {
				return err
			}
			done += len(batch)
			progress(done)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("follow the ledger: %w", err)
		case len(batch) == 0:
			return nil
		}
	}
}

// gather waits for an event and takes those that are there already. No events
// and no error: there will be no more.
func gather(arrivals <-chan arrival) (batch []eventstore.Recorded, err error) {
	a, ok := <-arrivals
	for ok && a.err == nil {
		batch = append(batch, a.Recorded)
		if len(batch) == maxBatch {
			return batch, nil
		}
		select {
		case a, ok = <-arrivals:
		default:
			return batch, nil
		}
	}
	return batch, a.err
}

// fault returns the projections that have stopped.
func (r *Runner) fault() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range r.stopped {
		errs = append(errs, s)
	}
	return errors.Join(errs...)
}

// Ready returns why answers may be wrong: a projection has stopped, the engine
// is out of reach, the ledger as it was at the start is not replayed yet, or
// nobody follows it.
func (r *Runner) Ready() error {
	if err := r.fault(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == nil && r.away != nil {
		return r.away
	}
	if r.ended == nil && r.applied.Compare(r.target) < 0 {
		return fmt.Errorf("the projections are at position %s and catch up to %s", r.applied, r.target)
	}
	return r.ended
}

// WaitFor returns when every projection that has not stopped shows the event
// at position.
func (r *Runner) WaitFor(ctx context.Context, position eventstore.Position) error {
	for {
		r.mu.Lock()
		applied, moved, ended := r.applied, r.moved, r.ended
		r.mu.Unlock()
		switch {
		case applied.Compare(position) >= 0:
			return nil
		case ended != nil:
			return ended
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("wait for position %s: %w", position, ctx.Err())
		}
	}
}
