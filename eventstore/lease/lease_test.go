package lease_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/lease"
	"github.com/flowledger/flowledger/eventstore/memory"
)

// A line is a node's way to the engine, which can be cut, and can hang.
type line struct {
	eventstore.Notes
	mu    sync.Mutex
	cut   bool // calls fail; guarded by mu
	hangs bool // calls wait until they are given up; guarded by mu
	deaf  bool // writings are done, and nobody hears of it; guarded by mu
}

func (l *line) set(change func(l *line)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

func (l *line) fault(ctx context.Context) error {
	l.mu.Lock()
	cut, hangs := l.cut, l.hangs
	l.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if cut {
		return fmt.Errorf("no route: %w", eventstore.ErrUnavailable)
	}
	return nil
}

func (l *line) Note(ctx context.Context, name string) ([]byte, int64, error) {
	if err := l.fault(ctx); err != nil {
		return nil, 0, err
	}
	return l.Notes.Note(ctx, name)
}

func (l *line) SetNote(ctx context.Context, name string, value []byte, version int64) (int64, error) {
	if err := l.fault(ctx); err != nil {
		return 0, err
	}
	next, err := l.Notes.SetNote(ctx, name, value, version)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf {
		return 0, fmt.Errorf("no answer: %w", eventstore.ErrUnavailable)
	}
	return next, err
}

// A stage is where nodes contend, and notes who works.
type stage struct {
	t     *testing.T
	notes *memory.Store
	log   bytes.Buffer // guarded by mu
	mu    sync.Mutex
	works string // the node that works; guarded by mu
	since time.Time
	times int // how often one began; guarded by mu
}

// Write implements io.Writer for the log.
func (s *stage) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func newStage(t *testing.T) *stage { return &stage{t: t, notes: memory.New(time.Now)} }

// A node is one contender.
type node struct {
	line   *line
	keeper *lease.Keeper
	stop   context.CancelFunc
	ended  chan error
}

// start has a node contend with a work that lasts until it is told to end.
func (s *stage) start(name string) *node {
	n := &node{line: &line{Notes: s.notes}, ended: make(chan error, 1)}
	n.keeper = &lease.Keeper{Notes: n.line, Node: name, Log: slog.New(slog.NewTextHandler(s, nil))}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	go func() {
		n.ended <- n.keeper.Run(ctx, "mail", func(ctx context.Context) error {
			s.begin(name)
			<-ctx.Done()
			s.end(name)
			return ctx.Err()
		})
	}()
	return n
}

func (s *stage) begin(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works != "" {
		s.t.Errorf("%s begins while %s works", name, s.works)
	}
	s.works, s.since = name, time.Now()
	s.times++
}

func (s *stage) end(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works == name {
		s.works = ""
	}
}

func (s *stage) worker() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.works
}

// after waits, and tells who works then.
func (s *stage) after(d time.Duration) string {
	time.Sleep(d)
	synctest.Wait()
	return s.worker()
}

// leave ends nodes as a program does that is told to.
func leave(t *testing.T, nodes ...*node) {
	for _, n := range nodes {
		n.stop()
	}
	for _, n := range nodes {
		if err := <-n.ended; err != nil {
			t.Errorf("a node that was told to end fails with %v", err)
		}
	}
}

func TestTakeover(t *testing.T) {
	for name, tt := range map[string]struct {
		fault  func(n *node)
		within time.Duration
	}{
		"the holder leaves":                        {func(n *node) { n.stop() }, time.Second},
		"the holder's line is cut":                 {func(n *node) { n.line.set(func(l *line) { l.cut = true }) }, 10 * time.Second},
		"the holder's calls hang":                  {func(n *node) { n.line.set(func(l *line) { l.hangs = true }) }, 10 * time.Second},
		"the holder dies, or is stopped: its line": {func(n *node) { n.line.set(func(l *line) { l.cut, l.hangs = true, true }) }, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				a := s.start("a")
				if got := s.after(time.Second); got != "a" {
					t.Fatalf("alone, %q works", got)
				}
				b, c := s.start("b"), s.start("c")
				if got := s.after(time.Minute); got != "a" || s.times != 1 {
					t.Fatalf("with contenders %q works, after %d beginnings", got, s.times)
				}
				tt.fault(a)
				if got := s.after(tt.within); got != "b" && got != "c" {
					t.Errorf("%v after the fault %q works", tt.within, got)
				}
				if a.keeper.Held()["mail"] {
					t.Error("the old holder believes that it holds the lease")
				}
				a.line.set(func(l *line) { l.cut, l.hangs = false, false })
				before := s.worker()
				if got := s.after(time.Minute); got != before || s.times != 2 {
					t.Errorf("when the fault is over, %q works, after %d beginnings", got, s.times)
				}
				leave(t, a, b, c)
			})
		})
	}
}

func TestNeverTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		nodes := []*node{s.start("a"), s.start("b"), s.start("c")}
		// The faults come and go in an order that has every pair of them, at
		// times that share no measure with the beats.
		for round := range 400 {
			n := nodes[round*7%3]
			n.line.set(func(l *line) {
				switch round * 5 % 4 {
				case 0:
					l.cut = !l.cut
				case 1:
					l.hangs = !l.hangs
				case 2:
					l.deaf = !l.deaf
				default:
					l.cut, l.hangs, l.deaf = false, false, false
				}
			})
			time.Sleep(time.Duration(37*(round%61)) * 7 * time.Millisecond)
		}
		for _, n := range nodes {
			n.line.set(func(l *line) { l.cut, l.hangs, l.deaf = false, false, false })
		}
		if got := s.after(12 * time.Second); got == "" || s.times < 20 {
			t.Errorf("in the end %q works, after %d beginnings", got, s.times)
		}
		leave(t, nodes...)
	})
}

// A successor begins two seconds after the context of the one before ended,
// whatever the engine does.
func TestMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		for round := range 40 {
			a := s.start("a")
			b := s.start("b")
			time.Sleep(3*time.Second + time.Duration(round)*97*time.Millisecond)
			first, second := a, b
			if s.worker() == "b" {
				first, second = b, a
			}
			first.line.set(func(l *line) { l.cut = round%2 == 0; l.hangs = round%2 == 1 })
			for s.worker() != "" {
				time.Sleep(time.Millisecond)
			}
			ended := time.Now()
			time.Sleep(10 * time.Second)
			s.mu.Lock()
			margin := s.since.Sub(ended)
			s.mu.Unlock()
			if margin < 1990*time.Millisecond || s.worker() == "" {
				t.Errorf("round %d: the next began %v after the end", round, margin)
			}
			first.line.set(func(l *line) { l.cut, l.hangs = false, false })
			leave(t, first, second)
		}
	})
}

func TestEngineAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		a, b := s.start("a"), s.start("b")
		s.after(time.Second)
		for _, n := range []*node{a, b} {
			n.line.set(func(l *line) { l.cut = true })
		}
		if got := s.after(5 * time.Second); got != "" {
			t.Errorf("%s works although it cannot say so", got)
		}
		s.after(time.Minute)
		for _, n := range []*node{a, b} {
			n.line.set(func(l *line) { l.cut = false })
		}
		if got := s.after(2 * time.Second); got == "" {
			t.Error("nobody works when the engine is back")
		}
		leave(t, a, b)
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := strings.Count(s.log.String(), "lease cannot be read"); n == 0 || n > 2 {
			t.Errorf("the outage is logged %d times:\n%s", n, s.log.String())
		}
	})
}

// A writing of which nobody heard is the holder's own.
func TestDoubtfulWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		a := s.start("a")
		s.after(time.Second)
		a.line.set(func(l *line) { l.deaf = true })
		s.after(2200 * time.Millisecond)
		a.line.set(func(l *line) { l.deaf = false })
		if got := s.after(time.Minute); got != "a" || s.times != 1 {
			t.Errorf("%q works, after %d beginnings", got, s.times)
		}
		leave(t, a)
	})
}

func TestDamagedNote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		if _, err := s.notes.SetNote(t.Context(), "lease-mail", []byte("{"), 0); err != nil {
			t.Fatal(err)
		}
		a := s.start("a")
		if got := s.after(5 * time.Second); got != "" {
			t.Errorf("%s does not wait for whoever wrote that", got)
		}
		if got := s.after(3 * time.Second); got != "a" {
			t.Errorf("%q works", got)
		}
		leave(t, a)
	})
}

func TestRunReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notes := memory.New(time.Now)
		k := &lease.Keeper{Notes: notes, Node: "a", Log: slog.New(slog.DiscardHandler)}
		broken := errors.New("broken")
		tries := 0
		for name, tt := range map[string]struct {
			work func(context.Context) error
			want error
		}{
			"what work returned":                  {func(context.Context) error { return broken }, broken},
			"nothing when it is done, also twice": {func(context.Context) error { return nil }, nil},
			"not what will pass": {func(context.Context) error {
				if tries++; tries < 3 {
					return fmt.Errorf("append: %w", eventstore.ErrUnavailable)
				}
				return nil
			}, nil},
		} {
			if err := k.Run(t.Context(), "first start", tt.work); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := notes.Close(); err != nil {
			t.Fatal(err)
		}
		if err := k.Run(t.Context(), "mail", nil); !errors.Is(err, eventstore.ErrClosed) {
			t.Errorf("on a closed engine: %v", err)
		}
	})
}

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		a := &lease.Keeper{Notes: s.notes, Node: "a", Log: slog.New(slog.DiscardHandler)}
		b := &lease.Keeper{Notes: s.notes, Node: "b", Log: slog.New(slog.DiscardHandler)}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				k := []*lease.Keeper{a, b}[i%2]
				err := k.Once(context.Background(), "changes", time.Minute, func(context.Context) error {
					s.begin(fmt.Sprint(i))
					time.Sleep(time.Second)
					s.end(fmt.Sprint(i))
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if s.times != 20 {
			t.Errorf("%d of 20 had a turn", s.times)
		}
		wg.Go(func() {
			_ = a.Once(context.Background(), "changes", time.Second, func(context.Context) error { time.Sleep(time.Minute); return nil })
		})
		synctest.Wait()
		if err := b.Once(t.Context(), "changes", 10*time.Second, nil); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("who waits too long gets %v", err)
		}
		wg.Wait()
		tries := 0
		broken := fmt.Errorf("append: %w", eventstore.ErrUnavailable)
		if err := b.Once(t.Context(), "changes", time.Second, func(context.Context) error { tries++; return broken }); !errors.Is(err, broken) || tries != 1 {
			t.Errorf("a work that fails gives %v, after %d tries", err, tries)
		}
	})
}
