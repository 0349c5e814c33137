package eventstore

import "context"

// A Restorer is a store that takes over events from another ledger.
type Restorer interface {
	// Restore appends events as they were recorded elsewhere: their streams,
	// revisions, IDs, bytes and times, in the order given. Only positions are
	// new. What stands in the ledger already, the same event at the same
	// place, is passed over, so that whoever was interrupted may begin again.
	// Anything that does not continue its stream, or that is older than the
	// end of the ledger, is refused, and nothing of the call is then recorded.
	// All are durable once Restore returns. It is for a ledger that nobody
	// else writes to.
	Restore(ctx context.Context, events ...Recorded) error
}
