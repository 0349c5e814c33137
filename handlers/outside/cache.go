package outside

import (
	"sync"
	"time"
)

// A cache keeps a bounded number of answers for a while. Among them are those
// that say that there is nothing.
type cache[V any] struct {
	size int
	keep time.Duration
	now  func() time.Time

	mu      sync.Mutex // guards entries
	entries map[string]cached[V]
}

type cached[V any] struct {
	value V
	until time.Time
}

func newCache[V any](size int, keep time.Duration, now func() time.Time) *cache[V] {
	return &cache[V]{size: size, keep: keep, now: now, entries: make(map[string]cached[V], size)}
}

func (c *cache[V]) get(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok || !c.now().Before(e.until) {
		delete(c.entries, key)
		return *new(V), false
	}
	return e.value, true
}

// put keeps a value. What ends first makes room for it.
func (c *cache[V]) put(key string, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; !ok && len(c.entries) >= c.size {
		delete(c.entries, c.first())
	}
	c.entries[key] = cached[V]{value, c.now().Add(c.keep)}
}

func (c *cache[V]) first() (key string) {
	var until time.Time
	for k, e := range c.entries {
		if until.IsZero() || e.until.Before(until) {
			key, until = k, e.until
		}
	}
	return key
}
