package projections

import (
	"context"
	"errors"
	"time"

	"github.com/flowledger/flowledger/eventstore"
)

// Between two attempts to reach an engine that is away, and between two looks
// whether it is there. A look that takes longer has failed.
const (
	firstWait  = 100 * time.Millisecond
	lastWait   = 2 * time.Second
	probeEvery = time.Second
	probeLimit = 3 * time.Second
)

// run follows the ledger. While its engine is out of reach, it waits, and goes
// on behind what is committed.
func (r *Runner) run(ctx context.Context) error {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		before := r.Applied()
		err := r.runOnce(ctx)
		if !errors.Is(err, eventstore.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		r.sawEngine(err)
		if r.Applied() != before {
			wait = firstWait
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// probe asks an engine that others reach, too, for its end again and again:
// a subscription may rest for hours, or hang.
func (r *Runner) probe(ctx context.Context) {
	if _, shared := r.store.(eventstore.Notes); !shared {
		return
	}
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		asked, cancel := context.WithTimeout(ctx, probeLimit)
		_, err := r.head(asked)
		cancel()
		if ctx.Err() == nil {
			r.sawEngine(err)
		}
	}
}

// errAway is what everybody may read. The log has the engine's own words.
var errAway = errors.New("the ledger's engine is out of reach")

// sawEngine notes whether the engine answered, and logs when that changes.
func (r *Runner) sawEngine(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil && r.away == nil:
		r.log.Error("the ledger is out of reach", "error", err)
		r.away = errAway
	case err == nil && r.away != nil:
		r.log.Info("the ledger is back")
		r.away = nil
	}
}

// Applied returns how far the projections have come that have not stopped.
func (r *Runner) Applied() eventstore.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.applied
}

// Reached tells whether the engine answered when it was asked last.
func (r *Runner) Reached() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.away == nil
}
