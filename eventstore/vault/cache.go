package vault

import (
	"container/list"
	"sync"
	"time"
)

// How long something read from the engine is used without looking again:
// secrets (spec/events.md 6.4), and cookies, which another node may limit to a
// minute of grace.
const (
	secretAge = 5 * time.Minute
	cookieAge = time.Minute
)

// A cache keeps what was used last, up to size entries, for age.
type cache[V any] struct {
	now  func() time.Time
	size int
	age  time.Duration

	mu sync.Mutex
	// mu guards all that follows. recent has the entry used last in front.
	entries map[string]*list.Element
	recent  *list.List
	dropped uint64
}

type entry[V any] struct {
	key   string
	value V
	until time.Time
}

func newCache[V any](now func() time.Time, size int, age time.Duration) *cache[V] {
	return &cache[V]{now: now, size: size, age: age, entries: map[string]*list.Element{}, recent: list.New()}
}

func (c *cache[V]) get(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.entries[key]; ok {
		if e := found.Value.(*entry[V]); c.now().Before(e.until) {
			c.recent.MoveToFront(found)
			return e.value, true
		}
		c.remove(found)
	}
	var none V
	return none, false
}

// drops counts the calls of drop and dropIf. Whoever reads from the engine in
// order to [cache.put] asks before reading.
func (c *cache[V]) drops() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// put keeps value, unless something was dropped after drops was asked: value
// could be the very thing, read just before it was destroyed.
func (c *cache[V]) put(key string, value V, drops uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped != drops {
		return
	}
	if found, ok := c.entries[key]; ok {
		c.remove(found)
	}
	c.entries[key] = c.recent.PushFront(&entry[V]{key, value, c.now().Add(c.age)})
	if c.recent.Len() > c.size {
		c.remove(c.recent.Back())
	}
}

func (c *cache[V]) drop(keys ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped++
	for _, key := range keys {
		if found, ok := c.entries[key]; ok {
			c.remove(found)
		}
	}
}

func (c *cache[V]) dropIf(match func(V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped++
	for at := c.recent.Front(); at != nil; {
		next := at.Next()
		if match(at.Value.(*entry[V]).value) {
			c.remove(at)
		}
		at = next
	}
}

// remove needs mu.
func (c *cache[V]) remove(e *list.Element) {
	delete(c.entries, c.recent.Remove(e).(*entry[V]).key)
}
