package postgres

import "sync"

// A tail knows up to where the ledger has grown, as far as this node has
// heard, and wakes those who wait for more.
type tail struct {
	mu    sync.Mutex // guards all below
	end   uint64
	moved chan struct{}
}

func newTail() *tail { return &tail{moved: make(chan struct{})} }

// look returns the last position known, and a channel that is closed as soon
// as there is another, or something to find out.
func (t *tail) look() (uint64, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end, t.moved
}

// advance says that everything up to end is committed. Word of that may
// arrive late, and from several sides.
func (t *tail) advance(end uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if end > t.end {
		t.end = end
		t.wake()
	}
}

// stir wakes those who wait, who shall see for themselves.
func (t *tail) stir() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake()
}

// wake is called with mu held.
func (t *tail) wake() {
	close(t.moved)
	t.moved = make(chan struct{})
}
