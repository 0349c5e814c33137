package worker

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	// refusals is how often a single event is refused before it is parked.
	refusals = 3
	// doubt is how many events in a row are parked before it is the target that
	// is at fault, and not the events.
	doubt = 10
	// tellAfter is how many attempts in a row fail before the ledger is told of
	// an outage, and tellEvery how far apart outages are told of at least.
	tellAfter = 3
	tellEvery = time.Minute
	// accountEvery is how often it is looked whether deliveries can be told of.
	accountEvery = 5 * time.Second
)

// deliver sends a batch until the target has taken it, or has refused what is
// then parked, and tells whether that is so: ctx may end before. There is no
// other way on, for what comes next in the lane must not overtake it.
func (s *Sink) deliver(ctx context.Context, batch []Item) bool {
	for tries := 1; ; tries++ {
		ack, err := s.Target.Send(ctx, batch)
		if err == nil {
			s.took(ctx, batch, ack)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		refusal, refused := errors.AsType[*Rejection](err)
		if refused && len(batch) > 1 {
			// One of them is to blame, and the others must not wait for it.
			half := len(batch) / 2
			return s.deliver(ctx, batch[:half]) && s.deliver(ctx, batch[half:])
		}
		wait := s.backoff(tries, err)
		switch {
		case !refused || s.trouble.doubted():
			s.failed(ctx, batch[0], err, wait)
		case tries >= refusals:
			return s.park(ctx, batch[0], refusal, tries)
		}
		if s.rest(ctx, wait) != nil {
			return false
		}
	}
}

// took notes that the target has a batch.
func (s *Sink) took(ctx context.Context, batch []Item, ack string) {
	s.settled(batch)
	s.tally.add(batch, ack)
	attempts, told, was := s.trouble.over()
	if told {
		s.journal(ctx, "the end of an outage", func() error { return s.Journal.Recovered(ctx, attempts) })
	}
	if was && told {
		s.Log.Info("a sink delivers again", "sink", s.Name)
	}
}

// park gives up on an item. A crash behind it tries the item once more, and
// parks nothing new.
func (s *Sink) park(ctx context.Context, item Item, cause *Rejection, attempts int) bool {
	for wait := s.first(); ; wait = min(2*wait, maxPatience) {
		err := s.Journal.Park(ctx, item, cause, attempts)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return false
		}
		// Going on would lose the event, so the ledger is asked until it takes it.
		s.Log.Error("an event that a sink gives up on cannot be parked", "sink", s.Name, "event", item.ID, "error", err)
		if s.rest(ctx, wait) != nil {
			return false
		}
	}
	s.Log.Warn("a sink gave up on an event", "sink", s.Name, "event", item.ID, "class", cause.Class)
	s.trouble.gaveUp()
	s.settled([]Item{item})
	return true
}

// failed notes that the target has not taken what it may take later.
func (s *Sink) failed(ctx context.Context, first Item, err error, wait time.Duration) {
	class, now := Explain(err), s.Now()
	if !s.trouble.note(class, now, now.Add(wait)) {
		return
	}
	s.Log.Warn("a sink's target takes nothing; trying on", "sink", s.Name, "class", class)
	attempts, _ := s.trouble.state()
	s.journal(ctx, "an outage", func() error { return s.Journal.Failed(ctx, first.Place, attempts, class) })
}

// journal has the ledger remember something. If it cannot, deliveries go on.
func (s *Sink) journal(ctx context.Context, what string, write func() error) {
	if err := write(); err != nil && ctx.Err() == nil {
		s.Log.Warn("the ledger cannot be told of a sink", "sink", s.Name, "of", what, "error", err)
	}
}

func (s *Sink) first() time.Duration { return cmp.Or(s.Retry, sinkFirst) }

// backoff is how long to wait behind a failed attempt: exponentially more, at
// most half a minute, and any part of that by chance, so that those who wait
// for the same target do not knock together. A target that says how long is
// believed; one that does not know us is not pressed.
func (s *Sink) backoff(tries int, err error) time.Duration {
	chance := rand.Float64
	if s.Chance != nil {
		chance = s.Chance
	}
	limit := s.first()
	for range min(tries-1, 30) {
		limit = min(2*limit, sinkLast)
	}
	if t, ok := errors.AsType[*Trouble](err); ok {
		switch {
		case t.After > 0:
			return t.After + time.Duration(chance()*float64(s.first()))
		case t.Slow:
			return sinkLast/2 + time.Duration(chance()*float64(sinkLast/2))
		}
	}
	return time.Duration(chance() * float64(limit))
}

func (s *Sink) rest(ctx context.Context, d time.Duration) error {
	if s.Rest != nil {
		return s.Rest(ctx, d)
	}
	return pause(ctx, d)
}

// account tells the ledger now and then how much was delivered, and at the end.
func (s *Sink) account(ctx context.Context) {
	ticker := time.NewTicker(accountEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.tell(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), accountEvery)
			defer cancel()
			s.tell(last)
			return
		}
	}
}

func (s *Sink) tell(ctx context.Context) {
	t := s.tally.peek()
	if t.Count == 0 {
		return
	}
	s.journal(ctx, "deliveries", func() error {
		told, err := s.Journal.Delivered(ctx, t)
		if told && err == nil {
			s.tally.drop(t)
		}
		return err
	})
}

// A Tally is what was delivered since it was told of last.
type Tally struct {
	From, To Position
	Count    int64
	Ack      string // of the last batch
}

// tally adds up.
type tally struct {
	mu  sync.Mutex
	sum Tally // guarded by mu
}

func (t *tally) add(batch []Item, ack string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, item := range batch {
		if t.sum.Count == 0 || item.Place.Compare(t.sum.From) < 0 {
			t.sum.From = item.Place
		}
		if item.Place.Compare(t.sum.To) > 0 {
			t.sum.To = item.Place
		}
		t.sum.Count++
	}
	t.sum.Ack = ack
}

func (t *tally) peek() Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sum
}

// drop takes away what was told of; more may have come meanwhile.
func (t *tally) drop(told Tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.Count -= told.Count
	t.sum.From = told.To
	if t.sum.Count == 0 {
		t.sum = Tally{}
	}
}

// releaseAll lets the checkpoint pass several events.
func (p *progress) releaseAll(done map[Position]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = slices.DeleteFunc(p.open, func(b begun) bool { return done[b.at] })
}
