package esdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// ledgerOnly is the filter that the engine applies for us.
var ledgerOnly = &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "^[^$_]"}

// errStalled says that there are events which a subscription does not send.
var errStalled = errors.New("the subscription is silent, and there is more")

// Subscribe implements [eventstore.Store]. A subscription that breaks, because
// the leader has changed, the node was restarted or the reader was slow, goes
// on behind the last event that was seen, as long as the store's patience
// with the engine lasts; it then ends with [eventstore.ErrUnavailable].
func (s *Store) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		within, cancel := s.within(ctx)
		defer cancel()
		f := &following{store: s, after: after.Value(), yield: yield, alive: time.Now()}
		for wait := firstWait; ; wait = min(2*wait, longWait) {
			before := f.alive
			err := f.follow(within)
			if f.alive != before {
				wait = firstWait
			}
			switch {
			case f.ended || ctx.Err() != nil:
				return
			case s.ctx.Err() != nil:
				err = eventstore.ErrClosed
			case f.broken || !dropping(err):
				err = fmt.Errorf("follow ledger: %w", err)
			case time.Since(f.alive)+wait > s.waits.patience:
				err = fmt.Errorf("follow ledger: %w", unavailable(err))
			default:
				_ = pause(within, wait)
				continue
			}
			yield(eventstore.Recorded{}, err)
			return
		}
	}
}

// dropping tells whether a subscription that ended with err may go on: other
// than for a call, also when the node that it was at does not lead.
func dropping(err error) bool {
	return passing(err) || codeOf(err) == esdb.ErrorCodeResourceNotFound
}

// A following is one call of Subscribe.
type following struct {
	store  *Store
	after  uint64 // position of the last event that was yielded
	yield  func(eventstore.Recorded, error) bool
	alive  time.Time // when the engine was last heard of
	ended  bool      // the reader wants no more
	broken bool      // by an event that cannot be read
}

// follow subscribes once, and returns what the subscription ended with.
func (f *following) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	sub, err := f.subscribe(ctx, cancel)
	if err != nil {
		cancel()
		return err
	}
	events, done := make(chan *esdb.SubscriptionEvent, 64), make(chan struct{})
	go func() {
		defer close(done)
		pump(ctx, sub, events)
	}()
	defer func() {
		cancel() // which ends the waiting for an event
		<-done
	}()
	return f.take(ctx, events)
}

// subscribe starts a subscription behind what was seen. It lives until ctx is
// done or its connection is given up, which calls cancel. Its beginning is not
// interrupted, as no call is, but has a deadline.
func (f *following) subscribe(ctx context.Context, cancel func()) (*esdb.Subscription, error) {
	options := esdb.SubscribeToAllOptions{From: allFrom(f.after), Filter: ledgerOnly, MaxSearchWindow: 500}
	c := f.store.connector
	return call(ctx, c, func(_ context.Context, conn *connection) (*esdb.Subscription, error) {
		living, end := context.WithCancel(context.WithoutCancel(ctx))
		late := time.AfterFunc(c.limit, end)
		sub, err := conn.client.SubscribeToAll(c.demand(living), options)
		if !late.Stop() || err != nil {
			end()
			return nil, cmp.Or(err, context.DeadlineExceeded)
		}
		unhook := context.AfterFunc(conn.ctx, cancel)
		context.AfterFunc(ctx, func() {
			unhook()
			end()
		})
		return sub, nil
	})
}

// pump moves what comes to events, until the subscription ends.
func pump(ctx context.Context, sub *esdb.Subscription, events chan<- *esdb.SubscriptionEvent) {
	defer close(events)
	defer func() { _ = sub.Close() }()
	for {
		event, err := guarded(func() (*esdb.SubscriptionEvent, error) { return sub.Recv(), nil })
		if err != nil {
			event = &esdb.SubscriptionEvent{SubscriptionDropped: &esdb.SubscriptionDropped{Error: err}}
		}
		select {
		case events <- event:
		case <-ctx.Done():
			return
		}
		if event.SubscriptionDropped != nil {
			return
		}
	}
}

// take yields events until the subscription ends. When none comes for a while
// it asks the engine whether that is right: a subscription on a dead network
// rests like one at the end of the ledger.
func (f *following) take(ctx context.Context, events <-chan *esdb.SubscriptionEvent) error {
	quiet := time.NewTimer(f.store.waits.watch)
	defer quiet.Stop()
	expected := uint64(0) // the end of the ledger at the last look
	for {
		select {
		case event, ok := <-events:
			if !ok || ctx.Err() != nil {
				return ctx.Err()
			}
			if event.SubscriptionDropped != nil {
				return event.SubscriptionDropped.Error
			}
			err := f.pass(event)
			f.alive = time.Now() // a slow reader is not the engine's silence
			if err != nil || f.ended {
				return err
			}
		case <-quiet.C:
			if rest := f.store.waits.watch - time.Since(f.alive); rest > 0 || len(events) > 0 {
				expected = 0
				quiet.Reset(max(rest, f.store.waits.watch/10))
				continue
			}
			if expected > f.after {
				return errStalled
			}
			end, err := f.store.head(ctx)
			if err != nil {
				return err
			}
			expected = end.position
			f.alive = time.Now()
			quiet.Reset(f.store.waits.watch)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pass yields the event of a message, if it has one that was not seen.
func (f *following) pass(message *esdb.SubscriptionEvent) error {
	if message.EventAppeared == nil {
		return nil // caught up, fell behind, a checkpoint
	}
	e := message.EventAppeared.OriginalEvent()
	if e == nil || outside(e.StreamID) || e.Position.Commit <= f.after {
		return nil
	}
	recorded, err := decode(e)
	if err != nil {
		f.broken = true
		return err
	}
	f.after = e.Position.Commit
	f.ended = !f.yield(recorded, nil)
	return nil
}
