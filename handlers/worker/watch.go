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
	Every time.Duration
	Ticks <-chan time.Time // says when to look, instead of Every; for tests
	Look  func(ctx context.Context) error
	Log   *slog.Logger
}

// Run watches until ctx is done. A look that fails is logged, once for each
// reason, and repeated.
func (w *Watcher) Run(ctx context.Context) error {
	ticks := w.Ticks
	if ticks == nil {
		ticker := time.NewTicker(w.Every)
		defer ticker.Stop()
		ticks = ticker.C
	}
	last := ""
	for ctx.Err() == nil {
		reason := ""
		if err := w.Look(ctx); err != nil {
			reason = err.Error()
		}
		if reason != "" && reason != last && ctx.Err() == nil {
			w.Log.Error("watch failed", "of", w.Name, "error", reason)
		}
		last = reason
		select {
		case <-ctx.Done():
		case <-ticks:
		}
	}
	return nil
}
