package pgkeys

import (
	"context"
	"net"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

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
	d.mu.Lock()
	defer d.mu.Unlock()
	t := &tracked{conn, d}
	if d.conns == nil {
		d.conns = map[*tracked]bool{}
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
