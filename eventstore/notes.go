package eventstore

import (
	"context"
	"errors"
)

// Notes are small values that lie beside the ledger, in the same engine, where
// every node sees them: checkpoints of workers, and who holds which lease.
// They are no events, for they would feed those who write them (spec/events.md
// 1, principle 7). The methods may be called concurrently.
type Notes interface {
	// Note returns a value and its version. There is none, and the version is
	// 0, until somebody has written one.
	Note(ctx context.Context, name string) (value []byte, version int64, err error)

	// SetNote writes a value over the one of that version, and returns the
	// next version, which is larger. It is durable once SetNote returns. If
	// the note has another version, SetNote fails with [ErrNoteMoved]. After
	// an [ErrUnavailable] the value may be there or not.
	SetNote(ctx context.Context, name string, value []byte, version int64) (next int64, err error)
}

// ErrNoteMoved says that somebody else has written a note in between.
var ErrNoteMoved = errors.New("somebody else has written the note")

// MaxNote is the largest value of a note, in bytes.
const MaxNote = 64 << 10
