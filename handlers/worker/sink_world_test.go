package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/handlers/worker"
)

// A yard is a sink with the ledger that it sends. Its clerk writes the id and
// the stream of every event, and its journal remembers what it was told.
type yard struct {
	*worker.Sink
	t      *testing.T
	ledger *memory.Store
	stop   func() error // ends the worker, if it runs
	want   map[string][]string

	mu     sync.Mutex
	saved  eventstore.Position // guarded by mu, like all below
	log    bytes.Buffer
	rests  []time.Duration
	told   []string
	parked []worker.Item
}

// line is what the clerk writes.
type line struct{ ID, Stream string }

func newYard(t *testing.T, target worker.Target) *yard {
	t.Helper()
	y := &yard{t: t, ledger: memory.New(func() time.Time { return start }), want: map[string][]string{}}
	t.Cleanup(func() { _ = y.ledger.Close() })
	y.Sink = y.sink(target, eventstore.Position{})
	return y
}

// sink makes a worker as after a start.
func (y *yard) sink(target worker.Target, from eventstore.Position) *worker.Sink {
	return &worker.Sink{
		Name: "sink-1", Clerk: y, Target: target, Journal: y, Lanes: 1, Batch: 20, Linger: time.Millisecond,
		Now: func() time.Time { return start.Add(time.Minute) }, Chance: func() float64 { return 1 },
		Rest: func(ctx context.Context, d time.Duration) error {
			y.mu.Lock()
			y.rests = append(y.rests, d)
			y.mu.Unlock()
			return ctx.Err()
		},
		Follower: worker.Follower{
			Store: y.ledger, From: from, Retry: time.Millisecond, Log: slog.New(slog.NewTextHandler((*yardLog)(y), nil)),
			Save: func(p worker.Position) error {
				y.mu.Lock()
				defer y.mu.Unlock()
				y.saved = p
				return nil
			},
			Park: func(_ context.Context, e eventstore.Recorded, cause error) error {
				y.t.Errorf("%s was parked by the reader: %v", e.Stream, cause)
				return nil
			},
		},
	}
}

// A yardLog is where a yard logs.
type yardLog yard

// Write takes a line of the log.
func (y *yardLog) Write(line []byte) (int, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.log.Write(line)
}

// begin runs the worker.
func (y *yard) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	sink := y.Sink
	go func() { ended <- sink.Run(ctx) }()
	y.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	y.t.Cleanup(func() {
		if err := y.stop(); err != nil {
			y.t.Error(err)
		}
	})
}

// restart ends the worker and begins a new one where the last checkpoint is.
func (y *yard) restart(target worker.Target) {
	y.t.Helper()
	if err := y.stop(); err != nil {
		y.t.Fatal(err)
	}
	y.Sink = y.sink(target, y.place())
	y.begin()
}

func (y *yard) place() eventstore.Position {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.saved
}

// write appends events to executions, in turn.
func (y *yard) write(executions, rounds int) {
	y.t.Helper()
	for range rounds {
		for i := range executions {
			y.append(fmt.Sprintf("execution-%d", i), "StageEntered", "{}")
		}
	}
}

func (y *yard) append(stream, event, payload string) string {
	y.t.Helper()
	id := uuid.New()
	_, err := y.ledger.Append(context.Background(), eventstore.StreamID(stream), eventstore.Any, eventstore.NewEvent{
		ID: id, Type: event, Schema: 1, Header: []byte("{}"), Payload: []byte(payload),
	})
	if err != nil {
		y.t.Error(err)
	}
	if eventstore.StreamID(stream).Category() == "execution" {
		y.want[stream] = append(y.want[stream], id.String())
	}
	return id.String()
}

func (y *yard) all() (n int) {
	for _, ids := range y.want {
		n += len(ids)
	}
	return n
}

// Wants implements worker.Clerk.
func (*yard) Wants(e eventstore.Recorded) bool { return e.Stream.Category() != "session" }

// Write implements worker.Clerk.
func (*yard) Write(_ context.Context, e eventstore.Recorded) (worker.Item, bool, error) {
	body, err := json.Marshal(line{e.ID.String(), string(e.Stream)})
	return worker.Item{Body: append(body, '\n')}, true, err
}

// Released implements worker.Clerk.
func (y *yard) Released(ctx context.Context, e eventstore.Recorded) (eventstore.Recorded, bool, error) {
	var released struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(e.Payload, &released); err != nil {
		return e, false, err
	}
	for e, err := range y.ledger.ReadAll(ctx, eventstore.Position{}) {
		if err != nil || e.ID.String() == released.Event {
			return e, err == nil, err
		}
	}
	return e, false, nil
}

func (y *yard) tell(format string, args ...any) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.told = append(y.told, fmt.Sprintf(format, args...))
}

// Failed implements worker.Journal.
func (y *yard) Failed(_ context.Context, _ worker.Position, _ int, class string) error {
	y.tell("failed: %s", class)
	return nil
}

// Recovered implements worker.Journal. The first success of a process ends an
// outage that the last one may have left.
func (y *yard) Recovered(context.Context, int) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if len(y.told) > 0 && y.told[len(y.told)-1] != "recovered" {
		y.told = append(y.told, "recovered")
	}
	return nil
}

// Delivered implements worker.Journal.
func (*yard) Delivered(context.Context, worker.Tally) (bool, error) { return true, nil }

// Park implements worker.Journal.
func (y *yard) Park(_ context.Context, i worker.Item, _ *worker.Rejection, _ int) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.parked = append(y.parked, i)
	return nil
}

func (y *yard) news() []string {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.Clone(y.told)
}

func (y *yard) outcasts() []worker.Item {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.Clone(y.parked)
}

func (y *yard) longest() (d time.Duration) {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.Max(append(y.rests, 0))
}

// receipts are what a target has got, in its order.
type receipts struct {
	mu    sync.Mutex
	lines []line          // guarded by mu
	seen  map[string]bool // guarded by mu
}

func (r *receipts) add(text []byte) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		panic(fmt.Sprintf("a record came torn: %q", text)) // where records end, the target knows
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.lines = append(r.lines, l)
	r.seen[l.ID] = true
}

func (r *receipts) different() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

// check compares what came with what was written: all of it, the events of each
// execution in their order, repetitions put aside. It returns how many of those
// there were.
func (r *receipts) check(t *testing.T, want map[string][]string, but ...string) (repeated int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	got, seen := map[string][]string{}, map[string]bool{}
	for _, l := range r.lines {
		if seen[l.ID] {
			repeated++
			continue
		}
		seen[l.ID] = true
		got[l.Stream] = append(got[l.Stream], l.ID)
	}
	for stream, ids := range want {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(but, id) })
		if !slices.Equal(ids, got[stream]) {
			t.Errorf("%s: %d events were written, %d came, or in another order", stream, len(ids), len(got[stream]))
		}
	}
	return repeated
}
