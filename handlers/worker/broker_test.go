package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/handlers/worker"
)

// A station is a broker with the ledger that it publishes.
type station struct {
	*worker.Broker
	t      *testing.T
	ledger *memory.Store
	stop   func() error // ends the worker, if it runs

	mu    sync.Mutex
	saved eventstore.Position // guarded by mu
	log   bytes.Buffer        // guarded by mu
}

// Write takes a line of the log.
func (s *station) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(line)
}

func newStation(t *testing.T, url string) *station {
	t.Helper()
	bus, err := worker.OpenBus(url)
	if err != nil {
		t.Fatal(err)
	}
	s := &station{t: t, ledger: memory.New(func() time.Time { return start })}
	t.Cleanup(func() { _ = s.ledger.Close() })
	s.Broker = &worker.Broker{Bus: bus, Now: func() time.Time { return start.Add(time.Minute) }, Follower: worker.Follower{
		Store: s.ledger, Retry: time.Millisecond, Log: slog.New(slog.NewTextHandler(s, nil)),
		Save: func(p worker.Position) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.saved = p
			return nil
		},
		Park: func(_ context.Context, e eventstore.Recorded, cause error) error {
			t.Errorf("%s was parked: %v", e.Stream, cause)
			return nil
		},
	}}
	return s
}

// begin runs the worker. Its ledger goes on, its checkpoint where it was.
func (s *station) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	s.t.Cleanup(func() {
		if err := s.stop(); err != nil {
			s.t.Error(err)
		}
	})
}

// write appends events to streams, in turn, and returns the ids in each.
func (s *station) write(streams, rounds int) map[string][]string {
	s.t.Helper()
	ids := map[string][]string{}
	for round := range rounds {
		for i := range streams {
			stream := fmt.Sprintf("execution-%d", i)
			id := uuid.New()
			_, err := s.ledger.Append(context.Background(), eventstore.StreamID(stream), eventstore.Any, eventstore.NewEvent{
				ID: id, Type: "StageEntered", Schema: 1, Payload: fmt.Appendf(nil, `{"round":%d}`, round),
				Header: []byte(`{"actor":{"kind":"user","id":"u1"},"correlation":"c 1","causation":"e1"}`),
			})
			if err != nil {
				s.t.Error(err)
			}
			ids[stream] = append(ids[stream], id.String())
		}
	}
	return ids
}

// append adds one event.
func (s *station) append(stream, payload string) {
	s.t.Helper()
	_, err := s.ledger.Append(s.t.Context(), eventstore.StreamID(stream), eventstore.Any, eventstore.NewEvent{
		ID: uuid.New(), Type: "StageEntered", Schema: 1, Header: []byte("{}"), Payload: []byte(payload),
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// until waits until the broker has acknowledged so many events.
func (s *station) until(published int64) {
	s.t.Helper()
	within(s.t, func() bool { return s.Published() >= published })
}

// within waits until something is so.
func within(t *testing.T, so func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it does not come to that")
		}
	}
}

// checked reads a message as the CloudEvents SDK does.
func checked(t *testing.T, contentType string, raw []byte) cloudevents.Event {
	t.Helper()
	if !strings.HasPrefix(contentType, "application/cloudevents+json") {
		t.Errorf("content type %q", contentType)
	}
	var e cloudevents.Event
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if err := e.Validate(); err != nil {
		t.Errorf("%v: %s", err, raw)
	}
	return e
}

// arrived compares what came, in its order, with what was written: all of it,
// each stream in its order, and once, repetitions put aside.
func arrived(t *testing.T, want map[string][]string, got []cloudevents.Event) {
	t.Helper()
	streams, seen := map[string][]string{}, map[string]bool{}
	for _, e := range got {
		if !seen[e.ID()] {
			streams[e.Subject()] = append(streams[e.Subject()], e.ID())
		}
		seen[e.ID()] = true
	}
	for stream, ids := range want {
		if !slices.Equal(ids, streams[stream]) {
			t.Errorf("%s: %d events were written, %d came, or in another order", stream, len(ids), len(streams[stream]))
		}
	}
}
