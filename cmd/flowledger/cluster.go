package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/lease"
	"github.com/flowledger/flowledger/handlers/worker"
)

// A cluster is what a node knows of the others that share its engine: nothing
// but what stands in notes there.
type cluster struct {
	sharedLedger
	leases lease.Keeper
}

// join makes this process a node of those that share an engine.
func (a *app) join(store sharedLedger) {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	a.cluster = &cluster{store, lease.Keeper{Notes: store, Node: name + "/" + uuid.NewString()[:8], Log: a.log}}
}

// alone does what one node does at a time: whoever has the lease of that name.
// Where there is one node, it is that.
func (a *app) alone(ctx context.Context, name string, work func(ctx context.Context) error) error {
	if a.cluster == nil {
		return work(ctx)
	}
	return a.cluster.leases.Run(ctx, name, work)
}

// turnLimit is how long a change waits for those of other nodes. One that died
// in a change is given up before.
const turnLimit = 10 * time.Second

// turn waits until no other node judges a change on what is read, and keeps it
// so until done is called. A crash before that has the others wait until this
// node's lease is given up.
func (a *app) turn(ctx context.Context) (done func(), err error) {
	if a.cluster == nil {
		return func() {}, nil
	}
	taken, give, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	// A client that leaves does not end a change that is under way.
	ctx = context.WithoutCancel(ctx)
	go func() {
		ended <- a.cluster.leases.Once(ctx, "changes", turnLimit, func(held context.Context) error {
			close(taken)
			select {
			case <-give:
			case <-held.Done():
			}
			return nil
		})
	}()
	select {
	case <-taken:
		return func() {
			close(give)
			<-ended
		}, nil
	case err := <-ended:
		return nil, err
	}
}

// A savedCheckpoint is how far a worker has come. Nodes that share a ledger keep it
// beside that, and whoever lost the lease since it was read cannot write it.
type savedCheckpoint struct {
	app  *app
	name string

	mu      sync.Mutex
	version int64  // guarded by mu
	tried   string // what was written last, with success or in doubt; guarded by mu
}

// checkpoint reads how far a worker has come.
func (a *app) checkpoint(ctx context.Context, name string) (*savedCheckpoint, worker.Position, error) {
	c := &savedCheckpoint{app: a, name: name}
	if a.cluster == nil {
		at, err := a.views.Checkpoint(name)
		return c, at, err
	}
	text, version, err := a.cluster.Note(ctx, checkpointNote(name))
	if err != nil || version == 0 {
		return c, worker.Position{}, err
	}
	c.version = version
	at, err := eventstore.ParsePosition(string(text))
	if err != nil {
		err = fmt.Errorf("checkpoint of worker %s: %w", name, err)
	}
	return c, at, err
}

// noteLimit is how long the writing of a checkpoint may take.
const noteLimit = 3 * time.Second

// save writes how far the worker has come. A crash before it has the next one
// do again what was done since.
func (c *savedCheckpoint) save(at worker.Position) error {
	if c.app.cluster == nil {
		return c.app.views.SaveCheckpoint(c.name, at)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), noteLimit)
	defer cancel()
	next, err := c.app.cluster.SetNote(ctx, checkpointNote(c.name), []byte(at.String()), c.version)
	if errors.Is(err, eventstore.ErrNoteMoved) {
		// It may be one's own, written when nobody heard of it.
		text, version, again := c.app.cluster.Note(ctx, checkpointNote(c.name))
		if again == nil && string(text) == c.tried {
			next, err = c.app.cluster.SetNote(ctx, checkpointNote(c.name), []byte(at.String()), version)
		}
	}
	c.tried = at.String()
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
	}
	if err == nil {
		c.version = next
	}
	return err
}
