package esdb_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
	"github.com/flowledger/flowledger/eventstore/eventstoretest"
)

// TestSharedServer holds all ledgers of the suite in one server: the real one
// that FLOWLEDGER_TEST_ESDB names by its connection string, or one in this
// process.
func TestSharedServer(t *testing.T) {
	url := os.Getenv("FLOWLEDGER_TEST_ESDB")
	if url == "" && raced {
		return // TestStore has looked for races
	}
	if url == "" {
		url = esdbtest.Start(t).URL()
	}
	var ledgers sync.Map // by folder, for a store that is opened again
	eventstoretest.Run(t, eventstoretest.Features{Durable: true}, func(t *testing.T, dir string, _ func() time.Time) eventstore.Store {
		store := open(t, url)
		base, err := store.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		begun, _ := ledgers.LoadOrStore(dir, &ledger{base: base, prefix: "test" + uuid.NewString()[:8] + "."})
		return &scoped{Store: store, ledger: begun.(*ledger)}
	})
}

// A ledger is the part of a server's events that a test has appended: those
// behind base, in streams with the prefix.
type ledger struct {
	base   eventstore.Position
	prefix string
	names  sync.Map // from names in the server to those that the test gave
}

// inside returns the name of a stream in the server.
func (l *ledger) inside(stream eventstore.StreamID) eventstore.StreamID {
	name := eventstore.StreamID(l.prefix) + stream
	if len(name) > eventstore.MaxStream {
		sum := sha256.Sum256([]byte(stream))
		name = eventstore.StreamID(l.prefix + hex.EncodeToString(sum[:]))
	}
	l.names.Store(name, stream)
	return name
}

// outside undoes inside.
func (l *ledger) outside(name eventstore.StreamID) eventstore.StreamID {
	if stream, ok := l.names.Load(name); ok {
		return stream.(eventstore.StreamID)
	}
	return eventstore.StreamID(strings.TrimPrefix(string(name), l.prefix))
}

// A scoped store sees one ledger.
type scoped struct {
	*esdb.Store
	*ledger
}

func (s *scoped) Append(ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent) (eventstore.Revision, error) {
	if err := eventstore.Check(stream, events); err != nil {
		return -1, err // the names in the server are longer
	}
	revision, err := s.Store.Append(ctx, s.inside(stream), expected, events...)
	if wrong, ok := errors.AsType[*eventstore.WrongExpectedError](err); ok {
		wrong.Stream = stream
	}
	return revision, err
}

func (s *scoped) ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return s.own(s.Store.ReadStream(ctx, s.inside(stream), from))
}

func (s *scoped) ReadAll(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return s.own(s.Store.ReadAll(ctx, s.behind(after)))
}

func (s *scoped) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return s.own(s.Store.Subscribe(ctx, s.behind(after)))
}

func (s *scoped) behind(after eventstore.Position) eventstore.Position {
	if after.Compare(s.base) < 0 {
		return s.base
	}
	return after
}

// own yields the events of this ledger.
func (s *scoped) own(all iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for e, err := range all {
			if err == nil && !strings.HasPrefix(string(e.Stream), s.prefix) {
				continue
			}
			if err == nil {
				e.Stream = s.outside(e.Stream)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *scoped) Head(ctx context.Context) (eventstore.Position, error) {
	head, err := s.Store.Head(ctx)
	if head == s.base {
		head = eventstore.Position{}
	}
	return head, err
}
