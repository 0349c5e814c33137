// Package esdbkeys keeps the rows of a vault in EventStoreDB, in streams beside
// the ledger, one for each secret and each cookie. It sees wrapped secrets and
// digests of cookies, and no key that would open them.
//
// When secrets are destroyed their streams show only that. EventStoreDB removes
// no event before a scavenge, though: until then whoever may read $all, or the
// server's disk, finds what was wrapped, and in backups for as long as these
// are kept, which must not be longer than 30 days (spec/events.md 6.4). So the
// operator must scavenge regularly, every night as a rule. All of that opens
// only with the master key, which is not in EventStoreDB.
package esdbkeys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/vault"
)

// Streams beside the ledger are called by their kind, and by a secret's id,
// the digest of a cookie in hex, or the id of a session.
const (
	beside        = "_"
	secretStream  = "secret-"
	cookieStream  = "cookie-"
	sessionStream = "session-"
)

// Types of the events in them.
const (
	secretMade      = "SecretMade"      // data is the wrapped secret
	secretDestroyed = "SecretDestroyed" // since when, nothing follows it
	cookieAdded     = "CookieAdded"     // the row
	cookieLimited   = "CookieLimited"   // the row with another end
	cookiesDropped  = "CookiesDropped"  // of a session, below a generation
)

// atOnce is how many calls one method makes at a time.
const atOnce = 16

// An Engine is a [vault.Engine] that nodes share.
type Engine struct {
	store  *esdb.Store
	now    func() time.Time
	within string // what the names of all streams begin with
}

var _ vault.Engine = (*Engine)(nil)

// Open connects to the EventStoreDB of a connection string, as the ledger does
// (see [esdb.Open]).
func Open(ctx context.Context, url string, now func() time.Time) (*Engine, error) {
	store, err := esdb.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	return &Engine{store: store, now: now, within: beside}, nil
}

// name is what a stream of the engine's is called.
func (e *Engine) name(kind, of string) string { return e.within + kind + of }

// of returns what the stream of that kind is about.
func (e *Engine) of(kind, stream string) string { return strings.TrimPrefix(stream, e.within+kind) }

// Close implements [vault.Engine].
func (e *Engine) Close() error { return e.store.Close() }

// each calls f for each of n things, some at a time, until one fails.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { return f(within, i) })
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return closedOr(err)
}

// closedOr puts the vault's word in place of the store's.
func closedOr(err error) error {
	if errors.Is(err, eventstore.ErrClosed) {
		return vault.ErrClosed
	}
	return err
}
