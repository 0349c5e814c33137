package command_test

import (
	"context"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/command"
)

// counting is a store that counts the events that are read from it.
type counting struct {
	eventstore.Store
	read int
}

func (c *counting) ReadStream(ctx context.Context, s eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for e, err := range c.Store.ReadStream(ctx, s, from) {
			c.read++
			if !yield(e, err) {
				return
			}
		}
	}
}

// pair makes two handlers of one store, of which the first has a cache.
func pair(t *testing.T, states int) (cached, other *command.Handler[tally], store *counting) {
	t.Helper()
	other = newHandler(t)
	store = &counting{Store: other.Store}
	cached = &command.Handler[tally]{Store: store, Codec: other.Codec, Cache: command.NewCache[tally](states)}
	return cached, other, store
}

func TestCacheSeesWhatOthersAppend(t *testing.T) {
	cached, other, store := pair(t, 10)
	for i := range 5 {
		writer := []*command.Handler[tally]{cached, other}[i%2]
		if _, err := writer.Handle(t.Context(), stream, add{n: 1, limit: 100}, meta); err != nil {
			t.Fatal(err)
		}
		got, revision, err := cached.Load(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		want, wantRevision, err := other.Load(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || revision != wantRevision {
			t.Fatalf("after %d events: revision %d, want %d; state (-want +got):\n%s", i+1, revision, wantRevision, diff)
		}
	}
	store.read = 0
	if _, _, err := cached.Load(t.Context(), stream); err != nil || store.read != 0 {
		t.Errorf("a load of what is known reads %d events, error %v", store.read, err)
	}
	at, revision, err := cached.LoadAt(t.Context(), stream, 1)
	if err != nil || revision != 1 || at.Sum != 2 {
		t.Errorf("as of revision 1: revision %d, sum %d, error %v; want 1 and 2", revision, at.Sum, err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	cached, _, store := pair(t, 2)
	streams := []eventstore.StreamID{"tally-1", "tally-2", "tally-3"}
	for _, s := range streams {
		if _, err := cached.Handle(t.Context(), s, add{n: 1, limit: 100}, meta); err != nil {
			t.Fatal(err)
		}
		if _, _, err := cached.Load(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		stream eventstore.StreamID
		read   int
	}{{"tally-3", 0}, {"tally-1", 1}, {"tally-2", 1}} { // the first was dropped for the third, and then drops the second
		store.read = 0
		if _, _, err := cached.Load(t.Context(), tt.stream); err != nil || store.read != tt.read {
			t.Errorf("%s: %d events read, error %v; want %d", tt.stream, store.read, err, tt.read)
		}
	}
}
