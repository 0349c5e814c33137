package sqlite

import "sync"

// A tail knows where the ledger ends, and wakes those who wait for more.
type tail struct {
	mu    sync.Mutex // guards all below
	end   int64      // last committed position
	moved chan struct{}
}

func newTail() *tail { return &tail{moved: make(chan struct{})} }

// look returns the last committed position, and a channel that is closed as
// soon as there is another.
func (t *tail) look() (int64, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end, t.moved
}

// advance says that everything up to end is committed.
func (t *tail) advance(end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if end == t.end {
		return
	}
	t.end = end
	close(t.moved)
	t.moved = make(chan struct{})
}
