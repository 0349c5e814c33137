package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

// A Follower reads the ledger for a worker, one event after the other, from
// behind its checkpoint. What the worker cannot do it repeats a few times,
// then parks, and goes on.
type Follower struct {
	Store eventstore.Store
	From  Position // the checkpoint
	Park  func(ctx context.Context, e eventstore.Recorded, cause error) error
	Save  func(Position) error
	Retry time.Duration // before the first repetition; 0 for 100 ms
	Log   *slog.Logger

	progress progress
}

// Attempts is how often an event is tried before it is parked.
const Attempts = 6

// saveEvery is how far apart the checkpoints are. After a crash, what came
// since is dealt with again.
const saveEvery = 5 * time.Second

// work is what a worker does with events.
type work struct {
	name   string
	wants  func(eventstore.Recorded) bool // most events are passed over
	handle func(context.Context, eventstore.Recorded) error
	wait   func() // for what handle has begun; nil for nothing
}

// follow hands each event that is wanted to handle until ctx is done. Then it
// waits for what handle has begun, and saves the last checkpoint.
func (f *Follower) follow(ctx context.Context, w work) error {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: time.Second}, watermill.NewSlogLogger(quiet(f.Log)))
	if err != nil {
		return err
	}
	// The first added is the outermost: an event is parked only after its
	// retries, and what the end of the program cut short is no poison.
	poison, err := middleware.PoisonQueueWithFilter(&parking{f}, "parked", func(error) bool { return ctx.Err() == nil })
	if err != nil {
		return err
	}
	router.AddMiddleware(poison, middleware.Retry{
		MaxRetries: Attempts - 1, InitialInterval: cmp.Or(f.Retry, 100*time.Millisecond), MaxInterval: 5 * time.Second, Multiplier: 3,
		ResetContextOnRetry: true,
		ShouldRetry:         func(middleware.RetryParams) bool { return ctx.Err() == nil },
	}.Middleware)
	follower := feed.New(f.Store, f.From)
	follower.Wants = func(e eventstore.Recorded) bool {
		wanted := w.wants(e)
		if !wanted {
			f.progress.pass(e.Position)
		}
		return wanted
	}
	f.progress.start(f.From)
	router.AddConsumerHandler(w.name, feed.Topic, follower, func(m *message.Message) error {
		e, err := feed.Recorded(m)
		if err == nil {
			err = patiently(ctx, func() error { return w.handle(ctx, e) })
		}
		if err == nil {
			f.progress.pass(e.Position)
		}
		return err
	})
	saved := make(chan error, 1)
	saving, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() { saved <- f.save(saving, w.name) }()
	err = router.Run(ctx)
	if w.wait != nil {
		w.wait()
	}
	stop()
	return errors.Join(err, follower.Err(), <-saved)
}

// save writes the checkpoint now and then, and at the end.
func (f *Follower) save(ctx context.Context, name string) error {
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	saved := f.From
	for ended := false; !ended; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			ended = true
		}
		done := f.progress.checkpoint()
		if done.Compare(saved) <= 0 {
			continue
		}
		switch err := f.Save(done); {
		case errors.Is(err, eventstore.ErrUnavailable):
			// The next time does, and without one what came since is done again.
		case err != nil:
			return fmt.Errorf("save the checkpoint of %s: %w", name, err)
		default:
			saved = done
		}
	}
	return nil
}

// progress tells how far a worker has come. What it has begun and not finished
// holds the checkpoint back.
type progress struct {
	mu   sync.Mutex
	last Position // the last event that was handled; guarded by mu
	open []begun  // in the order of the ledger; guarded by mu
}

// begun is an event that is being dealt with, and the one before it.
type begun struct{ at, before Position }

func (p *progress) start(from Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.open = from, nil
}

// pass notes that an event was handled.
func (p *progress) pass(at Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = at
}

// hold keeps the checkpoint before an event, until release.
func (p *progress) hold(at Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, begun{at, p.last})
}

func (p *progress) release(at Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = slices.DeleteFunc(p.open, func(b begun) bool { return b.at == at })
}

// checkpoint is where a restart goes on.
func (p *progress) checkpoint() Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) > 0 {
		return p.open[0].before
	}
	return p.last
}

// parking turns watermill's poison queue into an event.
type parking struct{ follower *Follower }

// Publish implements [message.Publisher].
func (p *parking) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		e, err := feed.Recorded(m)
		if err != nil {
			return err
		}
		cause := errors.New(m.Metadata.Get(middleware.ReasonForPoisonedKey))
		if err := p.follower.Park(m.Context(), e, cause); err != nil {
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
