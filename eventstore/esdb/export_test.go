package esdb

import (
	"context"
	"time"
)

// OpenHurried opens a store that waits for less: for one call, for an engine
// that is out of reach, and with a subscription that rests.
func OpenHurried(ctx context.Context, url string, call, patience, watch time.Duration) (*Store, error) {
	return openWith(ctx, url, waits{call, patience, watch})
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
