package projections

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A candidate is an event on its way into the tables, decoded as far as the
// most curious projection needs it.
type candidate struct {
	recorded eventstore.Recorded
	need     Need
	decoded  codec.Decoded
	err      error
}

// forNeed returns the event for a projection. What is sealed may not open; that
// is no concern of those who do not want it.
func (c *candidate) forNeed(need Need, of *codec.Codec) (codec.Decoded, error) {
	if c.err != nil && need < c.need {
		return of.DecodeClear(c.recorded)
	}
	return c.decoded, c.err
}

// apply commits a batch. A projection that fails on an event is stopped in
// front of it, and the batch begins again without it.
func (r *Runner) apply(ctx context.Context, batch []eventstore.Recorded) error {
	candidates := r.decode(ctx, batch)
	for {
		if ctx.Err() != nil {
			return nil // what it made fail is no fault of the event
		}
		err := r.commit(ctx, candidates)
		stopped, ok := errors.AsType[*StoppedError](err)
		if !ok {
			if err != nil {
				return err
			}
			break
		}
		r.stop(stopped)
	}
	if err := r.refresh(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.applied = batch[len(batch)-1].Position
	close(r.moved)
	r.moved = make(chan struct{})
	return nil
}

func (r *Runner) stop(s *StoppedError) {
	for _, t := range r.tracks {
		if t.Name() == s.Projection {
			t.stopped = s
		}
	}
	r.log.Error("projection stopped",
		"projection", s.Projection, "position", s.Position.String(), "type", s.Type, "error", s.Err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = append(r.stopped, s)
}

// commit applies a batch in one transaction. It fails with a [*StoppedError]
// when an event cannot be applied.
func (r *Runner) commit(ctx context.Context, batch []candidate) error {
	reached := make([]eventstore.Position, len(r.tracks))
	end, err := sqlitex.ImmediateTransaction(r.views.writer)
	if err != nil {
		return fmt.Errorf("begin a batch: %w", err)
	}
	err = r.fill(ctx, batch, reached)
	if end(&err); err != nil {
		return err
	}
	for i, t := range r.tracks {
		t.at = reached[i]
	}
	return nil
}

// fill applies a batch and writes the checkpoints.
func (r *Runner) fill(ctx context.Context, batch []candidate, reached []eventstore.Position) error {
	for i, t := range r.tracks {
		reached[i] = t.at
	}
	for k := range batch {
		at := batch[k].recorded.Position
		for i, t := range r.tracks {
			if at.Compare(t.at) <= 0 || t.stopped != nil && at.Compare(t.stopped.Position) >= 0 {
				continue
			}
			if err := r.show(ctx, t, &batch[k]); err != nil {
				return &StoppedError{Projection: t.Name(), Position: at, Type: batch[k].recorded.Type, Err: err}
			}
			reached[i] = at
		}
	}
	for i, t := range r.tracks {
		if reached[i] == t.at {
			continue
		}
		if err := advance(r.views.writer, t, reached[i]); err != nil {
			return fmt.Errorf("checkpoint of %s: %w", t.Name(), err)
		}
	}
	return nil
}

func (r *Runner) show(ctx context.Context, t *track, c *candidate) error {
	need := t.Needs(c.recorded.Stream.Category())
	if need == Nothing {
		return nil
	}
	e, err := c.forNeed(need, r.codec)
	if err != nil {
		return err
	}
	return t.Apply(ctx, r.views.writer, e)
}

// decode reads a batch on all cores: that is most of the work.
func (r *Runner) decode(ctx context.Context, batch []eventstore.Recorded) []candidate {
	candidates := make([]candidate, len(batch))
	workers := min(runtime.GOMAXPROCS(0), (len(batch)+31)/32)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(batch); i += workers {
				candidates[i] = r.decodeOne(ctx, batch[i])
			}
		})
	}
	wg.Wait()
	return candidates
}

func (r *Runner) decodeOne(ctx context.Context, e eventstore.Recorded) candidate {
	c := candidate{recorded: e}
	for _, t := range r.tracks {
		if e.Position.Compare(t.at) > 0 {
			c.need = max(c.need, t.Needs(e.Stream.Category()))
		}
	}
	switch c.need {
	case Sealed:
		c.decoded, c.err = r.codec.Decode(ctx, e)
	case Clear:
		c.decoded, c.err = r.codec.DecodeClear(e)
	}
	return c
}
