package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/handlers/worker"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A debtor is the executor: it says which executions were settled, and fails
// for some.
type debtor struct {
	mu      sync.Mutex
	settled []string       // guarded by mu
	fail    map[string]int // how often still; guarded by mu
}

func (d *debtor) Settle(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail[id] > 0 {
		d.fail[id]--
		return errors.New("not this time")
	}
	d.settled = append(d.settled, id)
	return nil
}

// A world is a settler with all that it works on.
type world struct {
	*worker.Settler
	t      *testing.T
	ledger *memory.Store
	debtor *debtor
	saved  []eventstore.Position
	parked []string
	log    bytes.Buffer
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, ledger: memory.New(func() time.Time { return start }), debtor: &debtor{fail: map[string]int{}}}
	t.Cleanup(func() { _ = w.ledger.Close() })
	w.Settler = &worker.Settler{Executor: w.debtor, Now: func() time.Time { return start.Add(time.Hour) }, Follower: worker.Follower{
		Store: w.ledger, Retry: time.Microsecond, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Save: func(p worker.Position) error { w.saved = append(w.saved, p); return nil },
		Park: func(_ context.Context, e eventstore.Recorded, cause error) error {
			w.parked = append(w.parked, e.Stream.ID()+": "+cause.Error())
			return nil
		},
	}}
	return w
}

const owing = `{"binding":{},"effects":[{"authenticate":{}}]}`

func (w *world) append(stream, kind, payload string) eventstore.Position {
	w.t.Helper()
	_, err := w.ledger.Append(w.t.Context(), eventstore.StreamID(stream), eventstore.Any, eventstore.NewEvent{
		ID: uuid.New(), Type: kind, Schema: 1, Header: []byte("{}"), Payload: []byte(payload),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	head, err := w.ledger.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return head
}

// until runs the settler until the executions with these ids are settled.
func (w *world) until(ids ...string) error {
	ctx, stop := context.WithCancel(w.t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for {
		w.debtor.mu.Lock()
		done := !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(w.debtor.settled, id) })
		w.debtor.mu.Unlock()
		if done {
			stop()
			return <-ended
		}
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Millisecond):
		}
	}
}

func TestSettlesWhatIsOwed(t *testing.T) {
	w := newWorld(t)
	w.append("execution-a", "ExecutionStarted", "{}")
	w.append("execution-a", "StageCompleted", owing)
	w.append("execution-b", "StageCompleted", `{"binding":{}}`)
	w.append("execution-c", "ExecutionCompleted", "{}")
	w.append("session-d", "StageCompleted", owing)
	w.append("execution-e", "ExecutionDenied", "{}")
	last := w.append("execution-f", "StageCompleted", owing)
	if err := w.until("f"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "c", "f"}, w.debtor.settled); diff != "" {
		t.Errorf("settled (-want +got):\n%s", diff)
	}
	if len(w.saved) == 0 || w.saved[len(w.saved)-1].Compare(last) > 0 {
		t.Errorf("checkpoints %v, the ledger ends at %s", w.saved, last)
	}
}

// After a start it goes on behind its checkpoint; what came since the last one
// is dealt with again.
func TestCheckpoint(t *testing.T) {
	w := newWorld(t)
	first := w.append("execution-a", "ExecutionCompleted", "{}")
	w.append("execution-b", "ExecutionCompleted", "{}")
	if err := w.until("a", "b"); err != nil {
		t.Fatal(err)
	}
	if err := w.until("b"); err != nil { // as if no checkpoint had been saved
		t.Fatal(err)
	}
	w.debtor.settled, w.From = nil, first
	if err := w.until("b"); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(w.debtor.settled, "a") {
		t.Errorf("settled %v, from behind a", w.debtor.settled)
	}
}

// What fails a few times is tried again; what fails always is parked, and the
// rest goes on.
func TestPoison(t *testing.T) {
	w := newWorld(t)
	w.debtor.fail = map[string]int{"shy": 5, "poison": 1 << 30}
	w.append("execution-shy", "ExecutionCompleted", "{}")
	w.append("execution-poison", "ExecutionCompleted", "{}")
	w.append("execution-after", "ExecutionCompleted", "{}")
	if err := w.until("after"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"poison: settle execution poison: not this time"}, w.parked); diff != "" {
		t.Errorf("parked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"shy", "after"}, w.debtor.settled); diff != "" {
		t.Errorf("settled (-want +got):\n%s", diff)
	}
}

// The request that owes has a moment for itself.
func TestSettlesNotTooSoon(t *testing.T) {
	w := newWorld(t)
	w.append("execution-a", "ExecutionCompleted", "{}")
	ctx, stop := context.WithCancel(t.Context())
	asked := make(chan struct{}, 1)
	w.Now = func() time.Time {
		select {
		case asked <- struct{}{}:
		default:
		}
		return start.Add(-time.Hour)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	<-asked
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if len(w.debtor.settled) != 0 || len(w.saved) != 0 || len(w.parked) != 0 {
		t.Errorf("settled %v, saved %v, parked %v", w.debtor.settled, w.saved, w.parked)
	}
}

func TestSaveFails(t *testing.T) {
	w := newWorld(t)
	errDisk := errors.New("the disk is full")
	w.Save = func(worker.Position) error { return errDisk }
	w.append("execution-a", "ExecutionCompleted", "{}")
	w.append("execution-b", "ExecutionCompleted", "{}")
	if err := w.until("a", "b"); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
}
