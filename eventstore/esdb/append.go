package esdb

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
)

// MaxAppend is what one append may hold in all, in bytes: the server's limit.
// The payloads count as they are, headers and sealed parts as base64.
const MaxAppend = 1 << 20

// Append implements [eventstore.Store]. It claims an exact revision from the
// engine, also for [eventstore.Any], and knows all event IDs up to there, so
// that a repeated append is found out for any length of a stream. Not even a
// crash between the engine's write and its answer leaves a doubt: the same
// call, made again, finds the events. An append that is more than
// [MaxAppend] is refused, for it could only be written in two.
func (s *Store) Append(ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, list ...eventstore.NewEvent) (eventstore.Revision, error) {
	if err := check(stream, list); err != nil {
		return -1, err
	}
	if err := s.ready(ctx); err != nil {
		return -1, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	known := s.known.of(stream)
	if err := known.lock(ctx, s.waits.patience); err != nil {
		return -1, s.closedOr(err)
	}
	defer known.unlock()
	revision, err := s.append(ctx, known, expected, list)
	if err != nil {
		return -1, err
	}
	_, position := known.last()
	s.reach(position)
	return revision, nil
}

// check refuses what the engine would refuse, or would keep where nobody
// finds it.
func check(stream eventstore.StreamID, list []eventstore.NewEvent) error {
	if err := eventstore.Check(stream, list); err != nil {
		return err
	}
	if outside(string(stream)) {
		return fmt.Errorf("append to %s: a name that begins with $ or _ is no stream of the ledger", stream)
	}
	size := 0
	for i := range list {
		size += sizeOf(&list[i])
	}
	if size > MaxAppend {
		return &eventstore.LimitError{Stream: stream, What: "append", Size: size, Limit: MaxAppend}
	}
	return nil
}

// outside tells whether a stream is none of the ledger's: the server's own
// begin with $, and what lies beside the ledger with _.
func outside(stream string) bool {
	return strings.HasPrefix(stream, "$") || strings.HasPrefix(stream, "_")
}

// append appends list where the stream ends, if the claim is true. What is
// known of the stream may be behind its end: the engine then refuses, more is
// read, and the claim is judged again. Whoever loses that race has seen others
// go on.
func (s *Store) append(ctx context.Context, known *events, expected eventstore.Expected, list []eventstore.NewEvent) (eventstore.Revision, error) {
	began := time.Now()
	for fresh := false; ; fresh = true {
		if last, ok := known.replayed(expected, list); ok {
			return last, nil
		}
		end, _ := known.last()
		claimed := expected == eventstore.Any || expected == eventstore.At(end)
		switch {
		case claimed && len(list) > 0:
			if id := known.duplicate(list); id != uuid.Nil {
				return -1, &eventstore.WrongExpectedError{Stream: known.stream, Expected: expected, Actual: end, Duplicate: id}
			}
			written, err := s.write(ctx, known, end, list)
			if err != nil || written {
				return end + eventstore.Revision(len(list)), err
			}
		case claimed && fresh:
			return end, nil
		case fresh:
			return -1, &eventstore.WrongExpectedError{Stream: known.stream, Expected: expected, Actual: end}
		}
		if err := s.catchUp(ctx, known); err != nil {
			return -1, err
		}
		if now, _ := known.last(); now > end || !claimed || len(list) == 0 {
			continue
		}
		// A node that does not lead is read, and has not heard yet.
		if time.Since(began) > s.waits.patience {
			return -1, fmt.Errorf("append to %s: %w: revision %d is written and cannot be read", known.stream, eventstore.ErrUnavailable, end+1)
		}
		if err := pause(ctx, firstWait); err != nil {
			return -1, s.closedOr(err)
		}
	}
}

// write appends list after revision end, and tells whether that was the end.
func (s *Store) write(ctx context.Context, known *events, end eventstore.Revision, list []eventstore.NewEvent) (bool, error) {
	batch := make([]esdb.EventData, len(list))
	for i := range list {
		data, err := encode(&list[i], "")
		if err != nil {
			return false, fmt.Errorf("append to %s: %w", known.stream, err)
		}
		batch[i] = data
	}
	return s.writeBatch(ctx, known, end, batch)
}

func (s *Store) writeBatch(ctx context.Context, known *events, end eventstore.Revision, batch []esdb.EventData) (bool, error) {
	options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
	if end >= 0 {
		options.ExpectedRevision = esdb.Revision(uint64(end))
	}
	last := end + eventstore.Revision(len(batch))
	var attempts atomic.Int32
	result, err := retry(ctx, s, func(ctx context.Context, conn *connection) (*esdb.WriteResult, error) {
		if attempts.Add(1) > 1 {
			// An attempt whose answer was lost may have been written, or been
			// ended by a node that does not lead: reading finds out both.
			if _, err := readLast(ctx, conn); err != nil {
				return nil, err
			}
		}
		return conn.client.AppendToStream(ctx, string(known.stream), options, batch...)
	})
	switch {
	case err != nil && codeOf(err) == esdb.ErrorCodeWrongExpectedVersion:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("append to %s: %w", known.stream, err)
	case result.NextExpectedVersion != uint64(last):
		return false, nil // the answer is about an append of before
	}
	position := result.CommitPosition
	if attempts.Load() > 1 || position == 0 {
		// The answer to a repeated append need not name the last event.
		if position, err = s.positionOf(ctx, known.stream, last); err != nil {
			return false, err
		}
	}
	for i, data := range batch {
		known.learn(end+1+eventstore.Revision(i), position, data.EventID)
	}
	return true, nil
}

// catchUp reads what was appended to a stream since somebody looked.
func (s *Store) catchUp(ctx context.Context, known *events) error {
	end, _ := known.last()
	for e, err := range s.pages(ctx, known.stream, end+1) {
		if err != nil {
			return err
		}
		known.learn(eventstore.Revision(e.EventNumber), e.Position.Commit, e.EventID)
		if last, _ := known.last(); last < eventstore.Revision(e.EventNumber) {
			return fmt.Errorf("append to %s: the engine has lost revision %d", known.stream, last+1)
		}
	}
	return nil
}
