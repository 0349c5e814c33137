// Package key is the aggregate of what happened to the data keys of one
// subject. It holds no key: those lie in the vault, and what it records is
// that they are gone.
package key

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// State is what became of the keys of a subject.
type State struct {
	Destroyed bool
}

// An Event is something that happened to keys.
type Event = domain.Event[State]

// Kinds of subjects.
const (
	User      = "user"
	Execution = "execution"
	Session   = "session"
)

// SubjectKeyDestroyed records that what was sealed for a subject can never be
// opened again. Of a user, the keys of the executions, sessions and
// credentials that were about that user went along.
type SubjectKeyDestroyed struct {
	Kind          string    `json:"subject_kind"`
	Classes       []string  `json:"classes"`
	Cause         string    `json:"cause"` // erasure_request
	By            string    `json:"by,omitempty"`
	BackupsGoneAt time.Time `json:"backups_gone_at"`      // by when no backup of the keys is left
	Bound         int       `json:"bound_executions"`     // executions and sessions whose keys went along
	Remaining     []string  `json:"remaining,omitempty"`  // subjects in use by then, whose keys go when they end
	IndexedTo     string    `json:"indexed_to,omitempty"` // position of the ledger, up to which subjects were looked for
}

// EventType implements [domain.Event].
func (SubjectKeyDestroyed) EventType() string { return "SubjectKeyDestroyed" }

// Evolve implements [domain.Event].
func (SubjectKeyDestroyed) Evolve(s State) State {
	s.Destroyed = true
	return s
}

// Destroy records that keys are gone. The caller has destroyed them: recorded
// before, a crash in between would leave keys that nobody looks for.
type Destroy struct{ SubjectKeyDestroyed }

// Decide implements [domain.Command].
func (c Destroy) Decide(s State) ([]Event, error) {
	if s.Destroyed {
		return nil, nil
	}
	return []Event{c.SubjectKeyDestroyed}, nil
}
