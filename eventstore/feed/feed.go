// Package feed is the ledger in the shape of a watermill subscriber: one
// message at a time, the next after the ack. It keeps no checkpoint; where to
// start is the reader's to say.
package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/flowledger/flowledger/eventstore"
)

// Topic is the only topic there is: all events, in the order of the ledger.
const Topic = "ledger"

// A Subscriber is a [message.Subscriber]. Each subscription starts behind the
// position given to [New], gets a message, and gets the next when it has
// acked that one. A message that is nacked comes again. The UUID of a message
// is the event's ID, its payload the event's payload; [Recorded] returns the
// whole event.
type Subscriber struct {
	// Wants tells whether an event becomes a message; nil for all. It is asked
	// when what comes before has been acked. What nobody wants costs no message.
	Wants func(eventstore.Recorded) bool

	store eventstore.Store
	after eventstore.Position
	wg    sync.WaitGroup // of the subscriptions

	mu      sync.Mutex           // guards all below
	cancels []context.CancelFunc // of the subscriptions
	closed  bool
	err     error
}

var _ message.Subscriber = (*Subscriber)(nil)

// New makes a subscriber that follows store from the first event after
// position.
func New(store eventstore.Store, after eventstore.Position) *Subscriber {
	return &Subscriber{store: store, after: after}
}

// Subscribe implements [message.Subscriber]. The channel is closed when ctx is
// done, after Close, and when the store fails; [Subscriber.Err] tells which.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	if topic != Topic {
		return nil, fmt.Errorf("subscribe to %q: the only topic is %q", topic, Topic)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("subscribe to the ledger: the subscriber is closed")
	}
	ctx, cancel := context.WithCancel(ctx)
	s.cancels = append(s.cancels, cancel)
	out := make(chan *message.Message)
	s.wg.Go(func() {
		defer cancel()
		defer close(out)
		s.follow(ctx, out)
	})
	return out, nil
}

// Between two attempts to reach an engine that is away.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 2 * time.Second
)

// follow hands out one event after the other, until ctx is done or the store
// fails. While its engine is out of reach, it waits, and goes on behind what
// was acked.
func (s *Subscriber) follow(ctx context.Context, out chan<- *message.Message) {
	after, wait := s.after, firstWait
	for {
		reached, err := s.handAll(ctx, after, out)
		if !errors.Is(err, eventstore.ErrUnavailable) {
			s.fail(err)
			return
		}
		if reached != after {
			after, wait = reached, firstWait
		}
		select {
		case <-time.After(wait):
			wait = min(2*wait, lastWait)
		case <-ctx.Done():
			return
		}
	}
}

// handAll hands out what comes after a position, until ctx is done or the
// store fails, and returns how far it has come.
func (s *Subscriber) handAll(ctx context.Context, after eventstore.Position, out chan<- *message.Message) (eventstore.Position, error) {
	for e, err := range s.store.Subscribe(ctx, after) {
		if err != nil {
			return after, err
		}
		if s.Wants == nil || s.Wants(e) {
			for !hand(ctx, e, out) {
				if ctx.Err() != nil {
					return after, nil
				}
			}
		}
		after = e.Position
	}
	return after, nil
}

// hand sends e as a message, waits for what becomes of it, and tells whether
// it was acked. The context of the message ends with that.
func hand(ctx context.Context, e eventstore.Recorded, out chan<- *message.Message) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMessage(e)
	m.SetContext(ctx)
	select {
	case out <- m:
	case <-ctx.Done():
		return false
	}
	select {
	case <-m.Acked():
		return true
	case <-m.Nacked():
		return false
	case <-ctx.Done():
		return false
	}
}

func (s *Subscriber) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// Err returns the first error of the store that has ended a subscription,
// which is [eventstore.ErrClosed] if the store was closed. It returns nil as
// long as they end by their contexts and by Close.
func (s *Subscriber) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close implements [message.Subscriber]. It waits for the subscriptions to
// end, and leaves the store open.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, cancel := range s.cancels {
		cancel()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}
