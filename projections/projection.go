package projections

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A Projection is one read model. Its tables are named after it: name, or
// name_something. It is called by one goroutine.
type Projection interface {
	// Name is the name of the read model, which never changes.
	Name() string

	// Schema makes the tables, and begins with the version of their contents
	// as a comment. If the text is another than that they were made with, they
	// are dropped and built again from the ledger.
	Schema() string

	// Needs tells how much of an event it wants to see, by the event's stream
	// and type. What nobody wants is not decoded.
	Needs(e eventstore.Recorded) Need

	// Apply folds one event into the tables. It ignores types that it does not
	// read. An error stops the projection in front of this event.
	Apply(ctx context.Context, conn *sqlite.Conn, e codec.Decoded) error

	// Refresh is called when rows were committed, and once before anybody
	// asks. It is for those who keep a copy in memory.
	Refresh(conn *sqlite.Conn) error
}

// A gathering projection keeps in memory what the events of a batch change,
// and writes it once.
type gathering interface {
	// Begin is called in front of the events of a batch. What is not flushed
	// by then comes again: the batch before was taken back.
	Begin()

	// Flush writes, within the batch's transaction. An error stops the
	// projection in front of the batch.
	Flush(conn *sqlite.Conn) error
}

// A Need says how much of an event a projection wants to see.
type Need int

// The needs. What is sealed costs a key and some time to open.
const (
	Nothing Need = iota
	Clear
	Sealed
	Locatable // as Located, but only the clear part of an event that does not open
	Located   // what is sealed, and the network of the append, whichever of its events carries it
)

// uncached is for projections that keep nothing in memory.
type uncached struct{}

// Refresh implements [Projection].
func (uncached) Refresh(*sqlite.Conn) error { return nil }
