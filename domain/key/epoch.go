package key

import (
	"github.com/flowledger/flowledger/domain"
)

// EpochID is what the stream of one class in one month is called by, such as
// "T.2025-10".
func EpochID(class domain.Sealed, epoch string) string { return string(rune(class)) + "." + epoch }

// EpochKeyDestroyed records that what was sealed in a month, in one class, can
// never be opened again: it had become older than the rule.
type EpochKeyDestroyed struct {
	Class  string `json:"class"`           // T or N
	Epoch  string `json:"epoch"`           // month, as 2025-10
	Events int64  `json:"events"`          // that had something sealed in it
	First  string `json:"first,omitempty"` // position of the first of them; empty for none
	Last   string `json:"last,omitempty"`  // position of the last of them
}

// EventType implements [domain.Event].
func (EpochKeyDestroyed) EventType() string { return "EpochKeyDestroyed" }

// Evolve implements [domain.Event].
func (EpochKeyDestroyed) Evolve(s State) State {
	s.Destroyed = true
	return s
}

// DestroyEpoch records that the key of a month is gone. The caller has
// destroyed it.
type DestroyEpoch struct{ EpochKeyDestroyed }

// Decide implements [domain.Command].
func (c DestroyEpoch) Decide(s State) ([]Event, error) {
	if s.Destroyed {
		return nil, nil
	}
	return []Event{c.EpochKeyDestroyed}, nil
}
