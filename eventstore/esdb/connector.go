package esdb

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/metadata"

	"github.com/flowledger/flowledger/eventstore"
)

// A connector keeps one client, and replaces it when it is of no more use.
// The client heals by itself only in part: when it finds no node it never
// answers again, and whoever waits then waits for ever; a subscription that
// breaks, and a reading that cannot begin, do not tell it to look for another
// node; and each new search leaves a connection behind.
type connector struct {
	config *esdb.Configuration
	limit  time.Duration // of one call

	mu      sync.Mutex // guards all below
	current *connection
	closed  bool
}

// A connection is one client. It is ready when it has found a node, or has
// not; until then nobody but the one who waits for that is let in, for those
// would wait for ever if it has not.
type connection struct {
	client *esdb.Client
	ready  chan struct{}
	err    error           // of the search, after ready
	ctx    context.Context // done when the connection is dropped
	drop   context.CancelFunc
	calls  int       // in progress; the connector's mutex guards it
	once   sync.Once // closes the client
}

// stuckLimit is how long calls that do not end keep a client from being
// closed.
const stuckLimit = 30 * time.Second

// enter returns a connection that has found a node, and counts one more call
// in it.
func (c *connector) enter(ctx context.Context) (*connection, error) {
	conn, err := c.choose()
	if err != nil {
		return nil, err
	}
	select {
	case <-conn.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if conn.err != nil {
		return nil, conn.err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.ctx.Err() != nil {
		return nil, errDropped
	}
	conn.calls++
	return conn, nil
}

func (c *connector) choose() (*connection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, eventstore.ErrClosed
	}
	if c.current != nil {
		return c.current, nil
	}
	client, err := esdb.NewClient(c.config)
	if err != nil {
		return nil, err
	}
	c.current = &connection{client: client, ready: make(chan struct{}), calls: 1}
	c.current.ctx, c.current.drop = context.WithCancel(context.Background())
	go c.search(c.current)
	return c.current, nil
}

// search finds a node. It is the first call of a connection.
func (c *connector) search(conn *connection) {
	_, conn.err = guarded(func() (*esdb.ServerVersion, error) { return conn.client.GetServerVersion() })
	close(conn.ready)
	if conn.err != nil {
		c.drop(conn)
	}
	c.leave(conn)
}

// leave counts one call less. The client is closed behind the last one: it
// does not bear to be closed while somebody calls.
func (c *connector) leave(conn *connection) {
	c.mu.Lock()
	conn.calls--
	last := conn.calls == 0 && conn.ctx.Err() != nil
	c.mu.Unlock()
	if last {
		conn.close()
	}
}

func (conn *connection) close() { conn.once.Do(func() { _ = conn.client.Close() }) }

// drop lets nobody in any more, and ends the subscriptions of a connection.
// Calls go on to their own limit. Those that the client has forgotten do not
// end; they panic when it is closed at last, which is caught.
func (c *connector) drop(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.ctx.Err() != nil {
		return
	}
	if c.current == conn {
		c.current = nil
	}
	conn.drop()
	if conn.calls == 0 {
		conn.close()
		return
	}
	time.AfterFunc(stuckLimit, conn.close)
}

func (c *connector) close() {
	c.mu.Lock()
	c.closed = true
	conn := c.current
	c.mu.Unlock()
	if conn != nil {
		c.drop(conn)
	}
}

// call lets f use a connection, once, for the limit of a call at most. F runs
// in a goroutine of its own that is left alone when the time is over or the
// caller is gone: the client waits in places that know no context, and has a
// data race when it is interrupted. What f returns then is seen by nobody.
func call[T any](ctx context.Context, c *connector, f func(context.Context, *connection) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	var none T
	conn, err := c.enter(limited)
	if err != nil {
		return none, cause(ctx, err)
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer c.leave(conn)
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.limit)
		defer cancel()
		value, err := guarded(func() (T, error) { return f(c.demand(own), conn) })
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && broken(r.err) {
			c.drop(conn)
		}
		return r.value, cause(ctx, r.err)
	case <-limited.Done():
		if ctx.Err() == nil {
			c.drop(conn) // the node is silent, or the client is
		}
		return none, cause(ctx, limited.Err())
	}
}

// cause prefers the caller's reason to what became of the call.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// demand asks for the leader, if that is what the connection string prefers.
// The client puts the demand where a server would look for it, and never
// sends it.
func (c *connector) demand(ctx context.Context) context.Context {
	if c.config.NodePreference != esdb.NodePreferenceLeader {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
}

// guarded turns a panic of the client into an error: it panics when it is
// closed in the middle of a call, and at answers that it does not know.
func guarded[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	return f()
}
