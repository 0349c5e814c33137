package eventstoretest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
)

// A follower is a subscription that keeps what it sees.
type follower struct {
	seen chan eventstore.Recorded
	done chan struct{} // closed when the subscription has ended
	err  error         // what it ended with, after done
}

// follow starts a subscription. It sees limit events at most unless somebody
// takes them from seen.
func follow(ctx context.Context, store eventstore.Store, after eventstore.Position, limit int) *follower {
	f := &follower{seen: make(chan eventstore.Recorded, limit), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		for e, err := range store.Subscribe(ctx, after) {
			if err != nil {
				f.err = err
				continue // an event after an error would be a fault, and is seen
			}
			select {
			case f.seen <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return f
}

// next returns the next n events.
func (f *follower) next(t *testing.T, n int) []eventstore.Recorded {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	var all []eventstore.Recorded
	for len(all) < n {
		select {
		case e := <-f.seen:
			all = append(all, e)
		case <-f.done:
			t.Fatalf("the subscription ended after %d of %d events: %v", len(all), n, f.err)
		case <-timeout.C:
			t.Fatalf("%d of %d events arrived", len(all), n)
		}
	}
	return all
}

// none fails the test if there is another event.
func (f *follower) none(t *testing.T) {
	t.Helper()
	select {
	case e := <-f.seen:
		t.Fatalf("one event too many: revision %d of %s", e.Revision, e.Stream)
	default:
	}
}

func testSubscribeLate(t *testing.T, s suite) {
	store := s.open(t)
	mustAppend(t, store, "a-1", eventstore.NoStream, numbered(eventstore.MaxEvents)...)
	mustAppend(t, store, "b-1", eventstore.NoStream, numbered(5)...)
	all := readAll(t, store)
	for _, from := range []int{0, 1, 999, 1000, 1004, 1005} {
		var after eventstore.Position
		if from > 0 {
			after = all[from-1].Position
		}
		f := follow(t.Context(), store, after, 10)
		same(t, fmt.Sprintf("events after the first %d", from), f.next(t, len(all)-from), all[from:])
		f.none(t)
	}
}

// testSubscribeWakes appends when the subscription waits at the end. A store
// that polls takes a period for each round, and runs out of time.
func testSubscribeWakes(t *testing.T, s suite) {
	store := s.open(t)
	f := follow(t.Context(), store, eventstore.Position{}, 10)
	began := time.Now()
	for range 300 {
		e := event("x")
		mustAppend(t, store, "a-1", eventstore.Any, e)
		same(t, "the event", written(f.next(t, 1)), []eventstore.NewEvent{e})
	}
	f.none(t)
	if took := time.Since(began); took > patience/2 {
		t.Errorf("300 events took %v", took)
	}
}

// testSubscribeUnderWriters joins subscriptions before, while and after
// others write. Each sees the whole ledger, once and in order.
func testSubscribeUnderWriters(t *testing.T, s suite) {
	store := s.open(t)
	const total = writers * rounds * 2
	var followers []*follower
	join := func() { followers = append(followers, follow(t.Context(), store, eventstore.Position{}, total+1)) }
	var wg sync.WaitGroup
	join()
	for w := range writers {
		stream := eventstore.Stream("a", fmt.Sprint(w%5))
		wg.Go(func() {
			for range rounds {
				if _, err := store.Append(t.Context(), stream, eventstore.Any, numbered(2)...); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
		join()
	}
	wg.Wait()
	join()
	all := readAll(t, store)
	for i, f := range followers {
		same(t, fmt.Sprintf("what subscription %d saw", i), f.next(t, total), all)
		f.none(t)
	}
}

func testSubscribeContext(t *testing.T, s suite) {
	store := s.open(t)
	mustAppend(t, store, "a-1", eventstore.NoStream, numbered(10)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waiting := follow(ctx, store, eventstore.Position{}, 10)
	waiting.next(t, 10)
	cancel()
	within(t, "the end of a subscription", waiting.done)
	if waiting.err != nil {
		t.Errorf("the subscription ended with %v, want no error", waiting.err)
	}

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	events := 0
	for _, err := range store.Subscribe(ctx, eventstore.Position{}) {
		if err != nil {
			t.Errorf("Subscribe: %v", err)
		}
		events++
		cancel()
	}
	for _, err := range store.Subscribe(ctx, eventstore.Position{}) {
		t.Errorf("a subscription that was cancelled before yields, %v", err)
	}
	if events != 1 {
		t.Errorf("%d events, want none after cancel", events-1)
	}
}

// testSubscribeCancelled cancels subscriptions at any moment, while others
// write. None takes that for a failure.
func testSubscribeCancelled(t *testing.T, s suite) {
	store := s.open(t)
	var wg sync.WaitGroup
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			for _, err := range store.Subscribe(ctx, eventstore.Position{}) {
				if err != nil {
					t.Errorf("Subscribe: %v", err)
				}
			}
		})
		if i%4 == 0 {
			mustAppend(t, store, "a-1", eventstore.Any, event("x"))
		}
		wg.Go(cancel)
	}
	wg.Wait()
}

// testSubscribeAhead starts at a position that another copy of the ledger
// has handed out, and this one will.
func testSubscribeAhead(t *testing.T, s suite) {
	store, other := s.open(t), s.open(t)
	mustAppend(t, other, "a-1", eventstore.NoStream, numbered(5)...)
	ahead := readAll(t, other)[2].Position
	if got := collect(t, store.ReadAll(t.Context(), ahead)); len(got) != 0 {
		t.Errorf("%d events, want none", len(got))
	}
	f := follow(t.Context(), store, ahead, 10)
	for _, e := range numbered(5) {
		mustAppend(t, store, "a-1", eventstore.Any, e)
	}
	want := collect(t, store.ReadAll(t.Context(), ahead))
	same(t, "the events after it", f.next(t, len(want)), want)
	f.none(t)
}
