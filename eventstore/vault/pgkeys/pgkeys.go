// Package pgkeys keeps the rows of a vault in PostgreSQL, in a schema of its
// own beside the ledger's. It sees wrapped secrets and digests of cookies, and
// no key that would open them.
//
// When secrets are destroyed they are gone from the table, and no query by
// anybody returns them. PostgreSQL overwrites nothing in place, though: what
// was wrapped stays, as bytes that no query reaches, in the table's file until
// the space is used again, which [Engine] makes possible within a minute by
// VACUUM; in the write-ahead log, until its segments are used again; and in
// what the operator makes of these: archives, standbys and backups, which must
// not live longer than 30 days (spec/events.md 6.4). All of that opens only
// with the master key, which is not in the database. VACUUM FULL of
// flowledger_keys.secrets gives the table a new file at once.
package pgkeys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flowledger/flowledger/eventstore/vault"
)

// Limits of connections, and of the time that the server may take for one
// statement.
const (
	maxConns         = 4
	connectTimeout   = 2 * time.Second
	statementTimeout = "3000" // ms
)

// An Engine is a [vault.Engine] that nodes share.
type Engine struct {
	pool    *pgxpool.Pool
	now     func() time.Time
	dialed  dialed
	changes chan *change
	stale   atomic.Bool // destroyed rows may still be in the table's file

	quit    chan struct{}
	running sync.WaitGroup // whoever writes and whoever tidies
	close   sync.Once
}

// Open connects to the database at url and makes the tables there, or brings
// them to the shape that this program knows.
func Open(ctx context.Context, url string, now func() time.Time) (*Engine, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error would quote the address, and with it perhaps a password.
		return nil, errors.New("open keys: the address of PostgreSQL cannot be read")
	}
	config.MaxConns = maxConns
	config.PingTimeout = connectTimeout
	config.ConnConfig.ConnectTimeout = connectTimeout
	if config.ConnConfig.ValidateConnect == nil { // of several servers, the one that leads
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	for name, value := range map[string]string{
		"application_name":              "flowledger keys",
		"default_transaction_isolation": "read committed",
		"synchronous_commit":            "on",
		"statement_timeout":             statementTimeout,
		// All is looked up by keys, many at once. Reading the whole table for
		// them can look cheaper while the server has not counted its rows.
		"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
	} {
		config.ConnConfig.RuntimeParams[name] = value
	}
	e := &Engine{now: now, changes: make(chan *change), quit: make(chan struct{})}
	e.dialed.dial = config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = e.dialed.Dial
	if e.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	if err := e.try(ctx, e.migrate); err != nil {
		e.pool.Close()
		return nil, fmt.Errorf("open keys: %w", err)
	}
	e.running.Go(e.writeAlways)
	e.running.Go(e.tidyAlways)
	return e, nil
}

// Close implements [vault.Engine].
func (e *Engine) Close() error {
	e.close.Do(func() {
		close(e.quit)
		e.running.Wait()
		// The pool takes leave of the server, and would wait for one that is
		// silent for much longer.
		leave := time.AfterFunc(time.Second, e.dialed.cut)
		defer leave.Stop()
		e.pool.Close()
	})
	return nil
}

var _ vault.Engine = (*Engine)(nil)
