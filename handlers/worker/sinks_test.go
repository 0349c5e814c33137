package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/handlers/worker"
)

// A switchboard configures sinks, and notes what becomes of them.
type switchboard struct {
	mu       sync.Mutex
	versions map[string]string // guarded by mu, like all below
	all      map[string]bool
	notes    []string
	fails    map[string]error
	log      bytes.Buffer
}

func (b *switchboard) set(versions map[string]string, more ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.versions, b.all = versions, map[string]bool{}
	for id := range versions {
		b.all[id] = true
	}
	for _, id := range more {
		b.all[id] = true
	}
}

func (b *switchboard) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, text)
}

func (b *switchboard) noted(text string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, note := range b.notes {
		if note == text {
			n++
		}
	}
	return n
}

// Write takes a line of the log.
func (b *switchboard) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(line)
}

func (b *switchboard) wanted(context.Context) (map[string]string, map[string]bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.versions, b.all, nil
}

func (b *switchboard) run(ctx context.Context, id string) error {
	b.note("begin " + id)
	b.mu.Lock()
	err := b.fails[id]
	b.mu.Unlock()
	if err != nil {
		return err
	}
	<-ctx.Done()
	b.note("end " + id)
	return nil
}

func TestSinksFollowTheirConfiguration(t *testing.T) {
	b := &switchboard{fails: map[string]error{}}
	b.set(map[string]string{"a": "1", "b": "1"})
	ctx, cancel := context.WithCancel(context.Background())
	sinks := &worker.Sinks{
		Wanted: b.wanted, Run: b.run, Every: time.Millisecond, Retry: time.Millisecond, Log: slog.New(slog.NewTextHandler(b, nil)),
		Gone: func(_ context.Context, id string) error { b.note("gone " + id); return nil },
	}
	ended := make(chan error, 1)
	go func() { ended <- sinks.Follow(ctx) }()
	within(t, func() bool { return b.noted("begin a") == 1 && b.noted("begin b") == 1 })

	b.set(map[string]string{"a": "2", "b": "1"})
	within(t, func() bool { return b.noted("begin a") == 2 })
	if first, second := b.index("end a"), b.last("begin a"); first > second {
		t.Error("a sink began anew before it had ended")
	}
	b.set(map[string]string{"a": "2"}, "b") // it is switched off
	within(t, func() bool { return b.noted("end b") == 1 })
	b.set(map[string]string{"a": "2", "b": "1"})
	within(t, func() bool { return b.noted("begin b") == 2 })
	if b.noted("gone b") > 0 {
		t.Error("a sink that was switched off was forgotten")
	}
	b.set(map[string]string{"a": "2"}) // it is removed
	within(t, func() bool { return b.noted("gone b") == 1 })

	b.mu.Lock()
	b.fails["c"] = errors.New("its secret cannot be opened")
	b.mu.Unlock()
	b.set(map[string]string{"a": "2", "c": "1"})
	within(t, func() bool { return b.noted("begin c") > 3 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if b.noted("begin a") != 2 || b.noted("end a") != 2 {
		t.Errorf("the others are not left alone: %q", b.notes)
	}
	if said := strings.Count(b.log.String(), "its secret cannot be opened"); said != 1 {
		t.Errorf("said it %d times", said)
	}
}

func (b *switchboard) index(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Index(b.notes, text)
}

func (b *switchboard) last(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.notes) - 1; i >= 0; i-- {
		if b.notes[i] == text {
			return i
		}
	}
	return -1
}
