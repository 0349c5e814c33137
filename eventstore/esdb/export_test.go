package esdb

import "time"

// SetPatience shortens the waits of a store: for one call, with an engine that
// is out of reach, and with a subscription that rests.
func SetPatience(s *Store, call, patience, watch time.Duration) {
	s.connector.mu.Lock()
	defer s.connector.mu.Unlock()
	s.connector.limit, s.patience, s.watch = call, patience, watch
}

// SetMemory bounds the event IDs that a store remembers.
func SetMemory(s *Store, ids int) { s.known.limit = ids }

// Remembered counts the event IDs that a store remembers.
func Remembered(s *Store) (n int) {
	for _, element := range s.known.streams {
		n += len(element.Value.(*events).ids)
	}
	return n
}

// SizeOf is what an event counts towards [MaxAppend].
var SizeOf = sizeOf
