package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
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
func (c *candidate) forNeed(ctx context.Context, need Need, of *codec.Codec) (codec.Decoded, error) {
	if c.err == nil || need == c.need && need != Locatable {
		return c.decoded, c.err
	}
	if need == Sealed {
		return of.Decode(ctx, c.recorded)
	}
	return of.DecodeClear(c.recorded)
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
		if ok && errors.Is(err, eventstore.ErrUnavailable) {
			return err // no fault of the event either: it comes again
		}
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
		if g, ok := t.Projection.(gathering); ok {
			g.Begin()
		}
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
		if g, ok := t.Projection.(gathering); ok {
			if err := g.Flush(r.views.writer); err != nil {
				first := batch[slices.IndexFunc(batch, func(c candidate) bool { return c.recorded.Position.Compare(t.at) > 0 })].recorded
				return &StoppedError{Projection: t.Name(), Position: first.Position, Type: first.Type, Err: err}
			}
		}
		if err := advance(r.views.writer, t, reached[i]); err != nil {
			return fmt.Errorf("checkpoint of %s: %w", t.Name(), err)
		}
	}
	return nil
}

func (r *Runner) show(ctx context.Context, t *track, c *candidate) error {
	need := t.Needs(c.recorded)
	if need == Nothing {
		return nil
	}
	e, err := c.forNeed(ctx, need, r.codec)
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
				candidates[i] = r.decodeOne(ctx, batch, i)
			}
		})
	}
	wg.Wait()
	return candidates
}

func (r *Runner) decodeOne(ctx context.Context, batch []eventstore.Recorded, i int) candidate {
	e := batch[i]
	c := candidate{recorded: e}
	for _, t := range r.tracks {
		if e.Position.Compare(t.at) > 0 {
			c.need = max(c.need, t.Needs(e))
		}
	}
	switch c.need {
	case Locatable, Located:
		if c.decoded, c.err = r.codec.Decode(ctx, e); c.err == nil && c.decoded.Network == nil && c.decoded.Header.Net != "" {
			c.decoded.Network, c.err = r.network(ctx, batch[:i], c.decoded)
		}
	case Sealed:
		c.decoded, c.err = r.codec.Decode(ctx, e)
	case Clear:
		c.decoded, c.err = r.codec.DecodeClear(e)
	}
	return c
}

// network opens the network of an event's append. The event that carries it
// stands before this one in its stream, and mostly in this batch, too.
func (r *Runner) network(ctx context.Context, before []eventstore.Recorded, e codec.Decoded) (json.RawMessage, error) {
	for i := len(before) - 1; i >= 0 && before[i].Stream == e.Stream; i-- {
		if before[i].ID.String() == e.Header.Net {
			carrier, err := r.codec.Decode(ctx, before[i])
			return carrier.Network, err
		}
	}
	return networkBefore(ctx, r.store, r.codec, e)
}

// networkBefore looks for the network of an event's append in the ledger.
func networkBefore(ctx context.Context, store eventstore.Store, of *codec.Codec, e codec.Decoded) (json.RawMessage, error) {
	// An append has a limit, so its first event is not far away.
	for recorded, err := range store.ReadStream(ctx, e.Stream, max(0, e.Revision-eventstore.MaxEvents)) {
		if err != nil {
			return nil, fmt.Errorf("read the network of %s %d of %s: %w", e.Type, e.Revision, e.Stream, err)
		}
		if recorded.Revision >= e.Revision {
			break
		}
		if recorded.ID.String() == e.Header.Net {
			carrier, err := of.Decode(ctx, recorded)
			return carrier.Network, err
		}
	}
	return nil, nil
}
