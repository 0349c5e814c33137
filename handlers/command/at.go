package command

import (
	"fmt"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// At is a command of somebody who saw the aggregate at one revision: at any
// other it is refused as outdated, also when the aggregate moves on only while
// the command is handled. No two such commands change the same revision.
type At[S any] struct {
	domain.Command[S]
	Revision eventstore.Revision
}

// seen returns the command to decide, and refuses one that was about another
// revision.
func seen[S any](c domain.Command[S], stream eventstore.StreamID, revision eventstore.Revision) (domain.Command[S], error) {
	at, given := c.(At[S])
	if !given {
		return c, nil
	}
	if at.Revision != revision {
		return nil, Outdated(revision, fmt.Errorf("%T on %s, seen at %d", at.Command, stream, at.Revision))
	}
	return at.Command, nil
}

// Outdated is the error of a change that was decided on another revision than
// the present one.
func Outdated(present eventstore.Revision, cause error) error {
	return &domain.Error{
		Code: domain.Outdated, Message: fmt.Sprintf("It was changed meanwhile: it is at revision %d by now.", present), Err: cause,
	}
}
