package codec

import (
	"fmt"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// SealedIn tells whether something of an event is sealed with the key that a
// class has in an epoch. It needs no key, and whether that one exists does not
// matter.
func SealedIn(r eventstore.Recorded, class domain.Sealed, epoch string) (bool, error) {
	parts, err := parseParts(r.Sealed)
	if err != nil {
		return false, fmt.Errorf("look at %s %d of %s: %w", r.Type, r.Revision, r.Stream, err)
	}
	for _, p := range parts {
		if p.class == class && p.epoch == epoch {
			return true, nil
		}
	}
	return false, nil
}
