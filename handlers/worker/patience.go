package worker

import (
	"context"
	"errors"
	"time"

	"github.com/flowledger/flowledger/eventstore"
)

// Between two attempts to reach an engine that is away.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 2 * time.Second
)

// patiently does something again and again while the engine is out of reach.
// An outage delays what a worker does; it is no reason to give anything up.
func patiently(ctx context.Context, do func() error) error {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := do()
		if !errors.Is(err, eventstore.ErrUnavailable) || pause(ctx, wait) != nil {
			return err
		}
	}
}
