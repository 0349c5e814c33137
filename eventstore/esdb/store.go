// Package esdb is the store for those who run EventStoreDB or KurrentDB: the
// ledger's streams are streams there, and the place in the whole ledger is the
// commit position in $all. The engine is the ledger's own: an event of others
// in it, in a stream that does not begin with $ or _, is an error. Three
// promises are weaker than the embedded store's: event IDs are compared within
// a stream, not across; RecordedAt is the time of the node that leads, and
// descends when the clock of a new leader is behind; and one append holds no
// more than [MaxAppend], for the server refuses more.
package esdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// A Store is an [eventstore.Store] in EventStoreDB.
type Store struct {
	connector *connector
	waits     waits
	known     *known
	ends      ends
	reached   atomic.Uint64

	ctx  context.Context // done when Close begins
	stop context.CancelFunc
}

var (
	_ eventstore.Store    = (*Store)(nil)
	_ eventstore.Notes    = (*Store)(nil)
	_ eventstore.Restorer = (*Store)(nil)
)

// How long an engine out of reach is waited for. A call that takes longer is
// given up, and made again on a new connection.
const (
	callLimit = 3 * time.Second
	patience  = 5 * time.Second
	watch     = 10 * time.Second
)

// Open opens the ledger in the EventStoreDB of a connection string, esdb: or
// esdb+discover:, with credentials and certificates in it. It fails with
// [eventstore.ErrUnavailable] if nobody answers. Unless the string has another
// nodePreference, appends and readings go to the leader, so that what one
// program has appended is there for the next.
func Open(ctx context.Context, url string) (*Store, error) {
	return openWith(ctx, url, waits{call: callLimit, patience: patience, watch: watch})
}

// waits are the times that a store gives the engine.
type waits struct {
	call     time.Duration // for one call
	patience time.Duration // when it is out of reach
	watch    time.Duration // between two looks at a subscription that rests
}

func openWith(ctx context.Context, url string, w waits) (*Store, error) {
	config, err := configure(url)
	if err != nil {
		return nil, err
	}
	s := newStore(config, w)
	// Whoever may not read $all learns it here, and not from a projection.
	if _, err := s.lastOfAll(ctx); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open ledger in EventStoreDB: %w", err)
	}
	return s, nil
}

func newStore(config *esdb.Configuration, w waits) *Store {
	s := &Store{connector: &connector{config: config, limit: w.call}, waits: w, known: newKnown()}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// configure reads a connection string. The error never quotes what may be a
// password, for which all before the last @ is taken.
func configure(url string) (*esdb.Configuration, error) {
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		scheme, _, _ := strings.Cut(url, "://")
		rest := url[strings.LastIndex(url, "@")+1:]
		if len(rest) < len(url) {
			rest = scheme + "://" + rest
		}
		if _, clean := esdb.ParseConnectionString(rest); clean != nil {
			return nil, fmt.Errorf("connection string of EventStoreDB: %w", clean)
		}
		return nil, errors.New("connection string of EventStoreDB: the user name or the password is not percent-encoded")
	}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("connection string of EventStoreDB: %w", err)
	}
	// The store tries again by itself, on a new client: one that has failed to
	// find a node never answers again.
	config.MaxDiscoverAttempts = 1
	config.GossipTimeout = min(max(config.GossipTimeout, 1), 2) // seconds
	config.Logger = nil                                         // stores do not log
	return config, nil
}

// Reached returns a position at or after every append that this store has
// acknowledged.
func (s *Store) Reached() eventstore.Position {
	return eventstore.PositionOf(s.reached.Load())
}

func (s *Store) reach(position uint64) {
	for {
		before := s.reached.Load()
		if position <= before || s.reached.CompareAndSwap(before, position) {
			return
		}
	}
}

// ready returns an error if the store is closed or ctx is done.
func (s *Store) ready(ctx context.Context) error {
	if s.ctx.Err() != nil {
		return eventstore.ErrClosed
	}
	return ctx.Err()
}

// within returns a context that also ends with the store.
func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(s.ctx, cancel)
	return ctx, func() {
		unhook()
		cancel()
	}
}

// Close implements [eventstore.Store]. An append in progress ends with
// [eventstore.ErrClosed] and may be in the ledger or not.
func (s *Store) Close() error {
	s.stop()
	s.connector.close()
	return nil
}
