// Package worker reacts to events: it pays what executions owe whose clients
// never came back, and ends what is over. A worker acts at least once, so
// whatever it does can be done twice.
package worker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/feed"
)

// Position is a place in the ledger.
type Position = eventstore.Position

// A Settler pays what executions owe. The request that decides pays at once;
// the settler looks after it a little later, for the process may have died in
// between.
type Settler struct {
	Store    eventstore.Store
	From     Position // its checkpoint
	Executor Executor
	Park     func(ctx context.Context, e eventstore.Recorded, cause error) error
	Save     func(Position) error
	Now      func() time.Time
	Retry    time.Duration // before the first repetition; 0 for 100 ms
	Log      *slog.Logger

	mu   sync.Mutex
	done Position // the last event that is dealt with; guarded by mu
}

// Executor pays the debts of one execution. Paying what is paid changes
// nothing.
type Executor interface {
	Settle(ctx context.Context, executionID string) error
}

// Attempts is how often an event is tried before it is parked.
const Attempts = 6

// settleAfter is how long the request that owes has for itself.
const settleAfter = 5 * time.Second

// saveEvery is how far apart the checkpoints are. After a crash, what came
// since is dealt with again.
const saveEvery = 5 * time.Second

// Run follows the ledger until ctx is done.
func (s *Settler) Run(ctx context.Context) error {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: time.Second}, watermill.NewSlogLogger(quiet(s.Log)))
	if err != nil {
		return err
	}
	// The first added is the outermost: an event is parked only after its
	// retries, and what the end of the program cut short is no poison.
	poison, err := middleware.PoisonQueueWithFilter(&parking{s}, "parked", func(error) bool { return ctx.Err() == nil })
	if err != nil {
		return err
	}
	router.AddMiddleware(poison, middleware.Retry{
		MaxRetries: Attempts - 1, InitialInterval: cmp.Or(s.Retry, 100*time.Millisecond), MaxInterval: 5 * time.Second, Multiplier: 3,
		ResetContextOnRetry: true,
		ShouldRetry:         func(middleware.RetryParams) bool { return ctx.Err() == nil },
	}.Middleware)
	follower := feed.New(s.Store, s.From)
	router.AddConsumerHandler("settle", feed.Topic, follower, func(m *message.Message) error { return s.handle(ctx, m) })
	saved := make(chan error, 1)
	saving, stop := context.WithCancel(ctx)
	go func() { saved <- s.save(saving) }()
	err = router.Run(ctx)
	stop()
	return errors.Join(err, follower.Err(), <-saved)
}

// handle settles the execution of an event that left debts.
func (s *Settler) handle(ctx context.Context, m *message.Message) error {
	e, err := feed.Recorded(m)
	if err != nil {
		return err
	}
	if owes(e) {
		if err := s.later(ctx, e.RecordedAt); err != nil {
			return err
		}
		if err := s.Executor.Settle(ctx, e.Stream.ID()); err != nil {
			return fmt.Errorf("settle execution %s: %w", e.Stream.ID(), err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = e.Position
	return nil
}

// owes tells from the clear bytes whether an event asks for effects.
func owes(e eventstore.Recorded) bool {
	return e.Stream.Category() == "execution" &&
		(bytes.Contains(e.Payload, []byte(`"effects":[`)) || e.Type == "ExecutionCompleted")
}

// later waits until the request that appended an event has had its time.
func (s *Settler) later(ctx context.Context, recorded time.Time) error {
	wait := recorded.Add(settleAfter).Sub(s.Now())
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// save writes the checkpoint now and then, and at the end.
func (s *Settler) save(ctx context.Context) error {
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	saved := s.From
	for ended := false; !ended; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			ended = true
		}
		s.mu.Lock()
		done := s.done
		s.mu.Unlock()
		if done.Compare(saved) > 0 {
			if err := s.Save(done); err != nil {
				return fmt.Errorf("save the settler's checkpoint: %w", err)
			}
			saved = done
		}
	}
	return nil
}

// parking turns watermill's poison queue into an event.
type parking struct{ s *Settler }

// Publish implements [message.Publisher].
func (p *parking) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		e, err := feed.Recorded(m)
		if err != nil {
			return err
		}
		cause := errors.New(m.Metadata.Get(middleware.ReasonForPoisonedKey))
		if err := p.s.Park(m.Context(), e, cause); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [message.Publisher].
func (*parking) Close() error { return nil }

// quiet leaves out what watermill says at info: it tells of every start and
// stop.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(levelled{log.Handler()}) }

type levelled struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (l levelled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && l.Handler.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (l levelled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelled{l.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (l levelled) WithGroup(name string) slog.Handler { return levelled{l.Handler.WithGroup(name)} }
