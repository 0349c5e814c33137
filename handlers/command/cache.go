package command

import (
	"container/list"
	"sync"

	"github.com/flowledger/flowledger/eventstore"
)

// A Cache keeps the states that were folded lately, so that a load reads only
// what was appended since. It is never trusted to be new: every load asks the
// store for later events. States are values that nobody writes in place, so
// they can be shared.
type Cache[S any] struct {
	max int

	mu    sync.Mutex // guards all below
	order *list.List // of *folded[S], the last used first
	byKey map[eventstore.StreamID]*list.Element
}

// folded is a state as of a revision.
type folded[S any] struct {
	stream   eventstore.StreamID
	state    S
	revision eventstore.Revision
}

// NewCache makes a cache of at most max states.
func NewCache[S any](max int) *Cache[S] {
	return &Cache[S]{max: max, order: list.New(), byKey: map[eventstore.StreamID]*list.Element{}}
}

// get returns what is known of a stream; nothing is known of the zero Cache.
func (c *Cache[S]) get(stream eventstore.StreamID) (s S, revision eventstore.Revision) {
	if c == nil {
		return s, -1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[stream]
	if !ok {
		return s, -1
	}
	c.order.MoveToFront(e)
	f := e.Value.(*folded[S])
	return f.state, f.revision
}

// Drop forgets a state: what it says of somebody must not be kept.
func (c *Cache[S]) Drop(stream eventstore.StreamID) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[stream]; ok {
		c.order.Remove(e)
		delete(c.byKey, stream)
	}
}

// Clear forgets all states.
func (c *Cache[S]) Clear() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order.Init()
	clear(c.byKey)
}

// put remembers a state, unless a newer one is known.
func (c *Cache[S]) put(stream eventstore.StreamID, s S, revision eventstore.Revision) {
	if c == nil || revision < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[stream]; ok {
		if f := e.Value.(*folded[S]); f.revision < revision {
			f.state, f.revision = s, revision
		}
		c.order.MoveToFront(e)
		return
	}
	c.byKey[stream] = c.order.PushFront(&folded[S]{stream, s, revision})
	if c.order.Len() > c.max {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byKey, last.Value.(*folded[S]).stream)
	}
}
