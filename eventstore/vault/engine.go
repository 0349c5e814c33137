package vault

import (
	"context"
	"iter"
	"time"
)

// An Engine keeps the rows of a vault, durably, and knows nothing of what is
// in them: secrets come wrapped and cookies as digests. Nodes that share a
// ledger share its engine. Its methods may be called concurrently, and fail
// with [ErrClosed] after Close. What cannot be reached is an error that wraps
// eventstore.ErrUnavailable; a change that fails with it may have happened or
// not, and repeating it is safe. [OpenFile] opens one of a single machine.
type Engine interface {
	Secrets
	Cookies
	Moves

	// Close releases the engine. Closing again does nothing.
	Close() error
}

// Secrets are the rows of wrapped secrets.
type Secrets interface {
	// FindSecret returns the row of that id. If there is none, it has neither
	// Wrapped nor Since.
	FindSecret(ctx context.Context, id string) (Secret, error)

	// AddSecrets returns the rows of the ids offered, in their order: the one
	// that is there, or else the one offered, which is durable by then.
	// Whoever offers the same id at the same time, on any node, gets the same
	// row. What was destroyed stays destroyed, and hinders no other.
	AddSecrets(ctx context.Context, offered ...Secret) ([]Secret, error)

	// DestroySecrets takes what is wrapped in these rows away, for ever. It
	// also does so for ids that have no row. The first time counts.
	DestroySecrets(ctx context.Context, since time.Time, ids ...string) error
}

// Cookies are the rows of session cookies.
type Cookies interface {
	// FindCookie returns the row of that digest, if there is one. It may be
	// over its time.
	FindCookie(ctx context.Context, digest []byte) (Cookie, bool, error)

	// AddCookie adds a row, and limits the life of the row of the digest old to
	// graceUntil: both, or neither, or else at least the new one. There need
	// not be an old row, and old may be nil.
	AddCookie(ctx context.Context, c Cookie, old []byte, graceUntil time.Time) error

	// DropCookies removes the rows of a session that are of a generation
	// below that one. Nobody adds any such row afterwards: engines differ in
	// what becomes of it.
	DropCookies(ctx context.Context, session string, below int) error
}

// Moves carry all rows of a vault from one engine to another. What they hold
// stays wrapped by the same master key.
type Moves interface {
	// Rows yields all rows, as they are when their turn comes. After an error
	// nothing follows.
	Rows(ctx context.Context) iter.Seq2[Row, error]

	// PutRows adds rows of another engine. Those that are there already it
	// passes over, and what is destroyed at either end is destroyed then. A
	// secret other than the one here fails with a [*ConflictError], and then
	// nothing of the call is added.
	PutRows(ctx context.Context, rows ...Row) error
}

// A Secret is a row: what is wrapped, or since when it is destroyed.
type Secret struct {
	ID      string
	Wrapped []byte
	Since   time.Time
}

// A Cookie is what the vault knows of a session cookie. The value that the
// browser has is nowhere stored.
type Cookie struct {
	Digest     []byte
	Session    string
	Generation int
	Expires    time.Time
}

// A Row is one of both: a cookie if that has a digest, else a secret.
type Row struct {
	Secret Secret
	Cookie Cookie
}

// A ConflictError says that an engine has another secret of that id than the
// one that was to be put there: it belongs to another vault.
type ConflictError struct {
	ID string
}

// Error implements error.
func (e *ConflictError) Error() string {
	return "there is another secret " + e.ID + ": the keys belong to another ledger"
}
