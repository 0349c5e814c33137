// Package lease has one node at a time do a work that is done once in the
// cluster. Who holds a lease stands in a note beside the ledger.
//
// No clock is compared with another's. The holder writes the note every two
// seconds, and ends its work when it could not for four, counted from before
// the last write that succeeded. A contender takes over when it has not seen
// the note move for six, counted from after it saw it. So between the end of
// one work and the beginning of the next lie two seconds, in which work has to
// notice that its context is done. A process that the system stops for longer
// than that, and then lets go on, may act until its timers run: what is done
// under a lease has to bear being done twice, and its checkpoints are written
// over the version that was read.
package lease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
)

// The times of a lease. A takeover from a node that died comes after patience,
// and at most two looks.
const (
	beatEvery = 2 * time.Second // the holder says that it lives
	beatAgain = time.Second / 2 // after it could not
	endAfter  = 4 * time.Second // without having said so, it holds nothing any more
	patience  = 6 * time.Second // with a holder that is silent
	lookEvery = time.Second     // of a contender
	callLimit = 3 * time.Second // for one reading or writing of a note

	onceEvery = 20 * time.Millisecond // looks of a contender for a short work
)

// errLost is why the context of a work ended: another node may do it by now.
var errLost = errors.New("the lease could not be kept")

// A Keeper keeps the leases of one node.
type Keeper struct {
	Notes eventstore.Notes
	Node  string // what the logs of other nodes call this one
	Log   *slog.Logger

	mu   sync.Mutex
	held map[string]bool // by name, of all leases that were asked for; guarded by mu
}

// Held tells of each lease that this node asked for whether it holds it.
func (k *Keeper) Held() map[string]bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.held)
}

func (k *Keeper) hold(name string, held bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil {
		k.held = map[string]bool{}
	}
	k.held[name] = held
}

// Run waits for the lease of that name, does work while this node holds it,
// and gives it back. If the lease is lost on the way, or the engine is out of
// reach for the work, the context of work ends, and Run begins again when work
// has returned. It returns what work returned while it held the lease, or nil
// when ctx is done.
func (k *Keeper) Run(ctx context.Context, name string, work func(ctx context.Context) error) error {
	c := &contender{Keeper: k, name: name, id: uuid.NewString(), look: lookEvery}
	k.hold(name, false)
	for {
		if err := c.acquire(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		err, lost := c.do(ctx, work)
		switch {
		case ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
			return nil
		case !lost && !passing(err):
			return err
		}
		k.Log.Warn("lease lost", "lease", name, "error", err)
		pause(ctx, lookEvery)
	}
}

// Once waits at most so long for the lease of that name, does a short work, and
// gives the lease back. The work is not done again. If nobody's turn comes in
// time, the error wraps [eventstore.ErrUnavailable].
func (k *Keeper) Once(ctx context.Context, name string, limit time.Duration, work func(ctx context.Context) error) error {
	c := &contender{Keeper: k, name: name, id: uuid.NewString(), look: onceEvery}
	waiting, cancel := context.WithTimeout(ctx, limit)
	err := c.acquire(waiting)
	ended := waiting.Err() != nil && c.version == 0
	cancel()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if ended {
		return fmt.Errorf("wait for the lease %s: %w", name, eventstore.ErrUnavailable)
	}
	err, lost := c.do(ctx, work)
	if lost && errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, errLost)
	}
	return err
}

// passing tells errors that say nothing of the work: the engine is away, or a
// successor has written the work's checkpoint.
func passing(err error) bool {
	return errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstore.ErrNoteMoved)
}

// A contender is one call of Run.
type contender struct {
	*Keeper
	name string
	id   string // nobody else's, also not that of the same node after a restart
	look time.Duration

	version int64     // of the note that was read or written last
	since   time.Time // what is held is held from here on: before the last writing
	away    bool      // the engine did not answer the last time
}

// A holding is the text of the note.
type holding struct {
	Holder string `json:"holder,omitempty"` // empty when it was given back
	Node   string `json:"node,omitempty"`
}

// acquire returns when the lease is this contender's, or ctx is done.
func (c *contender) acquire(ctx context.Context) error {
	seen, at := int64(-1), time.Time{}
	for ctx.Err() == nil {
		h, version, err := c.read(ctx)
		free := h.Holder == "" || h.Holder == c.id // what was written in doubt is one's own
		switch {
		case errors.Is(err, eventstore.ErrClosed):
			return fmt.Errorf("lease %s: %w", c.name, err)
		case err != nil:
			c.report(ctx, err)
		case !free && version != seen:
			seen, at = version, time.Now()
		case free || time.Since(at) >= patience:
			if c.write(ctx, version, holding{c.id, c.Node}) == nil {
				c.taken(h)
				return nil
			}
		}
		pause(ctx, c.look)
	}
	return nil
}

// taken logs a takeover. A lease that was free is no news.
func (c *contender) taken(from holding) {
	if from.Holder != "" && from.Holder != c.id {
		c.Log.Warn("lease taken over", "lease", c.name, "node", c.Node, "from", from.Node)
		return
	}
	c.Log.Debug("lease taken", "lease", c.name, "node", c.Node)
}

// damaged is the holder in a note that nobody can read: it is waited for as
// for any other, for it may be one of a later version of the program.
const damaged = "?"

func (c *contender) read(ctx context.Context) (holding, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	text, version, err := c.Notes.Note(ctx, noteOf(c.name))
	if err != nil {
		return holding{}, 0, err
	}
	c.away = false
	var h holding
	if version > 0 && json.Unmarshal(text, &h) != nil {
		h = holding{damaged, "a note that cannot be read"}
	}
	return h, version, nil
}

// write puts h over the note of a version. A crash behind it leaves a lease
// that others take over after their patience.
func (c *contender) write(ctx context.Context, version int64, h holding) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	before := time.Now()
	next, err := c.Notes.SetNote(ctx, noteOf(c.name), text, version)
	if err != nil {
		return err
	}
	c.version, c.since, c.away = next, before, false
	return nil
}

// report logs an engine out of reach, once each time.
func (c *contender) report(ctx context.Context, err error) {
	if ctx.Err() == nil && !c.away {
		c.Log.Warn("lease cannot be read", "lease", c.name, "error", err)
		c.away = true
	}
}

// do does work while the lease is kept. It returns what work did, and whether
// the lease was lost before.
func (c *contender) do(ctx context.Context, work func(context.Context) error) (err error, lost bool) {
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The end comes by itself, also while a writing hangs.
	end := time.AfterFunc(time.Until(c.since.Add(endAfter)), func() { cancel(errLost) })
	defer end.Stop()
	if c.look == lookEvery { // a turn is nothing that an operator watches
		c.hold(c.name, true)
		defer c.hold(c.name, false)
	}
	ended := make(chan error, 1)
	go func() { ended <- work(held) }()
	next := time.NewTimer(beatEvery)
	defer next.Stop()
	for {
		select {
		case err := <-ended:
			if lost := context.Cause(held) == errLost; lost {
				return err, true
			}
			c.release(ctx)
			return err, false
		case <-next.C:
			err := c.beat(held)
			switch {
			case err == nil && held.Err() == nil:
				end.Reset(time.Until(c.since.Add(endAfter)))
			case errors.Is(err, errLost), errors.Is(err, eventstore.ErrClosed):
				cancel(errLost)
			}
			if err != nil {
				next.Reset(beatAgain)
			} else {
				next.Reset(beatEvery)
			}
		}
	}
}

// beat says that the holder lives. After a writing of unknown outcome the note
// may have moved by this node's own hand.
func (c *contender) beat(ctx context.Context) error {
	err := c.write(ctx, c.version, holding{c.id, c.Node})
	if !errors.Is(err, eventstore.ErrNoteMoved) {
		return err
	}
	h, version, err := c.read(ctx)
	if err != nil {
		return err
	}
	if h.Holder != c.id {
		return errLost
	}
	return c.write(ctx, version, holding{c.id, c.Node})
}

// release gives the lease back, so that nobody has to wait. If that fails, all
// others wait as for one that died.
func (c *contender) release(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if errors.Is(c.write(ctx, c.version, holding{Node: c.Node}), eventstore.ErrNoteMoved) {
		if h, version, err := c.read(ctx); err == nil && h.Holder == c.id {
			_ = c.write(ctx, version, holding{Node: c.Node})
		}
	}
}

// noteOf is the note that tells who holds a lease.
func noteOf(name string) string { return "lease-" + name }

// pause waits, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
