package postgres

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// maxConns is how many connections a store reads with. Two more are for
// writing and for listening.
const maxConns = 8

// settings of all connections. The server ends a transaction whose node says
// nothing for idle_in_transaction_session_timeout, for it may hold the
// lock; a node that was only paused finds its connection ended, and has to
// look what became of its events. The server's own probes end a connection
// whose node is gone in the midst of a message.
var settings = map[string]string{
	"application_name":                    "flowledger",
	"default_transaction_isolation":       "read committed",
	"synchronous_commit":                  "on",
	"statement_timeout":                   "3000",
	"idle_in_transaction_session_timeout": "2000",
	"tcp_keepalives_idle":                 "2",
	"tcp_keepalives_interval":             "1",
	"tcp_keepalives_count":                "3",
	"tcp_user_timeout":                    "5000",
	// All is read by keys, in their order. Reading a whole table for that can
	// look cheaper while the server has not counted its rows.
	"jit": "off", "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_bitmapscan": "off",
}

// configure reads the address of the database.
func (s *Store) configure(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errAddress
	}
	config.MaxConns = maxConns
	config.PingTimeout = connectTimeout
	c := config.ConnConfig
	c.ConnectTimeout = connectTimeout
	leads := c.ValidateConnect
	if leads == nil { // of several servers, the one that leads
		leads = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	c.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if encoding := conn.ParameterStatus("server_encoding"); encoding != "UTF8" {
			return &encodingError{encoding}
		}
		return leads(ctx, conn)
	}
	for name, value := range settings {
		c.RuntimeParams[name] = value
	}
	s.dialed.dial = c.DialFunc
	c.DialFunc = s.dialed.Dial
	return config, nil
}

// An encodingError is a database that cannot hold every text.
type encodingError struct{ encoding string }

// Error implements error.
func (e *encodingError) Error() string {
	return fmt.Sprintf("the encoding of the database is %s, it has to be UTF8", e.encoding)
}

// dial opens a connection of its own, to the first of the servers that leads.
func dial(ctx context.Context, limit time.Duration, config *pgx.ConnConfig) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return pgx.ConnectConfig(ctx, config.Copy())
}

// leave closes a connection, and does not wait long for a silent server.
func leave(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // the server notices by itself
}

// dialed are the open connections to the server, below all protocol.
type dialed struct {
	dial pgconn.DialFunc

	mu    sync.Mutex
	conns map[*tracked]bool // guarded by mu
}

// A tracked connection is forgotten when it is closed.
type tracked struct {
	net.Conn
	by *dialed
}

// Dial is a [pgconn.DialFunc].
func (d *dialed) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	t := &tracked{conn, d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns == nil {
		d.conns = make(map[*tracked]bool)
	}
	d.conns[t] = true
	return t, nil
}

// Close implements [net.Conn].
func (t *tracked) Close() error {
	t.by.mu.Lock()
	delete(t.by.conns, t)
	t.by.mu.Unlock()
	return t.Conn.Close()
}

// cut ends all connections, whatever their state.
func (d *dialed) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for t := range d.conns {
		_ = t.Conn.Close() // whoever uses it hears of it
	}
}
