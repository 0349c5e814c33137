package esdb_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
)

// TestEmptyMessages has the engine send a message without an event before
// each event.
func TestEmptyMessages(t *testing.T) {
	server := esdbtest.Start(t)
	store := open(t, server.URL())
	mustAppend(t, store, "a-1", eventstore.NoStream, event("x"), event("y"))
	server.SendEmpty()
	want := readAll(t, store)
	if len(want) != 2 {
		t.Fatalf("%d events, want 2", len(want))
	}
	checkSame(t, followN(t, store, 2), want)
	if head, err := store.Head(t.Context()); err != nil || head != want[1].Position {
		t.Errorf("head %v, %v, want %v", head, err, want[1].Position)
	}
	mustAppend(t, store, "a-1", eventstore.At(1), event("z"))
	if _, _, err := store.Note(t.Context(), "n"); err != nil {
		t.Error(err)
	}
}

// TestOutsiders holds that what lies beside the ledger is no part of it, and
// that a stranger's event in it is a fault and not passed over.
func TestOutsiders(t *testing.T) {
	server := esdbtest.Start(t)
	store := open(t, server.URL())
	for _, stream := range []eventstore.StreamID{"_note-x", "$x", "$$a-1"} {
		if _, err := store.Append(t.Context(), stream, eventstore.Any, event("x")); err == nil {
			t.Errorf("an append to %s succeeds", stream)
		}
	}
	mustAppend(t, store, "a-1", eventstore.NoStream, event("x"))
	want := readAll(t, store)
	for range 30 { // more than one look back holds
		if err := setNote(t, store, "n", "x"); err != nil {
			t.Fatal(err)
		}
	}
	checkSame(t, readAll(t, store), want)
	for _, node := range []*esdb.Store{store, open(t, server.URL())} {
		for range 2 {
			if head, err := node.Head(t.Context()); err != nil || head != want[0].Position {
				t.Errorf("head %v, %v, want %v", head, err, want[0].Position)
			}
		}
	}

	appendForeign(t, server, "order-1")
	for name, seq := range map[string]iter.Seq2[eventstore.Recorded, error]{
		"ReadAll":   store.ReadAll(t.Context(), want[0].Position),
		"Subscribe": store.Subscribe(t.Context(), want[0].Position),
	} {
		for e, err := range seq {
			if err == nil || errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("%s: %v, %v, want an error about the event", name, e.Stream, err)
				break
			}
		}
	}
	if _, err := store.Head(t.Context()); err == nil {
		t.Error("Head passes over a stranger's event")
	}
	if _, err := store.Append(t.Context(), "a-1", eventstore.At(0), event("y")); err != nil {
		t.Error(err)
	}
}

// TestTruncated has somebody tell the engine to forget what must not be
// forgotten. Nothing is appended to such a stream.
func TestTruncated(t *testing.T) {
	server := esdbtest.Start(t)
	mustAppend(t, open(t, server.URL()), "a-1", eventstore.NoStream, event("x"), event("y"))
	if err := open(t, server.URL()).KeepLast(t.Context(), "a-1"); err != nil {
		t.Fatal(err)
	}
	for _, expected := range []eventstore.Expected{eventstore.NoStream, eventstore.Any, eventstore.At(1)} {
		_, err := open(t, server.URL()).Append(t.Context(), "a-1", expected, event("z"))
		if _, wrong := errors.AsType[*eventstore.WrongExpectedError](err); err == nil || wrong || errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("append under %d: %v, want an error about the stream", expected, err)
		}
	}
}

// appendForeign appends an event as another program would.
func appendForeign(t *testing.T, server *esdbtest.Server, stream string) {
	t.Helper()
	config, err := client.ParseConnectionString(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = nil
	stranger, err := client.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	foreign := client.EventData{EventType: "OrderPlaced", ContentType: client.ContentTypeJson, Data: []byte("{}")}
	if _, err := stranger.AppendToStream(t.Context(), stream, client.AppendToStreamOptions{}, foreign); err != nil {
		t.Fatal(err)
	}
}

// TestLargestAppend comes as near to the limit as it can. What the store lets
// through is no more than the engine takes.
func TestLargestAppend(t *testing.T) {
	store := open(t, esdbtest.Start(t).URL())
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 20 {
		var events []eventstore.NewEvent
		size := 0
		for {
			e := event("x")
			e.Header = make([]byte, random.IntN(eventstore.MaxHeader))
			e.Payload = make([]byte, random.IntN(eventstore.MaxPayload))
			e.Sealed = make([]byte, random.IntN(eventstore.MaxSealed))
			if size += esdb.SizeOf(&e); size > esdb.MaxAppend {
				break
			}
			events = append(events, e)
		}
		stream := eventstore.Stream("a", fmt.Sprint(n))
		mustAppend(t, store, stream, eventstore.NoStream, events...)
	}
	full := event("x")
	full.Sealed = make([]byte, eventstore.MaxSealed)
	_, err := store.Append(t.Context(), "b-1", eventstore.Any, full, full, full)
	if limit, ok := errors.AsType[*eventstore.LimitError](err); !ok || limit.Limit != esdb.MaxAppend {
		t.Errorf("error %v, want a LimitError", err)
	}
}

// TestForgetful repeats appends when the store remembers next to nothing of
// them, and when others have appended meanwhile.
func TestForgetful(t *testing.T) {
	server := esdbtest.Start(t)
	store, other := open(t, server.URL()), open(t, server.URL())
	esdb.SetMemory(store, 40)
	ids := make([]eventstore.NewEvent, 60)
	for i := range ids {
		ids[i] = event("x")
		mustAppend(t, store, eventstore.Stream("a", fmt.Sprint(i%6)), eventstore.Any, ids[i])
		mustAppend(t, other, eventstore.Stream("a", fmt.Sprint(i%6)), eventstore.Any, event("y"))
	}
	before := readAll(t, store)
	for i := range ids {
		stream := eventstore.Stream("a", fmt.Sprint(i%6))
		want := eventstore.Revision(i / 6 * 2)
		if got := mustAppend(t, store, stream, eventstore.Any, ids[i]); got != want {
			t.Errorf("event %d, repeated: revision %d, want %d", i, got, want)
		}
		if got := mustAppend(t, store, stream, eventstore.At(want-1), ids[i]); got != want {
			t.Errorf("event %d, repeated under its claim: revision %d, want %d", i, got, want)
		}
		_, err := store.Append(t.Context(), stream, eventstore.At(19), ids[i])
		if n := esdb.Remembered(store); n > 40 {
			t.Fatalf("%d events are remembered, want 40 at most", n)
		}
		if wrong, ok := errors.AsType[*eventstore.WrongExpectedError](err); !ok || wrong.Duplicate != ids[i].ID {
			t.Errorf("event %d at the end: %v, want a duplicate", i, err)
		}
	}
	checkSame(t, readAll(t, store), before)
}

// TestTwoNodes appends the same events and others from two nodes at a time.
func TestTwoNodes(t *testing.T) {
	server := esdbtest.Start(t)
	nodes := []*esdb.Store{open(t, server.URL()), open(t, server.URL())}
	shared := make([]eventstore.NewEvent, 40)
	for i := range shared {
		shared[i] = event(fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	for _, node := range nodes {
		for range 4 {
			wg.Go(func() {
				for _, e := range shared {
					if _, err := node.Append(t.Context(), "a-1", eventstore.Any, e); err != nil {
						t.Errorf("Append: %v", err)
					}
					if _, err := node.Append(t.Context(), "a-1", eventstore.Any, event("own")); err != nil {
						t.Errorf("Append: %v", err)
					}
				}
			})
		}
	}
	wg.Wait()
	seen := make(map[uuid.UUID]bool)
	all := readAll(t, nodes[0])
	for _, e := range all {
		if seen[e.ID] {
			t.Fatalf("%s stands twice", e.ID)
		}
		seen[e.ID] = true
	}
	if want := len(shared) * (1 + 2*4); len(all) != want {
		t.Errorf("%d events, want %d", len(all), want)
	}
}

// TestStoredForm is what whoever looks into the engine sees, and what the
// store will have to read in years.
func TestStoredForm(t *testing.T) {
	server := esdbtest.Start(t)
	store := open(t, server.URL())
	e := eventstore.NewEvent{
		ID: uuid.UUID{15: 1}, Type: "StageCompleted", Schema: 2, Header: []byte(`{"a":1}`),
		Payload: []byte(`{"b":2}`), Sealed: []byte{255}, Salt: [16]byte{0: 1},
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	if err := store.Restore(t.Context(), eventstore.Recorded{NewEvent: e, Stream: "execution-1", RecordedAt: at}); err != nil {
		t.Fatal(err)
	}
	got := server.Dump("execution-1")
	want := `00000000-0000-0000-0000-000000000001 StageCompleted application/json {"b":2} ` +
		`{"schema":2,"header":"eyJhIjoxfQ==","sealed":"/w==","salt":"AQAAAAAAAAAAAAAAAAAAAA==","recorded_at":"2026-01-02T03:04:05.000006Z"}` + "\n"
	if got != want {
		t.Errorf("stored as\n%s\nwant\n%s", got, want)
	}
}

func setNote(t *testing.T, store *esdb.Store, name, value string) error {
	t.Helper()
	_, version, err := store.Note(t.Context(), name)
	if err != nil {
		return err
	}
	next, err := store.SetNote(t.Context(), name, []byte(value), version)
	if err == nil && next <= version {
		t.Errorf("version %d after %d", next, version)
	}
	return err
}

// TestRestoreBeside refuses what would be no part of the ledger, and knows how
// far the ledger is behind what it restored.
func TestRestoreBeside(t *testing.T) {
	store := open(t, esdbtest.Start(t).URL())
	list := []eventstore.Recorded{
		{NewEvent: event("x"), Stream: "a-1", RecordedAt: time.Unix(1, 0)},
		{NewEvent: event("y"), Stream: "a-1", Revision: 1, RecordedAt: time.Unix(1, 0)},
		{NewEvent: event("z"), Stream: "_a-1", RecordedAt: time.Unix(2, 0)},
	}
	if err := store.Restore(t.Context(), list...); err == nil {
		t.Error("no error")
	}
	if got := readAll(t, store); len(got) != 0 {
		t.Fatalf("%d events, want none", len(got))
	}
	if err := store.Restore(t.Context(), list[:2]...); err != nil {
		t.Fatal(err)
	}
	if got, want := store.Reached(), readAll(t, store)[1].Position; got != want {
		t.Errorf("reached %v, want %v", got, want)
	}
}
