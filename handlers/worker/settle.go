// Package worker reacts to events: it pays what executions owe whose clients
// never came back, sends mail, and ends what is over. A worker acts at least
// once, so whatever it does can be done twice.
package worker

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/flowledger/flowledger/eventstore"
)

// A Settler pays what executions owe. The request that decides pays at once;
// the settler looks after it a little later, for the process may have died in
// between.
type Settler struct {
	Follower
	Executor Executor
	Now      func() time.Time
}

// Executor pays the debts of one execution. Paying what is paid changes
// nothing.
type Executor interface {
	Settle(ctx context.Context, executionID string) error
}

// settleAfter is how long the request that owes has for itself.
const settleAfter = 5 * time.Second

// Run follows the ledger until ctx is done.
func (s *Settler) Run(ctx context.Context) error {
	return s.follow(ctx, work{name: "settle", wants: owes, handle: s.handle})
}

// handle settles the execution of an event that left debts.
func (s *Settler) handle(ctx context.Context, e eventstore.Recorded) error {
	if err := s.later(ctx, e.RecordedAt); err != nil {
		return err
	}
	if err := s.Executor.Settle(ctx, e.Stream.ID()); err != nil {
		return fmt.Errorf("settle execution %s: %w", e.Stream.ID(), err)
	}
	return nil
}

// owes tells from the clear bytes whether an event asks for effects.
func owes(e eventstore.Recorded) bool {
	return e.Stream.Category() == "execution" &&
		(bytes.Contains(e.Payload, []byte(`"effects":[`)) || e.Type == "ExecutionCompleted")
}

// later waits until the request that appended an event has had its time.
func (s *Settler) later(ctx context.Context, recorded time.Time) error {
	return pause(ctx, recorded.Add(settleAfter).Sub(s.Now()))
}

// pause waits, unless ctx is done before.
func pause(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
