package worker

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A Broker publishes the ledger to a message broker: each event at least once,
// those of one stream in their order. The checkpoint stands behind what the
// broker has acknowledged, so a crash repeats events, under the same ids, and
// loses none. A broker that is away delays everything and drops nothing.
type Broker struct {
	Follower
	Bus      *Bus
	Codec    *codec.Codec
	Personal bool // whether profiles and network addresses go out, too
	Now      func() time.Time

	wire    wire
	outage  outage
	lanes   [lanes]chan parcel
	source  string // of the events; known once the ledger has any
	pending pending
}

const (
	// lanes is how many streams are published at the same time. A publisher
	// waits for the acknowledgement of one message before the next, for only
	// so the order holds when one is refused; with one lane, the fan-out would
	// be as slow as the way to the broker is long.
	lanes = 32
	// laneDepth is how far a lane may lag before the reader waits for it.
	laneDepth = 32

	patience    = 200 * time.Millisecond // before the first repetition
	maxPatience = 10 * time.Second       // and before any
)

// A parcel is an event on its way to the broker.
type parcel struct {
	at       Position
	category string
	message  *message.Message
	short    *message.Message // without data, for a broker to which it is too large
}

// Run follows the ledger until ctx is done.
func (b *Broker) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	b.wire.open = b.Bus.open
	var carriers sync.WaitGroup
	for i := range b.lanes {
		lane := make(chan parcel, laneDepth)
		b.lanes[i] = lane
		carriers.Go(func() { b.carry(ctx, lane) })
	}
	return b.follow(ctx, work{name: "broker", wants: goesOut, handle: b.handle, wait: func() {
		stop() // what is still in the lanes holds the checkpoint
		carriers.Wait()
		b.wire.close()
		b.pending.clear()
	}})
}

// goesOut tells whether an event is published. What the program says of its own
// workers and exports would feed itself: an event that cannot be published is
// parked as an event (spec/events.md 1, principle 7).
func goesOut(e eventstore.Recorded) bool {
	switch e.Stream.Category() {
	case "ledger", "worker", "export":
		return false
	}
	return true
}

// handle puts an event in the lane of its stream. It waits while that is full.
// Only an event of which no message can be made comes to be parked.
func (b *Broker) handle(ctx context.Context, e eventstore.Recorded) error {
	p, err := b.parcel(ctx, e)
	for wait := b.first(); errors.Is(err, eventstore.ErrUnavailable); wait = min(2*wait, maxPatience) {
		if err := pause(ctx, wait); err != nil {
			return err
		}
		p, err = b.parcel(ctx, e)
	}
	if err != nil {
		return err
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(e.Stream)) // it never fails
	b.progress.hold(e.Position)
	b.pending.add(e.Position, e.RecordedAt)
	select {
	case b.lanes[h.Sum32()%lanes] <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// carry publishes what is in a lane, one after the other, until ctx is done.
// Dying behind deliver leaves an event that is published once more.
func (b *Broker) carry(ctx context.Context, lane <-chan parcel) {
	for {
		select {
		case p := <-lane:
			if !b.deliver(ctx, p) {
				return
			}
			b.pending.done(p.at)
			b.progress.release(p.at)
		case <-ctx.Done():
			return
		}
	}
}

// deliver publishes until the broker has it, and tells whether it does: ctx
// may end before. There is no other way on, for what comes next in the stream
// must not overtake it.
func (b *Broker) deliver(ctx context.Context, p parcel) bool {
	topic := b.Bus.topicOf(p.category)
	for wait := b.first(); ; wait = min(2*wait, maxPatience) {
		m := p.message.Copy() // a message can be acked once only
		m.SetContext(ctx)
		err := b.wire.publish(topic, m)
		if err == nil {
			b.outage.over(b.Log)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if b.Bus.tooLarge(err) && p.short != nil {
			b.Log.Warn("an event is too large for the broker and goes out without its data", "event", p.message.UUID)
			p.message, p.short = p.short, nil
			continue
		}
		b.outage.begin(b.Log, err)
		if pause(ctx, wait) != nil {
			return false
		}
	}
}

func (b *Broker) first() time.Duration { return cmp.Or(b.Retry, patience) }

// Lag is how long the oldest event has been waiting for the broker.
func (b *Broker) Lag() time.Duration {
	oldest, waiting := b.pending.oldest()
	if !waiting {
		return 0
	}
	return max(b.Now().Sub(oldest), 0)
}

// Published is how many events the broker has acknowledged since the start.
func (b *Broker) Published() int64 { return b.pending.finished() }
