package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
)

// written makes a ledger of n events in three streams.
func written(t *testing.T, n int) *memory.Store {
	t.Helper()
	s := memory.New(time.Now)
	for i := range n {
		e := eventstore.NewEvent{ID: uuid.New(), Type: "Happened", Schema: 1, Payload: fmt.Appendf(nil, "%d", i)}
		if _, err := s.Append(t.Context(), eventstore.Stream("a", fmt.Sprint(i%3)), eventstore.Any, e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// recorded reads a ledger.
func recorded(t *testing.T, s eventstore.Store) (events []eventstore.Recorded) {
	t.Helper()
	for e, err := range s.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func transferring(from eventstore.Store, to restoring) *transfer {
	return &transfer{from: from, to: to, tell: func(string, eventstore.Position, int) {}}
}

// run does all of a transfer.
func (t *transfer) run(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	return t.finish(ctx)
}

// holding makes a ledger that has these events, the last with a change.
func holding(t *testing.T, events []eventstore.Recorded, change func(*eventstore.Recorded)) *memory.Store {
	t.Helper()
	s := memory.New(time.Now)
	if len(events) > 0 {
		events = append([]eventstore.Recorded(nil), events...)
		change(&events[len(events)-1])
	}
	if err := s.Restore(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTransfer(t *testing.T) {
	const n = 2500
	from := written(t, n)
	all := recorded(t, from)
	asIs := func(*eventstore.Recorded) {}
	for name, test := range map[string]struct {
		to   *memory.Store
		says string
	}{
		"all is copied to an empty target":     {holding(t, nil, asIs), ""},
		"a copy goes on where it ended":        {holding(t, all[:1234], asIs), ""},
		"a copy that is complete stays":        {holding(t, all, asIs), ""},
		"a target with another payload":        {holding(t, all[:7], func(e *eventstore.Recorded) { e.Payload = []byte("x") }), "no copy of the source: revision 2 of stream a-0 has another payload"},
		"a target with another sealed part":    {holding(t, all[:7], func(e *eventstore.Recorded) { e.Sealed = []byte("x") }), "another sealed part"},
		"a target with another header":         {holding(t, all[:7], func(e *eventstore.Recorded) { e.Header = []byte("x") }), "another header"},
		"a target with another time":           {holding(t, all[:7], func(e *eventstore.Recorded) { e.RecordedAt = e.RecordedAt.Add(time.Hour) }), "another time"},
		"a target with another salt":           {holding(t, all[:7], func(e *eventstore.Recorded) { e.Salt[3]++ }), "another salt"},
		"a target with another type":           {holding(t, all[:7], func(e *eventstore.Recorded) { e.Type = "X" }), "another type"},
		"a target with another schema":         {holding(t, all[:7], func(e *eventstore.Recorded) { e.Schema = 9 }), "another schema"},
		"a target with another event":          {holding(t, all[:7], func(e *eventstore.Recorded) { e.ID = uuid.New() }), "another id"},
		"a target with another stream":         {holding(t, all[:1], func(e *eventstore.Recorded) { e.Stream = "b-1" }), "another stream"},
		"a target with more than the source":   {extended(t, all), "revision 0 of stream b-1 is not in the source"},
		"a ledger that has nothing in common":  {written(t, 3), "another id"},
		"a ledger whose end is not the source": {extended(t, all[:9]), "another stream"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(recorded(t, test.to))
			err := transferring(from, test.to).run(t.Context())
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("error %v, want one that says %q", err, test.says)
				}
				if after := len(recorded(t, test.to)); after != before {
					t.Errorf("the target has %d events, %d before", after, before)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			copies := recorded(t, test.to)
			if len(copies) != n {
				t.Fatalf("%d events, want %d", len(copies), n)
			}
			for i, e := range copies {
				if part := differing(all[i], e); part != "" {
					t.Fatalf("event %d has another %s", i, part)
				}
			}
		})
	}
}

// extended makes a ledger that goes on by itself after these events.
func extended(t *testing.T, events []eventstore.Recorded) *memory.Store {
	t.Helper()
	s := holding(t, events, func(*eventstore.Recorded) {})
	if _, err := s.Append(t.Context(), "b-1", eventstore.NoStream, eventstore.NewEvent{ID: uuid.New(), Type: "X", Payload: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTransferLive copies from a ledger that goes on meanwhile.
func TestTransferLive(t *testing.T) {
	from, to := written(t, 2500), memory.New(time.Now)
	tr := transferring(from, to)
	tr.tell = func(string, eventstore.Position, int) {
		e := eventstore.NewEvent{ID: uuid.New(), Type: "Happened", Payload: []byte("{}")}
		if _, err := from.Append(t.Context(), "live-1", eventstore.Any, e); err != nil {
			t.Error(err)
		}
	}
	if err := tr.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(recorded(t, to))
	if before < 2500 {
		t.Errorf("%d events were copied, there were 2500 when it began", before)
	}
	again := transferring(from, to)
	if err := again.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := len(recorded(t, to)), len(recorded(t, from)); got != want || again.copied != want-before {
		t.Errorf("the copy has %d events, %d of them new, the source %d", got, again.copied, want)
	}
}

// A clumsy store changes something of what it takes over.
type clumsy struct {
	*memory.Store
	change func([]eventstore.Recorded) []eventstore.Recorded
}

// Restore implements [eventstore.Restorer].
func (c *clumsy) Restore(ctx context.Context, events ...eventstore.Recorded) error {
	return c.Store.Restore(ctx, c.change(events)...)
}

func TestTransferFindsFaults(t *testing.T) {
	from := written(t, 30)
	for name, test := range map[string]struct {
		change func([]eventstore.Recorded) []eventstore.Recorded
		says   string
	}{
		"a changed byte": {func(e []eventstore.Recorded) []eventstore.Recorded {
			e[10].Payload = []byte("[]")
			return e
		}, "the copy is not like the source: revision 3 of stream a-1 has another payload"},
		"a lost end": {func(e []eventstore.Recorded) []eventstore.Recorded { return e[:29] }, "29 of 30 events are there"},
	} {
		t.Run(name, func(t *testing.T) {
			err := transferring(from, &clumsy{memory.New(time.Now), test.change}).run(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want one that says %q", err, test.says)
			}
		})
	}
	away := errors.New("away")
	err := transferring(from, &failing{memory.New(time.Now), away}).run(t.Context())
	if !errors.Is(err, away) {
		t.Errorf("error %v, want %v", err, away)
	}
}

// A failing store takes nothing over.
type failing struct {
	*memory.Store
	err error
}

// Restore implements [eventstore.Restorer].
func (f *failing) Restore(context.Context, ...eventstore.Recorded) error { return f.err }

// TestTransferMarks finds places of the source again in a target whose
// positions are others.
func TestTransferMarks(t *testing.T) {
	from, to := written(t, 20), &sparse{memory.New(time.Now)}
	tr := transferring(from, to)
	for _, at := range []uint64{0, 1, 7, 20, 99} {
		tr.marks = append(tr.marks, &mark{source: eventstore.PositionOf(at)})
	}
	if err := tr.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint64{0, 100, 700, 2000, 2000} {
		if got := tr.marks[i].target.Value(); got != want {
			t.Errorf("position %s of the source is %d in the target, want %d", tr.marks[i].source, got, want)
		}
	}
}

// A sparse store counts its positions by the hundred.
type sparse struct{ *memory.Store }

// ReadAll implements [eventstore.Store].
func (s *sparse) ReadAll(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for e, err := range s.Store.ReadAll(ctx, eventstore.PositionOf(after.Value()/100)) {
			e.Position = eventstore.PositionOf(e.Position.Value() * 100)
			if !yield(e, err) {
				return
			}
		}
	}
}
