package worker

import (
	"context"
	"log/slog"
	"time"
)

// A Watcher looks after something outside the ledger, at once and then again
// and again.
type Watcher struct {
	Name  string
	Every time.Duration    // between looks, or more if they take long
	Ticks <-chan time.Time // says when to look, instead of Every; for tests
	Look  func(ctx context.Context) error
	Log   *slog.Logger
}

// patience is how much longer than it looks a watcher rests at least.
const patience = 20

// Run watches until ctx is done. A look that fails is logged, once for each
// reason, and repeated.
func (w *Watcher) Run(ctx context.Context) error {
	last := ""
	for ctx.Err() == nil {
		reason, begun := "", time.Now()
		if err := w.Look(ctx); err != nil {
			reason = err.Error()
		}
		if reason != "" && reason != last && ctx.Err() == nil {
			w.Log.Error("watch failed", "of", w.Name, "error", reason)
		}
		last = reason
		ticks := w.Ticks
		if ticks == nil {
			ticks = time.After(max(w.Every, patience*time.Since(begun)))
		}
		select {
		case <-ctx.Done():
		case <-ticks:
		}
	}
	return nil
}
