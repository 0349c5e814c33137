package worker

import (
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// A wire is the connection to a broker, made when it is needed and made anew
// after a failure: not every client recovers by itself.
type wire struct {
	open func() (message.Publisher, error)

	mu      sync.Mutex
	current *link          // nil before the first and after a failure; guarded by mu
	closing sync.WaitGroup // of links that failed
}

// A link is a publisher and those who use it. Some clients panic if they are
// closed while somebody sends, so that waits.
type link struct {
	message.Publisher
	users sync.WaitGroup
}

// publish returns when the broker has acknowledged the message.
func (w *wire) publish(topic string, m *message.Message) error {
	link, err := w.take()
	if err != nil {
		return err
	}
	err = link.Publish(topic, m)
	link.users.Done()
	if err != nil {
		w.drop(link)
	}
	return err
}

// take returns the link, and makes it if there is none. Who comes meanwhile
// waits for that: one knocks for all.
func (w *wire) take() (*link, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == nil {
		publisher, err := w.open()
		if err != nil {
			return nil, err
		}
		w.current = &link{Publisher: publisher}
	}
	w.current.users.Add(1)
	return w.current, nil
}

// drop forgets a link that failed, and closes it when nobody uses it.
func (w *wire) drop(failed *link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if failed == nil || w.current != failed {
		return
	}
	w.current = nil
	w.closing.Go(func() {
		failed.users.Wait()
		_ = failed.Close() // it has failed already
	})
}

// close ends the wire. Nobody publishes any more.
func (w *wire) close() {
	w.mu.Lock()
	last := w.current
	w.mu.Unlock()
	w.drop(last)
	w.closing.Wait()
}

// An outage is told of once when it begins and once when it is over.
type outage struct {
	mu   sync.Mutex
	down bool // guarded by mu
}

func (o *outage) begin(log *slog.Logger, cause error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		log.Warn("the broker takes no events; trying on", "error", cause)
	}
	o.down = true
}

func (o *outage) over(log *slog.Logger) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		log.Info("the broker takes events again")
	}
	o.down = false
}

// pending are the events that the broker has not acknowledged.
type pending struct {
	mu    sync.Mutex
	since map[Position]time.Time // guarded by mu
	count int64                  // of those acknowledged; guarded by mu
}

func (p *pending) add(at Position, recorded time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since == nil {
		p.since = map[Position]time.Time{}
	}
	p.since[at] = recorded
}

func (p *pending) done(at Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.since, at)
	p.count++
}

func (p *pending) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.since)
}

func (p *pending) oldest() (oldest time.Time, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, since := range p.since {
		if !waiting || since.Before(oldest) {
			oldest, waiting = since, true
		}
	}
	return oldest, waiting
}

func (p *pending) finished() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}
