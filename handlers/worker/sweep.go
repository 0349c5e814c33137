package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/flowledger/flowledger/eventstore"
)

// A Sweeper ends what is over and that nobody touches: a late request would
// end it on the spot.
type Sweeper struct {
	Every time.Duration
	Now   func() time.Time
	Log   *slog.Logger
	Tasks []Task
}

// A Task finds what is over, and ends it.
type Task struct {
	Name string
	Due  func(ctx context.Context, now time.Time, limit int) ([]string, error)
	End  func(ctx context.Context, id string) error
}

// atOnce bounds what one round ends: the rest waits for the next.
const atOnce = 500

// Run sweeps until ctx is done. What cannot be ended is logged and tried again
// in the next round.
func (s *Sweeper) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.Every)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-ticker.C:
			for _, t := range s.Tasks {
				s.sweep(ctx, t)
			}
		}
	}
	return nil
}

func (s *Sweeper) sweep(ctx context.Context, t Task) {
	ids, err := t.Due(ctx, s.Now(), atOnce)
	if err != nil {
		s.report(ctx, t.Name, "", err)
		return
	}
	for _, id := range ids {
		err := t.End(ctx, id)
		if err != nil {
			s.report(ctx, t.Name, id, err)
		}
		if errors.Is(err, eventstore.ErrUnavailable) {
			return // the others would each wait for nothing
		}
	}
}

func (s *Sweeper) report(ctx context.Context, task, id string, err error) {
	if ctx.Err() == nil {
		s.Log.Error("sweep failed", "task", task, "id", id, "error", err)
	}
}
