package worker

import (
	"cmp"
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
)

// A Sink sends events to a target: each at least once, those of one execution
// in their order. The checkpoint stands behind what the target has taken, so a
// crash repeats events, under the same ids, and loses none. A target that is
// away delays everything and drops nothing; an event that it refuses is parked,
// and what follows goes on. Nothing here is in the way of an append: what is
// not sent yet waits in the ledger, and a bounded number of events in memory.
type Sink struct {
	Follower
	Name    string // of the worker; its parked events are in the stream worker-<Name>
	Clerk   Clerk
	Target  Target
	Journal Journal
	Lanes   int           // how many batches are on their way at the same time
	Batch   int           // events, at most
	Linger  time.Duration // how long a batch waits to be filled
	Again   Position      // what stands up to here was sent before
	Now     func() time.Time

	// Rest waits between two attempts; nil for the clock. It ends early, with an
	// error, when ctx does.
	Rest func(ctx context.Context, d time.Duration) error
	// Chance is a number from 0 to 1 for the back-off; nil for chance.
	Chance func() float64

	lanes   []chan Item
	quiet   []Item // wait for something to go along with; of the reader only
	pending pending
	trouble trouble
	tally   tally
}

// A Clerk writes what is sent of events.
type Clerk interface {
	// Wants tells from the clear part of an event whether Write may have
	// something to say of it.
	Wants(e eventstore.Recorded) bool
	// Write returns what is sent of an event; false for nothing.
	Write(ctx context.Context, e eventstore.Recorded) (Item, bool, error)
	// Released returns the event that a WorkerEventReleased is about; false if
	// there is none.
	Released(ctx context.Context, e eventstore.Recorded) (eventstore.Recorded, bool, error)
}

// A Target is where a sink sends to. Send is called by several lanes at once.
type Target interface {
	// Send returns what the target said when it has taken all of a batch. An
	// error is a [*Rejection] if the target will never take it, a [*Trouble] or
	// any other if it may later. Part of the batch may have arrived all the
	// same.
	Send(ctx context.Context, batch []Item) (ack string, err error)
	Close() error
}

// A Journal remembers in the ledger how a sink is doing. Repeating what it was
// told changes nothing.
type Journal interface {
	Failed(ctx context.Context, from Position, attempts int, class string) error
	Recovered(ctx context.Context, attempts int) error
	// Delivered tells of what was delivered since the last time; false if that
	// was too short a time ago.
	Delivered(ctx context.Context, t Tally) (bool, error)
	// Park gives up on an item after so many attempts.
	Park(ctx context.Context, i Item, cause *Rejection, attempts int) error
}

// An Item is what is sent of one event.
type Item struct {
	ID         uuid.UUID // of the event
	Place      Position  // of the event in the ledger
	Stream     eventstore.StreamID
	Revision   eventstore.Revision
	RecordedAt time.Time
	Order      string // what must keep its order: the execution, else the stream
	Body       []byte
	Again      bool // it was sent before, or tried

	at Position // where the reader stands with it: behind Place for a released event
}

const (
	sinkDepth = 64       // how far a lane may lag before the reader waits for it
	maxBatch  = 1 << 20  // bytes of a batch; a single event may be more
	maxQuiet  = 256      // events that wait to go along with others
	sinkFirst = patience // before the first repetition
	sinkLast  = 30 * time.Second
)

// Run follows the ledger until ctx is done.
func (s *Sink) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.lanes = make([]chan Item, max(s.Lanes, 1))
	s.trouble.told = true // the ledger may tell of an outage that nobody ended
	var carriers sync.WaitGroup
	for i := range s.lanes {
		lane := make(chan Item, sinkDepth)
		s.lanes[i] = lane
		carriers.Go(func() { s.carry(ctx, lane) })
	}
	carriers.Go(func() { s.account(ctx) })
	return s.follow(ctx, work{name: s.Name, wants: s.wants, handle: s.handle, wait: func() {
		stop() // what is still in the lanes holds the checkpoint
		carriers.Wait()
		_ = s.Target.Close() // what it has not acknowledged is sent again
		s.pending.clear()
	}})
}

// wants passes over what a sink has nothing to do with. Of its own stream it
// reads which parked events somebody wants to be tried again.
func (s *Sink) wants(e eventstore.Recorded) bool {
	if e.Stream == eventstore.Stream("worker", s.Name) {
		return e.Type == (worker.WorkerEventReleased{}).EventType()
	}
	return s.Clerk.Wants(e)
}

// handle puts what is to be sent of an event in the lane of its execution. It
// waits while that is full. Only an event of which nothing can be written comes
// to be parked here.
func (s *Sink) handle(ctx context.Context, e eventstore.Recorded) error {
	item, ok, err := s.item(ctx, e)
	if err != nil || !ok {
		return err
	}
	s.progress.hold(item.at)
	if !item.Again && quietly(e.Stream.Category()) && len(s.quiet) < maxQuiet {
		// What the program says of itself does not trigger an export
		// (spec/events.md 1, principle 7).
		s.quiet = append(s.quiet, item)
		return nil
	}
	for _, q := range append(s.quiet, item) {
		if err := s.dispatch(ctx, q); err != nil {
			return err
		}
	}
	s.quiet = nil
	return nil
}

// quietly tells of events of a category that they wait for others.
func quietly(category string) bool {
	return category == "ledger" || category == "worker" || category == "export"
}

func (s *Sink) item(ctx context.Context, e eventstore.Recorded) (Item, bool, error) {
	at, again := e.Position, e.Position.Compare(s.Again) <= 0
	if e.Stream == eventstore.Stream("worker", s.Name) {
		parked, ok, err := s.Clerk.Released(ctx, e)
		if err != nil || !ok {
			return Item{}, false, err
		}
		e, again = parked, true
	}
	item, ok, err := s.Clerk.Write(ctx, e)
	item.ID, item.Place, item.RecordedAt = e.ID, e.Position, e.RecordedAt
	item.Stream, item.Revision = e.Stream, e.Revision
	item.at, item.Again, item.Order = at, again, cmp.Or(item.Order, string(e.Stream))
	return item, ok, err
}

func (s *Sink) dispatch(ctx context.Context, item Item) error {
	h := fnv.New32a()
	_, _ = h.Write([]byte(item.Order)) // it never fails
	s.pending.add(item.at, item.RecordedAt)
	select {
	case s.lanes[h.Sum32()%uint32(len(s.lanes))] <- item:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// carry sends what is in a lane, one batch after the other, until ctx is done.
func (s *Sink) carry(ctx context.Context, lane <-chan Item) {
	for {
		batch := s.gather(ctx, lane)
		if batch == nil || !s.deliver(ctx, batch) {
			return
		}
	}
}

// gather waits for a first item and then, for as long as a batch lingers, for
// more. It returns nil when ctx is done.
func (s *Sink) gather(ctx context.Context, lane <-chan Item) (batch []Item) {
	var over <-chan time.Time
	size := 0
	for len(batch) < max(s.Batch, 1) && size < maxBatch {
		select {
		case item := <-lane:
			batch, size = append(batch, item), size+len(item.Body)
			if over == nil {
				over = time.After(s.Linger)
			}
		case <-over:
			return batch
		case <-ctx.Done():
			return nil
		}
	}
	return batch
}

// settled notes that items need not be sent any more. A crash before the next
// checkpoint sends them again.
func (s *Sink) settled(batch []Item) {
	done := make(map[Position]bool, len(batch))
	for _, item := range batch {
		done[item.at] = true
		s.pending.done(item.at)
	}
	s.progress.releaseAll(done)
}

// Lag is how long the oldest event has been waiting for the target.
func (s *Sink) Lag() time.Duration {
	oldest, waiting := s.pending.oldest()
	if !waiting {
		return 0
	}
	return max(s.Now().Sub(oldest), 0)
}
