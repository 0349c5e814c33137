// Package codec turns events into stored events and back: it names them,
// seals what is secret or personal, and reads old shapes as new ones. What it
// lets into the clear payload stays readable for ever, so nothing goes there
// that a struct tag says to seal.
package codec

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// An Event is a struct that was given to [Register]. The aggregates' events
// all are. It may have further methods that [Codec.Encode] asks: EventID for
// an id that other events refer to already, SealSubject for whose personal
// data it holds, Credential for the id of the credential in it, and
// SealTransient for whose key its transient secrets have if not the
// execution's; they all return a string.
type Event interface {
	EventType() string
}

// A Vault keeps the secrets that data keys are made of. Their ids are
// class/owner, such as T/user:<uuid> and T/2026-11.
type Vault interface {
	// Make returns the secrets with these ids. Those that are missing it
	// makes, and they are durable when it returns.
	Make(ctx context.Context, ids ...string) ([][]byte, error)

	// Key returns one secret, or since when it is destroyed.
	Key(ctx context.Context, id string) (secret []byte, since time.Time, err error)
}

// A Codec encodes and decodes. It has no state of its own, and its methods may
// be called concurrently.
type Codec struct {
	Vault  Vault
	Tenant string // id; part of every data key
	Writer Writer // goes into every header

	// Leak is told of each value that stood in a clear payload under a key of
	// a secret, and was masked there. Tests fail on it. It may be nil.
	Leak func(event, key string)
}

// A Meta is what an append says about all of its events.
type Meta struct {
	Header // Tenant, Writer and Net are filled in by the codec

	// Network is the client's address and the like, sealed once, with the
	// first event. It is anything that has a JSON form, or nil.
	Network any

	// Subject is whose key seals personal data: user:<uuid>, else
	// execution:<uuid>, else object:<uuid>; tenant for text about nobody. An
	// event's own subject stands before it, except for the network.
	Subject string

	// Client is whose key seals the network, where that is not Subject: the
	// address of who writes about somebody else is not that other's.
	Client string

	Time    time.Time // its month is the epoch of the data keys
	Command uuid.UUID // if set, the events' ids follow from it, so that a retry is a replay
}

// A Decoded is a recorded event as its reader sees it.
type Decoded struct {
	eventstore.Recorded
	Event     Event // the struct itself, no pointer
	Header    Header
	Network   json.RawMessage // nil when it is with another event of the append, or forgotten
	Forgotten []Forgotten
}

// A Forgotten says that the fields of one class are zero because their key is
// destroyed, and since when.
type Forgotten struct {
	Class domain.Sealed
	Since time.Time
}

// An UnknownTypeError says that no such event, or none of so high a schema,
// was given to [Register]: a newer program has written it.
type UnknownTypeError struct {
	Type   string
	Schema int
}

// Error implements error.
func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("event type %s, schema %d, is unknown", e.Type, e.Schema)
}
