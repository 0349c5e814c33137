package siem

import "time"

// A memory is a bounded number of values that can be found again. It has two
// generations: when the young one is full or old, it becomes the old one, and
// the old one is gone. What is put again is young again.
type memory[K comparable, V any] struct {
	young, old map[K]V
	since      time.Time // when the young generation began
}

// get finds a value.
func (m *memory[K, V]) get(key K) (V, bool) {
	if v, ok := m.young[key]; ok {
		return v, true
	}
	v, ok := m.old[key]
	return v, ok
}

// put keeps a value.
func (m *memory[K, V]) put(key K, v V, limit int) {
	if m.young == nil || len(m.young) >= limit {
		m.old, m.young = m.young, make(map[K]V, min(limit, 64))
	}
	m.young[key] = v
}

// age forgets what is older than twice a time.
func (m *memory[K, V]) age(now time.Time, limit time.Duration) {
	if past := now.Sub(m.since); past >= limit || past < 0 {
		m.old, m.young, m.since = m.young, nil, now
		if past >= 2*limit || past < 0 {
			m.old = nil
		}
	}
}
