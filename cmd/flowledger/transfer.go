package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/sync/errgroup"

	"github.com/flowledger/flowledger/eventstore"
)

// A transfer makes one ledger like another, and holds both against each other,
// event by event.
type transfer struct {
	from eventstore.Store
	to   restoring
	// tell is called with what is being done, and how far it has come in the
	// source.
	tell func(doing string, at eventstore.Position, events int)

	// source and target are the last event that was found to be the same in
	// both ledgers, which are alike up to there; alike counts them.
	source, target eventstore.Position
	alike          int
	copied         int // events that this run has written
	marks          []*mark
}

// A restoring is a store that a ledger can be moved to.
type restoring interface {
	eventstore.Store
	eventstore.Restorer
}

// A mark is a place in the source, and the same place in the target as far as
// the two are known to be alike.
type mark struct {
	name           string
	source, target eventstore.Position
}

// A differenceError says where two ledgers part.
type differenceError struct {
	stream   eventstore.StreamID
	revision eventstore.Revision
	text     string
}

// Error implements error.
func (e *differenceError) Error() string {
	return fmt.Sprintf("revision %d of stream %s %s", e.revision, e.stream, e.text)
}

// begin holds that what the target has is the beginning of the source. It
// writes nothing.
func (t *transfer) begin(ctx context.Context) error {
	return parting("the target is no copy of the source", t.compare(ctx))
}

// finish copies what the target lacks, and compares that. It comes after
// begin: every event of the target is compared once in each transfer.
func (t *transfer) finish(ctx context.Context) error {
	if err := t.copy(ctx); err != nil {
		return fmt.Errorf("%w; run the same command again, before a server works on the copy: it goes on where this one ended", err)
	}
	want := t.alike + t.copied
	if err := t.compare(ctx); err != nil {
		return parting("the copy is not like the source", err)
	}
	if t.alike != want {
		return fmt.Errorf("the copy is not like the source: %d of %d events are there", t.alike, want)
	}
	return nil
}

// parting says of two ledgers that differ what that means. Other errors say
// enough.
func parting(what string, err error) error {
	if _, differ := errors.AsType[*differenceError](err); differ {
		return fmt.Errorf("%s: %w", what, err)
	}
	return err
}

// compare reads both ledgers on from where they are known to be alike, until
// the target ends.
func (t *transfer) compare(ctx context.Context) error {
	original, stop := iter.Pull2(t.from.ReadAll(ctx, t.source))
	defer stop()
	for found, err := range t.to.ReadAll(ctx, t.target) {
		if err != nil {
			return err
		}
		want, err, ok := original()
		switch {
		case err != nil:
			return err
		case !ok:
			return &differenceError{found.Stream, found.Revision, "is not in the source"}
		}
		if part := differing(want, found); part != "" {
			return &differenceError{found.Stream, found.Revision, "has another " + part}
		}
		t.pass(want.Position, found.Position)
	}
	return nil
}

// pass notes that the next event is the same.
func (t *transfer) pass(source, target eventstore.Position) {
	t.source, t.target = source, target
	t.alike++
	for _, m := range t.marks {
		if source.Compare(m.source) <= 0 {
			m.target = target
		}
	}
	t.tell("comparing ", source, t.alike)
}

// differing names what is not the same in two events. Positions are each
// ledger's own.
func differing(a, b eventstore.Recorded) string {
	for _, part := range []struct {
		name string
		same bool
	}{
		{"stream", a.Stream == b.Stream},
		{"revision", a.Revision == b.Revision},
		{"id", a.ID == b.ID},
		{"type", a.Type == b.Type},
		{"schema", a.Schema == b.Schema},
		{"time", a.RecordedAt.Equal(b.RecordedAt)},
		{"header", bytes.Equal(a.Header, b.Header)},
		{"payload", bytes.Equal(a.Payload, b.Payload)},
		{"sealed part", bytes.Equal(a.Sealed, b.Sealed)},
		{"salt", a.Salt == b.Salt},
	} {
		if !part.same {
			return part.name
		}
	}
	return ""
}

// Limits of what is written at once, in events and bytes.
const (
	copyEvents = 1000
	copyBytes  = 4 << 20
)

// copy writes what comes after that which is alike. The source is read while
// the target writes. A crash leaves a shorter copy, with which the next
// transfer begins.
func (t *transfer) copy(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan []eventstore.Recorded, 2)
	group.Go(func() error {
		defer close(batches)
		return t.read(ctx, batches)
	})
	before := t.alike
	group.Go(func() error {
		for batch := range batches {
			if err := t.to.Restore(ctx, batch...); err != nil {
				return err
			}
			t.copied += len(batch)
			t.tell("copying   ", batch[len(batch)-1].Position, before+t.copied)
		}
		return nil
	})
	return group.Wait()
}

// read hands on the rest of the source in batches.
func (t *transfer) read(ctx context.Context, batches chan<- []eventstore.Recorded) error {
	var batch []eventstore.Recorded
	size := 0
	send := func() error {
		if len(batch) == 0 {
			return nil
		}
		select {
		case batches <- batch:
			batch, size = nil, 0
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for e, err := range t.from.ReadAll(ctx, t.source) {
		if err != nil {
			return err
		}
		batch, size = append(batch, e), size+len(e.Header)+len(e.Payload)+len(e.Sealed)
		if len(batch) == copyEvents || size >= copyBytes {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}
