// Package eventstore is the ledger as its users see it: streams of events,
// appended under a claim about their end, read back in order, followed live.
// It holds the vocabulary that every store speaks and no store itself.
package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Store is an append-only ledger. Its methods may be called concurrently.
type Store interface {
	// Append adds events to the end of stream, all or none, and returns the
	// revision of the last. They are durable once Append returns. If the claim
	// is false, Append fails with a [*WrongExpectedError]. Appending the same
	// event IDs again, with the same claim, succeeds and changes nothing.
	// Event IDs of which only some are known, or in another order, are refused
	// like a false claim. An append of no events only checks the claim.
	Append(ctx context.Context, stream StreamID, expected Expected, events ...NewEvent) (Revision, error)

	// ReadStream yields the events of stream from revision from on, oldest
	// first. A stream that does not exist yields nothing.
	ReadStream(ctx context.Context, stream StreamID, from Revision) iter.Seq2[Recorded, error]

	// ReadAll yields every event after position, in the order of appending,
	// and stops at the end. An event is never seen before one that precedes
	// it. A read that ctx cuts short yields its error, as ReadStream does.
	ReadAll(ctx context.Context, after Position) iter.Seq2[Recorded, error]

	// Subscribe is ReadAll that waits for more at the end, until ctx is done:
	// then it ends without an error.
	Subscribe(ctx context.Context, after Position) iter.Seq2[Recorded, error]

	// Close releases the store. Subscriptions end with [ErrClosed]. Closing
	// again does nothing.
	Close() error
}

// A StreamID names a stream, category-id. The category is the part before the
// first dash. It is at most [MaxStream] bytes long.
type StreamID string

// Stream makes the name of the stream of one aggregate.
func Stream(category, id string) StreamID { return StreamID(category + "-" + id) }

// Category returns the part before the first dash.
func (s StreamID) Category() string {
	category, _, _ := strings.Cut(string(s), "-")
	return category
}

// ID returns the part after the first dash.
func (s StreamID) ID() string {
	_, id, _ := strings.Cut(string(s), "-")
	return id
}

// A Revision is a place in a stream, from 0. The revision of a stream that
// does not exist is -1.
type Revision int64

// Expected is a writer's claim about the last revision of a stream.
type Expected int64

// The claims that name no revision.
const (
	NoStream Expected = -1 // the stream does not exist yet
	Any      Expected = -2 // no claim
)

// At claims that r is the revision of the last event. At(-1) is [NoStream].
func At(r Revision) Expected { return Expected(r) }

// A Position is a place in the whole ledger: opaque, and ordered by
// [Position.Compare]. The zero Position stands before the first event. Only
// stores look into it, with [PositionOf] and [Position.Value].
type Position struct {
	n uint64
}

// PositionOf makes a position from a store's own number.
func PositionOf(n uint64) Position { return Position{n} }

// Value returns the store's own number.
func (p Position) Value() uint64 { return p.n }

// Compare returns -1, 0 or +1 as p stands before, at or after q.
func (p Position) Compare(q Position) int {
	switch {
	case p.n < q.n:
		return -1
	case p.n > q.n:
		return 1
	default:
		return 0
	}
}

// String returns the position as text that [ParsePosition] reads.
func (p Position) String() string { return strconv.FormatUint(p.n, 10) }

// ParsePosition reads what [Position.String] wrote.
func ParsePosition(text string) (Position, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return Position{}, fmt.Errorf("parse position: %w", err)
	}
	return Position{n}, nil
}

// A NewEvent is an event on its way into the ledger. Header and Payload are
// JSON and are stored byte for byte; Sealed holds the sealed parts
// (spec/events.md 6.3); Salt is for the Merkle leaf (spec/events.md 7.1).
type NewEvent struct {
	ID      uuid.UUID
	Type    string
	Schema  int
	Header  []byte
	Payload []byte
	Sealed  []byte
	Salt    [16]byte
}

// A Recorded is an event in the ledger. RecordedAt is UTC with microseconds,
// and never smaller than that of the event before. Its byte slices belong to
// the reader.
type Recorded struct {
	NewEvent
	Stream     StreamID
	Revision   Revision
	Position   Position
	RecordedAt time.Time
}

// Limits of one event and of one append, in bytes and events. Append refuses
// more with a [*LimitError].
const (
	MaxStream  = 120
	MaxType    = 64
	MaxHeader  = 4 << 10
	MaxPayload = 64 << 10
	MaxSealed  = 256 << 10
	MaxEvents  = 1000
)

// A WrongExpectedError says that a claim was false: Actual is the stream's
// last revision, -1 when there is no stream. If the claim was true and an
// event ID was not new, Duplicate is that ID, where the store can tell.
type WrongExpectedError struct {
	Stream    StreamID
	Expected  Expected
	Actual    Revision
	Duplicate uuid.UUID
}

// Error implements error.
func (e *WrongExpectedError) Error() string {
	if e.Duplicate != uuid.Nil {
		return fmt.Sprintf("append to %s: event %s is in the ledger already", e.Stream, e.Duplicate)
	}
	return fmt.Sprintf("stream %s is at revision %d, not at %d", e.Stream, e.Actual, e.Expected)
}

// A LimitError says which part of an append was too large.
type LimitError struct {
	Stream StreamID
	What   string // "payload of StageCompleted"
	Size   int
	Limit  int
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("append to %s: %s is %d, the limit is %d", e.Stream, e.What, e.Size, e.Limit)
}

// ErrClosed is what a store's methods return after Close.
var ErrClosed = errors.New("the event store is closed")

// ErrUnavailable is wrapped around every failure to reach the engine in which
// a store keeps its events: no connection, no answer in time, no leader. It is
// never about what the caller asked for. An append that fails with it has an
// unknown outcome; appending the same event IDs again tells.
var ErrUnavailable error = unavailable{}

// unavailable can be told from other errors by those who know no store.
type unavailable struct{}

// Error implements error.
func (unavailable) Error() string { return "the event store is out of reach" }

// Unavailable tells that it passes by itself.
func (unavailable) Unavailable() bool { return true }
