package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/postgres"
	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

// bound is the longest that a call may take when there is no server: five
// seconds of patience, and what a busy machine needs.
const bound = 9 * time.Second

// TestConnectionLostAtCommit has the network fail where nobody can know what
// became of an append.
func TestConnectionLostAtCommit(t *testing.T) {
	for name, f := range map[string]fault{
		"the server has committed":           loseAnswer,
		"the server has not committed":       loseBoth,
		"nothing is heard of the server":     silence,
		"the network is as good as networks": none,
	} {
		for claim, expected := range map[string]eventstore.Expected{"a claim": eventstore.At(1), "no claim": eventstore.Any} {
			t.Run(name+", "+claim, func(t *testing.T) {
				t.Parallel()
				url := postgrestest.Start(t).Database(t)
				p, there := behind(t, url)
				s, other := open(t, there), open(t, url)
				mustAppend(t, s, "a-1", eventstore.NoStream, 1, event(), event())
				e := event()
				e.Payload = []byte(`{"text":"the mark"}`)
				p.fail(f, "the mark")
				mustAppend(t, s, "a-1", expected, 2, e, event())
				mustAppend(t, other, "a-1", eventstore.At(3), 4, event())
				mustAppend(t, s, "b-1", eventstore.NoStream, 0, event())
				checkDense(t, s, 6)
				if p.faults == 0 && f != none {
					t.Error("the network did not fail")
				}
			})
		}
	}
}

func mustAppend(t *testing.T, s eventstore.Store, stream eventstore.StreamID, expected eventstore.Expected, first eventstore.Revision, events ...eventstore.NewEvent) {
	t.Helper()
	last := first + eventstore.Revision(len(events)) - 1
	if expected == eventstore.NoStream {
		last = eventstore.Revision(len(events)) - 1
	}
	if got, err := s.Append(t.Context(), stream, expected, events...); err != nil || got != last {
		t.Fatalf("Append to %s = %d, %v, want %d", stream, got, err, last)
	}
}

// checkDense holds that the ledger has so many events, at the positions from 1
// on, and in each stream at the revisions from 0 on.
func checkDense(t *testing.T, s eventstore.Store, want int) {
	t.Helper()
	next := make(map[eventstore.StreamID]eventstore.Revision)
	n := 0
	for e, err := range s.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if e.Position.Value() != uint64(n) || e.Revision != next[e.Stream] {
			t.Fatalf("event %d is revision %d of %s at position %s", n, e.Revision, e.Stream, e.Position)
		}
		next[e.Stream]++
	}
	if n != want {
		t.Errorf("the ledger has %d events, want %d", n, want)
	}
}

// TestNoteLost has the network fail while a note is written. The call knows its
// own value, and that of another it does not take for its own.
func TestNoteLost(t *testing.T) {
	for name, f := range map[string]fault{"the answer is lost": loseAnswer, "the question is lost": loseBoth} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := postgrestest.Start(t).Database(t)
			p, there := behind(t, url)
			s, other := open(t, there), open(t, url)
			for version := range int64(3) {
				p.fail(f, "the mark")
				if next, err := s.SetNote(t.Context(), "a", []byte("the mark"), version); next != version+1 || err != nil {
					t.Errorf("SetNote = %d, %v, want %d", next, err, version+1)
				}
			}
			if _, err := other.SetNote(t.Context(), "a", []byte("the mark"), 3); err != nil {
				t.Error(err)
			}
			p.fail(f, "the mark")
			if _, err := s.SetNote(t.Context(), "a", []byte("the mark"), 3); !errors.Is(err, eventstore.ErrNoteMoved) {
				t.Errorf("SetNote over another's: %v, want %v", err, eventstore.ErrNoteMoved)
			}
			if p.faults != 4 {
				t.Errorf("the network failed %d times, want 4", p.faults)
			}
		})
	}
}

// TestSilentWriter has a node lose its network while it holds the lock. The
// others go on, and it finds what has become of its append.
func TestSilentWriter(t *testing.T) {
	t.Parallel()
	url := postgrestest.Start(t).Database(t)
	p, there := behind(t, url)
	silent, other := open(t, there), open(t, url)
	e := event()
	e.Payload = []byte(`{"text":"the mark"}`)
	p.fail(silence, "the mark")
	done := make(chan error, 1)
	go func() {
		_, err := silent.Append(context.Background(), "a-1", eventstore.NoStream, e)
		done <- err
	}()
	for i := range eventstore.Revision(3) {
		began := time.Now()
		mustAppend(t, other, "b-1", eventstore.At(i-1), i, event())
		if took := time.Since(began); took > bound {
			t.Errorf("the other node waits for %v", took)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("Append: %v", err)
	}
	checkDense(t, other, 4)
}

// calls are all that one can ask a store for.
var calls = map[string]func(context.Context, *postgres.Store) error{
	"Append": func(ctx context.Context, s *postgres.Store) error {
		_, err := s.Append(ctx, "a-1", eventstore.Any, event())
		return err
	},
	"ReadStream": func(ctx context.Context, s *postgres.Store) (err error) {
		for _, err = range s.ReadStream(ctx, "a-1", 0) {
		}
		return err
	},
	"ReadAll": func(ctx context.Context, s *postgres.Store) (err error) {
		for _, err = range s.ReadAll(ctx, eventstore.Position{}) {
		}
		return err
	},
	"Head": func(ctx context.Context, s *postgres.Store) error {
		_, err := s.Head(ctx)
		return err
	},
	"Note": func(ctx context.Context, s *postgres.Store) error {
		_, _, err := s.Note(ctx, "a")
		return err
	},
	"SetNote": func(ctx context.Context, s *postgres.Store) error {
		_, version, err := s.Note(ctx, "b")
		if err != nil {
			return err
		}
		_, err = s.SetNote(ctx, "b", []byte("x"), version)
		return err
	},
}

// TestOutOfReach holds that every call ends in time when there is no server,
// says so, and works as soon as there is one again.
func TestOutOfReach(t *testing.T) {
	for name, bad := range map[string]func(*testing.T) (url string, leave, comeBack func()){
		"no server": func(t *testing.T) (string, func(), func()) {
			server := postgrestest.Alone(t)
			return server.Database(t), server.Kill, func() {
				if err := server.Start(); err != nil {
					t.Fatal(err)
				}
			}
		},
		"a silent network": func(t *testing.T) (string, func(), func()) {
			p, url := behind(t, postgrestest.Start(t).Database(t))
			return url, func() { p.hush(true) }, func() { p.hush(false) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, leave, comeBack := bad(t)
			s := open(t, url)
			if _, err := s.Append(t.Context(), "a-1", eventstore.Any, event()); err != nil {
				t.Fatal(err)
			}
			follower := make(chan error, 1)
			go func() {
				for _, err := range s.Subscribe(context.Background(), eventstore.Position{}) {
					if err != nil {
						follower <- err
					}
				}
			}()
			leave()
			outOfReach(t, s, url)
			if err := <-follower; !errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("Subscribe: %v, want %v", err, eventstore.ErrUnavailable)
			}
			comeBack()
			for name, call := range calls {
				if err := call(t.Context(), s); err != nil {
					t.Errorf("%s, when it is back: %v", name, err)
				}
			}
		})
	}
}

// outOfReach makes all calls at once.
func outOfReach(t *testing.T, s *postgres.Store, url string) {
	t.Helper()
	calls := maps.Clone(calls)
	calls["Open"] = func(ctx context.Context, _ *postgres.Store) error {
		_, err := postgres.Open(ctx, url)
		return err
	}
	type result struct {
		name string
		err  error
		took time.Duration
	}
	results := make(chan result)
	began := time.Now()
	for name, call := range calls {
		go func() { results <- result{name, call(t.Context(), s), time.Since(began)} }()
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err := call(ctx, s)
			if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, eventstore.ErrUnavailable) {
				err = fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err) // the caller's own doing
			}
			results <- result{name + " of little patience", err, time.Since(began)}
		}()
	}
	for range 2 * len(calls) {
		r := <-results
		if !errors.Is(r.err, eventstore.ErrUnavailable) || r.took > bound {
			t.Errorf("%s: error %v after %v, want %v within %v", r.name, r.err, r.took, eventstore.ErrUnavailable, bound)
		}
	}
}
