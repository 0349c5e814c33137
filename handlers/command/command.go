// Package command is the shell around deciders: load, decide, append. It knows
// no aggregate; what may happen to one is decided in its own package.
package command

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// attempts is how often a command is decided at most. Whoever loses so often
// is told to come again: the stream is too hot.
const attempts = 5

// A Handler handles the commands of aggregates with state S. Its methods may
// be called concurrently.
type Handler[S any] struct {
	Store eventstore.Store
	Codec *codec.Codec
	Cache *Cache[S] // nil for none
}

// Load folds a stream. The revision of one that does not exist is -1.
func (h *Handler[S]) Load(ctx context.Context, stream eventstore.StreamID) (S, eventstore.Revision, error) {
	known, at := h.Cache.get(stream)
	s, revision, err := h.fold(ctx, stream, known, at, math.MaxInt64)
	if err == nil && revision > at {
		h.Cache.put(stream, s, revision)
	}
	return s, revision, err
}

// LoadAt folds a stream up to a revision, that included: the state as it was.
func (h *Handler[S]) LoadAt(
	ctx context.Context, stream eventstore.StreamID, last eventstore.Revision,
) (S, eventstore.Revision, error) {
	var zero S
	return h.fold(ctx, stream, zero, -1, last)
}

// fold goes on from a state as of a revision, up to another.
func (h *Handler[S]) fold(
	ctx context.Context, stream eventstore.StreamID, s S, revision, last eventstore.Revision,
) (S, eventstore.Revision, error) {
	var zero S
	for recorded, err := range h.Store.ReadStream(ctx, stream, revision+1) {
		if err != nil {
			return zero, -1, fmt.Errorf("load %s: %w", stream, err)
		}
		if recorded.Revision > last {
			break
		}
		decoded, err := h.Codec.Decode(ctx, recorded)
		if err != nil {
			return zero, -1, fmt.Errorf("load %s: %w", stream, err)
		}
		event, ok := decoded.Event.(domain.Event[S])
		if !ok {
			return zero, -1, fmt.Errorf("load %s: revision %d is a %s, of another aggregate", stream, recorded.Revision, recorded.Type)
		}
		s, revision = event.Evolve(s), recorded.Revision
	}
	return s, revision, nil
}

// Handle loads the aggregate, has the command decide, and appends what it
// decided. If somebody else was faster, the command decides again on the newer
// state. It returns the state after the command.
func (h *Handler[S]) Handle(
	ctx context.Context, stream eventstore.StreamID, c domain.Command[S], meta codec.Meta,
) (S, error) {
	var zero S
	for range attempts {
		s, revision, err := h.Load(ctx, stream)
		if err != nil {
			return zero, err
		}
		decided, err := seen(c, stream, revision)
		if err != nil {
			return s, err
		}
		events, err := decided.Decide(s)
		if err != nil || len(events) == 0 {
			return s, err
		}
		_, err = h.Append(ctx, stream, revision, events, meta)
		if err == nil {
			return domain.Fold(s, events...), nil
		}
		wrong, lost := errors.AsType[*eventstore.WrongExpectedError](err)
		if !lost || wrong.Duplicate != uuid.Nil {
			return zero, err
		}
	}
	return zero, &domain.Error{
		Code: domain.Busy, Message: "Too many changes at once. Try again.", Err: fmt.Errorf("%T on %s: lost %d times", c, stream, attempts),
	}
}

// Append writes what was decided on the state at a revision, and returns the
// revision of the last event. If that is not the newest state any more, it
// fails with the store's [*eventstore.WrongExpectedError]. It is for those who
// decide several commands before they append; all others use Handle.
func (h *Handler[S]) Append(
	ctx context.Context, stream eventstore.StreamID, decidedOn eventstore.Revision, events []domain.Event[S], meta codec.Meta,
) (eventstore.Revision, error) {
	if len(events) == 0 {
		return decidedOn, nil
	}
	plain := make([]codec.Event, len(events))
	for i, e := range events {
		plain[i] = e
	}
	encoded, err := h.Codec.Encode(ctx, stream, meta, plain...)
	if err != nil {
		return decidedOn, err
	}
	return h.Store.Append(ctx, stream, eventstore.At(decidedOn), encoded...)
}

// Position returns where in the ledger an event of a stream stands, for those
// who wait until read models have seen it.
func (h *Handler[S]) Position(
	ctx context.Context, stream eventstore.StreamID, revision eventstore.Revision,
) (eventstore.Position, error) {
	for recorded, err := range h.Store.ReadStream(ctx, stream, max(revision, 0)) {
		return recorded.Position, err
	}
	return eventstore.Position{}, fmt.Errorf("find revision %d of %s: there is no such event", revision, stream)
}
