package esdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/flowledger/flowledger/eventstore"
)

// What becomes of a call when the client panics, and when the connection that
// it waits for is given up by another call.
var (
	errPanic   = errors.New("the client of EventStoreDB panics")
	errDropped = errors.New("the connection was given up")
)

// Waits between two attempts.
const (
	firstWait = 20 * time.Millisecond
	longWait  = 500 * time.Millisecond
)

// retry calls f until it has an answer, or until the store's patience is
// over: then it fails with [eventstore.ErrUnavailable].
func retry[T any](ctx context.Context, s *Store, f func(context.Context, *connection) (T, error)) (T, error) {
	began := time.Now()
	for wait := firstWait; ; wait = min(2*wait, longWait) {
		value, err := call(ctx, s.connector, f)
		switch {
		case err == nil || ctx.Err() != nil || !passing(err):
			return value, s.closedOr(err)
		case time.Since(began)+wait > s.waits.patience:
			return value, unavailable(err)
		}
		if err := pause(ctx, wait); err != nil {
			return value, s.closedOr(err)
		}
	}
}

// closedOr returns the error of a closed store instead of what it has led to.
func (s *Store) closedOr(err error) error {
	if err != nil && s.ctx.Err() != nil {
		return eventstore.ErrClosed
	}
	return err
}

// unavailable says that the engine is out of reach. What it was is text only:
// the deadline of a call is not the caller's.
func unavailable(err error) error {
	if errors.Is(err, eventstore.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %v", eventstore.ErrUnavailable, err)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// codeOf returns what the client calls an error. It is asked about errors
// only: of no error, the client's own function says that it is one.
func codeOf(err error) esdb.ErrorCode {
	if e, ok := errors.AsType[*esdb.Error](err); ok {
		return e.Code()
	}
	return esdb.ErrorCodeUnknown
}

// passing tells whether err is about the way to the engine, and not about
// what was asked for. A server without a leader answers with an error that it
// calls unknown, and so is whatever else it did not expect.
func passing(err error) bool {
	switch codeOf(err) {
	case esdb.ErrorCodeWrongExpectedVersion, esdb.ErrorCodeResourceNotFound, esdb.ErrorCodeStreamDeleted,
		esdb.ErrorCodeAccessDenied, esdb.ErrorCodeUnauthenticated, esdb.ErrorCodeUnsupportedFeature,
		esdb.ErrorCodeResourceAlreadyExists, esdb.ErrorCodeParsing, esdb.ErrorCodeInternalClient:
		return false
	}
	switch status.Code(err) {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange,
		codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented:
		return false
	}
	return !errors.Is(err, eventstore.ErrClosed)
}

// broken tells whether the client is to be replaced. Not when the node does
// not lead: the client then goes to the leader that the node has named, which
// a new one would have to be told again.
func broken(err error) bool {
	switch codeOf(err) {
	case esdb.ErrorCodeConnectionClosed, esdb.ErrorUnavailable, esdb.ErrorCodeDeadlineExceeded:
		return true
	}
	return status.Code(err) == codes.Unavailable || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errPanic)
}
