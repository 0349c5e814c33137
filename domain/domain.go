// Package domain holds the words that aggregates are written in: events that
// evolve a state, commands that decide on one, errors that a client may read,
// and secrets that cannot be printed. It knows no aggregate, no clock and no
// store.
package domain

// An Event is something that happened to an aggregate with state S.
type Event[S any] interface {
	EventType() string // name in the ledger, such as "StageCompleted"; it never changes
	Evolve(S) S        // folds the event into s; it cannot fail, for it has already happened
}

// A Command asks an aggregate with state S to change.
type Command[S any] interface {
	Decide(S) ([]Event[S], error) // no events and no error: nothing to do
}

// Fold replays events over s.
func Fold[S any](s S, events ...Event[S]) S {
	for _, e := range events {
		s = e.Evolve(s)
	}
	return s
}

// A Ref names a configured thing as it was at a moment: its identifier, its
// model name, the revision of its stream, and its name. The name is an
// administrator's text and not personal (spec/events.md 2.3).
type Ref struct {
	ID       string `json:"id"`
	Kind     string `json:"kind,omitempty"`
	Revision int64  `json:"revision"`
	Name     string `json:"name,omitempty"`
}
