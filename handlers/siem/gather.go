package siem

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Streams is what a gatherer reads of the ledger.
type Streams interface {
	ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error]
}

// People finds users by id; nobody if there is none.
type People interface {
	Person(ctx context.Context, id string) (user.Person, error)
}

// A Gatherer finds what belongs to an event. Its methods may be called
// concurrently. It remembers a bounded number of executions, networks and
// people; of the latter two only for a minute, and not beyond [Gatherer.Evict].
type Gatherer struct {
	Store  Streams
	Codec  *codec.Codec
	People People           // nil: ids only
	Now    func() time.Time // nil: the system's clock

	// Personal has names and addresses opened. Without it no key is asked for.
	Personal bool

	evictions atomic.Int64 // how often names and networks were dropped

	mu sync.Mutex
	// mu guards what is remembered.
	executions memory[string, *course]
	holdings   memory[eventstore.StreamID, *holding]
	networks   memory[string, session.Network]
	people     memory[string, Person]
}

// Record gathers what formats show of an event. What is forgotten is left out,
// and is no error.
func (g *Gatherer) Record(ctx context.Context, e eventstore.Recorded) (Record, error) {
	d, err := g.Codec.DecodeClear(e)
	if err != nil {
		return Record{}, err
	}
	r := Record{Decoded: d}
	if err := g.place(ctx, &r); err != nil {
		return Record{}, fmt.Errorf("gather %s: %w", e.ID, err)
	}
	if err := g.owner(ctx, &r); err != nil {
		return Record{}, fmt.Errorf("gather %s: %w", e.ID, err)
	}
	if err := g.name(ctx, &r); err != nil {
		return Record{}, fmt.Errorf("gather %s: %w", e.ID, err)
	}
	return r, nil
}
