package feed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/feed"
	"github.com/flowledger/flowledger/eventstore/memory"
)

// ledger makes a store with n events, and returns them as they are recorded.
func ledger(t *testing.T, n int) (*memory.Store, []eventstore.Recorded) {
	t.Helper()
	store := memory.New(time.Now)
	for i := range n {
		id := uuid.New()
		_, err := store.Append(t.Context(), eventstore.Stream("a", fmt.Sprint(i%2)), eventstore.Any, eventstore.NewEvent{
			ID: id, Type: fmt.Sprint("Happened", i), Schema: i, Salt: id,
			Header: []byte("{ \"h\":\"\u00fc\xff\" }"), Payload: fmt.Appendf(nil, "{\"i\": %d}\x00", i), Sealed: []byte{0, 0xff, byte(i)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var all []eventstore.Recorded
	for e, err := range store.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return store, all
}

func subscribe(t *testing.T, ctx context.Context, s *feed.Subscriber) <-chan *message.Message {
	t.Helper()
	messages, err := s.Subscribe(ctx, feed.Topic)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return messages
}

// receive returns the next message, nil when the channel is closed.
func receive(t *testing.T, messages <-chan *message.Message) *message.Message {
	t.Helper()
	select {
	case m := <-messages:
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("no message arrives, and the channel stays open")
		return nil
	}
}

// expect receives the message of e.
func expect(t *testing.T, messages <-chan *message.Message, e eventstore.Recorded) *message.Message {
	t.Helper()
	m := receive(t, messages)
	if m == nil {
		t.Fatal("the channel is closed")
	}
	got, err := feed.Recorded(m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, got, cmp.Comparer(bytes.Equal), cmp.AllowUnexported(eventstore.Position{})); diff != "" {
		t.Fatalf("event (-want +got):\n%s", diff)
	}
	return m
}

func TestOrder(t *testing.T) {
	store, all := ledger(t, 10)
	for _, from := range []int{0, 4, 9} {
		var after eventstore.Position
		if from > 0 {
			after = all[from-1].Position
		}
		messages := subscribe(t, t.Context(), feed.New(store, after))
		for _, e := range all[from:] {
			m := expect(t, messages, e)
			select {
			case <-messages:
				t.Fatal("another message before the ack")
			default:
			}
			m.Ack()
			<-m.Context().Done()
		}
	}
}

func TestLive(t *testing.T) {
	store, _ := ledger(t, 0)
	messages := subscribe(t, t.Context(), feed.New(store, eventstore.Position{}))
	for range 10 {
		e := eventstore.NewEvent{ID: uuid.New(), Type: "Happened"}
		if _, err := store.Append(t.Context(), "a-1", eventstore.Any, e); err != nil {
			t.Fatal(err)
		}
		m := receive(t, messages)
		if m.UUID != e.ID.String() || m.Metadata[feed.Type] != "Happened" || m.Metadata[feed.Stream] != "a-1" {
			t.Fatalf("message %s, %v", m.UUID, m.Metadata)
		}
		m.Ack()
	}
}

func TestNack(t *testing.T) {
	store, all := ledger(t, 2)
	messages := subscribe(t, t.Context(), feed.New(store, eventstore.Position{}))
	for range 3 {
		m := expect(t, messages, all[0])
		m.Metadata[feed.Type] = "changed by the reader"
		copy(m.Payload, "changed")
		m.Nack()
	}
	expect(t, messages, all[0]).Ack()
	expect(t, messages, all[1]).Ack()
}

// TestEnd ends subscriptions that wait for an event, for somebody to take a
// message, and for an ack.
func TestEnd(t *testing.T) {
	for where, arrive := range map[string]func(*testing.T, <-chan *message.Message, []eventstore.Recorded){
		"for a taker": func(*testing.T, <-chan *message.Message, []eventstore.Recorded) {},
		"for an ack": func(t *testing.T, messages <-chan *message.Message, all []eventstore.Recorded) {
			expect(t, messages, all[0])
		},
		"for an event": func(t *testing.T, messages <-chan *message.Message, all []eventstore.Recorded) {
			expect(t, messages, all[0]).Ack()
		},
	} {
		for how, end := range map[string]func(context.CancelFunc, *feed.Subscriber) error{
			"context": func(cancel context.CancelFunc, _ *feed.Subscriber) error { cancel(); return nil },
			"close":   func(_ context.CancelFunc, s *feed.Subscriber) error { return s.Close() },
		} {
			t.Run(how+", while it waits "+where, func(t *testing.T) {
				store, all := ledger(t, 1)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := feed.New(store, eventstore.Position{})
				messages := subscribe(t, ctx, s)
				arrive(t, messages, all)
				if err := end(cancel, s); err != nil {
					t.Fatal(err)
				}
				if m := receive(t, messages); m != nil && receive(t, messages) != nil {
					t.Error("messages after the end")
				}
				if err := s.Err(); err != nil {
					t.Errorf("error %v, want none", err)
				}
			})
		}
	}
}

func TestStoreClosed(t *testing.T) {
	store, all := ledger(t, 1)
	s := feed.New(store, eventstore.Position{})
	messages := subscribe(t, t.Context(), s)
	expect(t, messages, all[0]).Ack()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, messages); m != nil {
		t.Errorf("message %s after the end", m.UUID)
	}
	if err := s.Err(); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("error %v, want %v", err, eventstore.ErrClosed)
	}
}

func TestSubscribeRefused(t *testing.T) {
	store, _ := ledger(t, 0)
	s := feed.New(store, eventstore.Position{})
	if _, err := s.Subscribe(t.Context(), "other"); err == nil {
		t.Error("another topic: no error")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Subscribe(t.Context(), feed.Topic); err == nil {
		t.Error("after Close: no error")
	}
}

func TestRecordedFails(t *testing.T) {
	store, all := ledger(t, 1)
	messages := subscribe(t, t.Context(), feed.New(store, eventstore.Position{}))
	good := expect(t, messages, all[0])
	for _, key := range []string{feed.Schema, feed.Revision, feed.Position, feed.RecordedAt, feed.Sealed, feed.Salt} {
		bad := good.Copy()
		bad.Metadata[key] = "?"
		if e, err := feed.Recorded(bad); err == nil || !strings.Contains(err.Error(), good.UUID) {
			t.Errorf("bad %s: %v, %v, want an error that names the message", key, e, err)
		}
	}
	bad := good.Copy()
	bad.UUID = "?"
	if e, err := feed.Recorded(bad); err == nil {
		t.Errorf("bad UUID: %v, no error", e)
	}
}

// What nobody wants becomes no message, and what follows it does.
func TestWants(t *testing.T) {
	store, events := ledger(t, 5)
	s := feed.New(store, eventstore.Position{})
	s.Wants = func(e eventstore.Recorded) bool { return e.Type == "Happened1" || e.Type == "Happened4" }
	messages := subscribe(t, t.Context(), s)
	for _, i := range []int{1, 4} {
		expect(t, messages, events[i]).Ack()
	}
}

// A store whose engine is away now and then: each subscription yields a few
// events and then that.
type flaky struct {
	eventstore.Store
	each int
}

func (f *flaky) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		n := 0
		for e, err := range f.Store.Subscribe(ctx, after) {
			if n == f.each {
				yield(eventstore.Recorded{}, fmt.Errorf("read: %w", eventstore.ErrUnavailable))
				return
			}
			if n++; !yield(e, err) {
				return
			}
		}
	}
}

// An engine that was away changes nothing: every event once, in order.
func TestEngineAway(t *testing.T) {
	store, events := ledger(t, 7)
	s := feed.New(&flaky{store, 2}, eventstore.Position{})
	messages := subscribe(t, t.Context(), s)
	for _, e := range events {
		expect(t, messages, e).Ack()
	}
	if err := s.Err(); err != nil {
		t.Errorf("an engine that was away is an error: %v", err)
	}
}
