package esdb_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
)

// Short waits, for a test.
const (
	shortCall  = 300 * time.Millisecond
	shortWait  = 600 * time.Millisecond
	shortWatch = 100 * time.Millisecond
)

// hurried opens a store with little patience.
func hurried(t testing.TB, url string, patience time.Duration) *esdb.Store {
	t.Helper()
	store, err := esdb.OpenHurried(t.Context(), url, shortCall, patience, shortWatch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func event(text string) eventstore.NewEvent {
	id := uuid.Must(uuid.NewV7())
	return eventstore.NewEvent{ID: id, Type: "TestHappened", Schema: 1, Header: []byte("{}"), Payload: fmt.Appendf(nil, "{%q:1}", text), Salt: id}
}

func mustAppend(t testing.TB, store *esdb.Store, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent) eventstore.Revision {
	t.Helper()
	revision, err := store.Append(t.Context(), stream, expected, events...)
	if err != nil {
		t.Fatalf("Append(%s, %d): %v", stream, expected, err)
	}
	return revision
}

func readAll(t testing.TB, store eventstore.Store) []eventstore.Recorded {
	t.Helper()
	var all []eventstore.Recorded
	for e, err := range store.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatalf("ReadAll: %v", err)
		}
		all = append(all, e)
	}
	return all
}

// everyCall makes each call that reaches the engine, and returns its error.
func everyCall(ctx context.Context, store *esdb.Store) map[string]func() error {
	drain := func(seq func(func(eventstore.Recorded, error) bool)) error {
		for _, err := range seq {
			return err
		}
		return nil
	}
	return map[string]func() error{
		"Append": func() error {
			_, err := store.Append(ctx, "a-1", eventstore.Any, event("x"))
			return err
		},
		"ReadStream": func() error { return drain(store.ReadStream(ctx, "a-1", 0)) },
		"ReadAll":    func() error { return drain(store.ReadAll(ctx, eventstore.Position{})) },
		"Subscribe":  func() error { return drain(store.Subscribe(ctx, eventstore.Position{})) },
		"Head": func() error {
			_, err := store.Head(ctx)
			return err
		},
		"Note": func() error {
			_, _, err := store.Note(ctx, "n")
			return err
		},
		"SetNote": func() error {
			_, version, err := store.Note(ctx, "n")
			if err == nil {
				_, err = store.SetNote(ctx, "n", []byte("x"), version)
			}
			return err
		},
		"Restore": func() error {
			return store.Restore(ctx, eventstore.Recorded{NewEvent: event("x"), Stream: eventstore.Stream("r", uuid.NewString()), RecordedAt: time.Now().Add(time.Hour)})
		},
	}
}

// TestOutOfReach takes the engine away in three ways. Each call fails in
// time, and says why; when the engine is back each call succeeds again.
func TestOutOfReach(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct{ begin, end func(*esdbtest.Server) }{
		"silence":   {(*esdbtest.Server).Silence, (*esdbtest.Server).Heal},
		"not ready": {func(s *esdbtest.Server) { s.Unavailable(-1) }, (*esdbtest.Server).Heal},
		"stopped":   {(*esdbtest.Server).Stop, (*esdbtest.Server).Restart},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := esdbtest.Start(t)
			store := hurried(t, server.URL(), shortWait)
			mustAppend(t, store, "a-1", eventstore.NoStream, event("x"))
			fault.begin(server)
			var wg sync.WaitGroup
			for call, do := range everyCall(t.Context(), store) {
				for range 5 { // so that some wait for what others have begun
					wg.Go(func() {
						began := time.Now()
						if err := do(); !errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("%s: %v, want %v alone", call, err, eventstore.ErrUnavailable)
						}
						if took := time.Since(began); took > 20*shortWait {
							t.Errorf("%s takes %v", call, took)
						}
					})
				}
			}
			wg.Wait()
			fault.end(server)
			for call, do := range everyCall(t.Context(), store) {
				err := do()
				for n := 0; n < 10 && errors.Is(err, eventstore.ErrUnavailable); n++ {
					err = do() // its patience is less than a search may take
				}
				if err != nil {
					t.Errorf("%s, afterwards: %v", call, err)
				}
			}
		})
	}
}

// TestShortAbsence is not noticed.
func TestShortAbsence(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t)
	store := open(t, server.URL())
	mustAppend(t, store, "a-1", eventstore.NoStream, event("x"))
	for call, do := range everyCall(t.Context(), store) {
		server.Unavailable(2)
		if err := do(); err != nil {
			t.Errorf("%s: %v", call, err)
		}
		server.Cut()
		if err := do(); err != nil {
			t.Errorf("%s after a cut: %v", call, err)
		}
	}
}

// TestLostConnection has a connection go nowhere, as one does that a router
// has forgotten. Each call finds out, and takes another.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t)
	for call := range everyCall(t.Context(), nil) {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			store := hurried(t, server.URL(), 20*shortWait)
			mustAppend(t, store, "a-1", eventstore.Any, event("x"))
			server.Lose()
			if err := everyCall(t.Context(), store)[call](); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRestingSubscription is at the end of the ledger when the engine no
// longer sends anything.
func TestRestingSubscription(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault func(*esdbtest.Server)
		fails bool
	}{
		"the engine is silent":           {(*esdbtest.Server).Silence, true},
		"the connection goes nowhere":    {(*esdbtest.Server).Lose, false},
		"the subscription is forgotten":  {(*esdbtest.Server).StallSubscriptions, false},
		"the subscription is broken off": {(*esdbtest.Server).DropSubscriptions, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := esdbtest.Start(t)
			store := hurried(t, server.URL(), shortWait)
			mustAppend(t, store, "a-1", eventstore.NoStream, event("x"))
			seen := 0
			var failure error
			for _, err := range store.Subscribe(t.Context(), eventstore.Position{}) {
				if failure = err; err != nil {
					break
				}
				if seen++; seen == 2 {
					break
				}
				test.fault(server)
				if !test.fails {
					mustAppend(t, open(t, server.URL()), "a-1", eventstore.At(0), event("y"))
				}
			}
			if test.fails != errors.Is(failure, eventstore.ErrUnavailable) || !test.fails && seen != 2 {
				t.Errorf("%d events and %v", seen, failure)
			}
		})
	}
}

// TestFollowerLags opens the ledger at a node that is behind. What was
// acknowledged is there all the same, for the leader is asked.
func TestFollowerLags(t *testing.T) {
	t.Parallel()
	leader := esdbtest.Start(t)
	follower := leader.Follower(t)
	mustAppend(t, open(t, leader.URL()), "a-1", eventstore.NoStream, event("x"))
	follower.Lag()
	mustAppend(t, open(t, leader.URL()), "a-1", eventstore.At(0), event("y"))
	want := readAll(t, open(t, leader.URL()))
	store := open(t, follower.URL())
	checkSame(t, readAll(t, store), want)
	checkSame(t, followN(t, open(t, follower.URL()), 2), want)
	if head, err := open(t, follower.URL()).Head(t.Context()); err != nil || head != want[1].Position {
		t.Errorf("head %v, %v, want %v", head, err, want[1].Position)
	}
	reader := hurried(t, follower.URL()+"&nodePreference=follower", shortWait)
	if head, err := reader.Head(t.Context()); err != nil || head != want[0].Position {
		t.Errorf("head of the follower %v, %v, want %v", head, err, want[0].Position)
	}
	if _, err := reader.Append(t.Context(), "a-1", eventstore.Any, event("z")); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("an append to what cannot be read: %v, want %v", err, eventstore.ErrUnavailable)
	}
	follower.Heal()
	if got := mustAppend(t, reader, "a-1", eventstore.Any, event("z")); got != 2 {
		t.Errorf("revision %d, want 2", got)
	}
}

// TestCallerGone is the caller's reason, not the engine's.
func TestCallerGone(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t)
	store := open(t, server.URL())
	mustAppend(t, store, "a-1", eventstore.NoStream, event("x"))
	server.Silence()
	ctx, cancel := context.WithTimeout(t.Context(), shortCall)
	defer cancel()
	for call, do := range everyCall(ctx, store) {
		err := do()
		if call == "Subscribe" && err == nil {
			continue
		}
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("%s: %v, want %v", call, err, context.DeadlineExceeded)
		}
	}
}

// TestLostAnswer breaks the connection between the write and the answer. The
// append succeeds, once, and the store knows how far the ledger is.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t)
	store := open(t, server.URL())
	for i, expected := range []eventstore.Expected{eventstore.NoStream, eventstore.At(1), eventstore.Any} {
		server.LoseAnswers(2)
		want := eventstore.Revision(2*i + 1)
		if got := mustAppend(t, store, "a-1", expected, event("x"), event("y")); got != want {
			t.Errorf("revision %d, want %d", got, want)
		}
		all := readAll(t, store)
		if len(all) != 2*i+2 {
			t.Fatalf("%d events, want %d", len(all), 2*i+2)
		}
		if got, want := store.Reached(), all[len(all)-1].Position; got != want {
			t.Errorf("reached %v, want %v", got, want)
		}
	}
	server.LoseAnswers(1)
	if version, err := store.SetNote(t.Context(), "n", []byte("x"), 0); err != nil || version != 1 {
		t.Errorf("SetNote = %d, %v, want 1", version, err)
	}
}

// TestUnknownOutcome gives up on an append that was written. The caller who
// makes it again is told that it succeeded.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t)
	store, other := hurried(t, server.URL(), shortWait), open(t, server.URL())
	events := []eventstore.NewEvent{event("x"), event("y")}
	server.LoseAnswers(1 << 20)
	if _, err := store.Append(t.Context(), "a-1", eventstore.NoStream, events...); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatalf("Append: %v, want %v", err, eventstore.ErrUnavailable)
	}
	server.Heal()
	mustAppend(t, other, "a-1", eventstore.Any, event("z"))
	for _, node := range []*esdb.Store{store, other} {
		if got := mustAppend(t, node, "a-1", eventstore.NoStream, events...); got != 1 {
			t.Errorf("revision %d, want 1", got)
		}
	}
	if got := len(readAll(t, store)); got != 3 {
		t.Errorf("%d events, want 3", got)
	}
}

// TestUnderFaults writes and follows while the engine is ill. What was
// acknowledged is there, once; what is there is seen, once and in order.
func TestUnderFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(t *testing.T, a, b *esdbtest.Server, round int){
		"leader changes": func(_ *testing.T, a, b *esdbtest.Server, round int) { []*esdbtest.Server{b, a}[round%2].Lead() },
		"cut":            func(_ *testing.T, a, _ *esdbtest.Server, _ int) { a.Cut() },
		"dropped":        func(_ *testing.T, a, _ *esdbtest.Server, _ int) { a.DropSubscriptions() },
		"lost answers":   func(_ *testing.T, a, _ *esdbtest.Server, _ int) { a.LoseAnswers(3) },
		"not ready":      func(_ *testing.T, a, _ *esdbtest.Server, _ int) { a.Unavailable(3) },
		"restarts":       func(_ *testing.T, a, _ *esdbtest.Server, _ int) { a.Stop(); a.Restart() },
		"silence":        func(_ *testing.T, a, _ *esdbtest.Server, _ int) { a.Silence(); a.Cut(); a.Heal() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leader := esdbtest.Start(t)
			follower := leader.Follower(t)
			// One node of the program knows one node of the engine, the other
			// asks for the leader.
			urls := []string{leader.URL(), follower.ClusterURL()}
			stores := []*esdb.Store{open(t, urls[0]), open(t, urls[1])}
			node := func(i int) *esdb.Store {
				if raced && name == "leader changes" {
					// When one call has it go to another leader, the client has
					// a data race with its other calls. Here it has none.
					return open(t, urls[i%2])
				}
				return stores[i%2]
			}
			const writers, batches, rounds = 8, 30, 10
			var written atomic.Int64
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					store := node(w)
					stream, next := eventstore.Stream("a", fmt.Sprint(w)), eventstore.Revision(-1)
					for range batches {
						got, err := store.Append(t.Context(), stream, eventstore.At(next), event("x"), event("y"))
						if next += 2; err != nil || got != next {
							t.Errorf("Append = %d, %v, want %d", got, err, next)
							return
						}
						written.Add(1)
					}
				})
			}
			seen := make([][]eventstore.Recorded, len(stores))
			for i := range stores {
				wg.Go(func() { seen[i] = followN(t, node(i), 2*writers*batches) })
			}
			for round := range rounds {
				for written.Load() < int64(round*writers*batches/rounds) && !t.Failed() {
					runtime.Gosched()
				}
				fault(t, leader, follower, round)
			}
			wg.Wait()
			want := readAll(t, stores[0])
			if len(want) != 2*writers*batches {
				t.Fatalf("%d events, want %d", len(want), 2*writers*batches)
			}
			for i := range stores {
				checkSame(t, seen[i], want)
			}
		})
	}
}

// followN returns the first n events of a subscription.
func followN(t *testing.T, store *esdb.Store, n int) []eventstore.Recorded {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var seen []eventstore.Recorded
	for e, err := range store.Subscribe(ctx, eventstore.Position{}) {
		if err != nil {
			t.Errorf("Subscribe: %v", err)
			break
		}
		if seen = append(seen, e); len(seen) == n {
			break
		}
	}
	return seen
}

func checkSame(t *testing.T, got, want []eventstore.Recorded) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events were seen, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].ID != want[i].ID || got[i].Position != want[i].Position {
			t.Fatalf("event %d is %s at %v, want %s at %v", i, got[i].ID, got[i].Position, want[i].ID, want[i].Position)
		}
	}
}
