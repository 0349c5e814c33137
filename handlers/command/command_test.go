package command_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/command"
)

// tally is an aggregate that adds numbers up.
type tally struct {
	Sum  int
	Note string
}

type Added struct {
	N    int    `json:"n"`
	Note string `json:"note" seal:"P"`
}

func (Added) EventType() string { return "TestAdded" }

func (e Added) Evolve(s tally) tally { return tally{Sum: s.Sum + e.N, Note: e.Note} }

// Foreign is of another aggregate.
type Foreign struct{}

func (Foreign) EventType() string { return "TestForeign" }

func (Foreign) Evolve(s string) string { return s }

func init() {
	codec.Register[Added](1)
	codec.Register[Foreign](1)
}

// add adds n, up to a limit.
type add struct{ n, limit int }

func (c add) Decide(s tally) ([]domain.Event[tally], error) {
	if s.Sum+c.n > c.limit {
		return nil, domain.Errorf(domain.Conflict, "The sum would be over %d.", c.limit)
	}
	if c.n == 0 {
		return nil, nil
	}
	return []domain.Event[tally]{Added{N: c.n, Note: "secret note"}}, nil
}

const stream = eventstore.StreamID("tally-1")

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

var meta = codec.Meta{Subject: "tenant", Time: now()}

// racer is a store in which somebody else is always faster, a few times.
type racer struct {
	eventstore.Store
	races int
	other func()
}

func (r *racer) Append(ctx context.Context, s eventstore.StreamID, x eventstore.Expected, events ...eventstore.NewEvent) (eventstore.Revision, error) {
	if r.races > 0 {
		r.races--
		r.other()
	}
	return r.Store.Append(ctx, s, x, events...)
}

func newHandler(t *testing.T) *command.Handler[tally] {
	t.Helper()
	v, err := vault.Open(vault.Memory, [32]byte{1}, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return &command.Handler[tally]{Store: memory.New(now), Codec: &codec.Codec{Vault: v, Tenant: "t"}}
}

func mustHandle(t *testing.T, h *command.Handler[tally], c add) tally {
	t.Helper()
	s, err := h.Handle(t.Context(), stream, c, meta)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHandleDecidesOnWhatIsThere(t *testing.T) {
	h := newHandler(t)
	for want := 1; want <= 3; want++ {
		if got := mustHandle(t, h, add{1, 3}); got.Sum != want {
			t.Errorf("sum is %d, want %d", got.Sum, want)
		}
	}
	if _, err := h.Handle(t.Context(), stream, add{1, 3}, meta); err == nil {
		t.Error("the limit does not hold")
	} else if code, _ := domain.Explain(err); code != domain.Conflict {
		t.Errorf("error %v, want a conflict", err)
	}
	if got := mustHandle(t, h, add{0, 3}); got.Sum != 3 {
		t.Errorf("nothing to do returns %+v, want the state", got)
	}
	got, revision, err := h.Load(t.Context(), stream)
	if err != nil || revision != 2 {
		t.Errorf("loaded revision %d, %v, want 2", revision, err)
	}
	if diff := cmp.Diff(tally{Sum: 3, Note: "secret note"}, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

func TestLoadAt(t *testing.T) {
	h := newHandler(t)
	for range 3 {
		mustHandle(t, h, add{1, 9})
	}
	for last, want := range map[eventstore.Revision]int{-1: 0, 0: 1, 1: 2, 2: 3, 9: 3} {
		s, revision, err := h.LoadAt(t.Context(), stream, last)
		if err != nil || s.Sum != want || revision != min(last, 2) {
			t.Errorf("at %d: %d at %d, %v, want %d", last, s.Sum, revision, err, want)
		}
	}
	if _, revision, err := h.Load(t.Context(), "tally-none"); err != nil || revision != -1 {
		t.Errorf("nothing is at %d, %v, want -1", revision, err)
	}
}

func TestLosersDecideAgain(t *testing.T) {
	for races, wantCode := range map[int]domain.Code{1: "", 4: "", 5: domain.Busy} {
		h := newHandler(t)
		other := *h
		h.Store = &racer{Store: h.Store, races: races, other: func() { mustHandle(t, &other, add{10, 1000}) }}
		s, err := h.Handle(t.Context(), stream, add{1, 1000}, meta)
		if wantCode != "" {
			if code, _ := domain.Explain(err); err == nil || code != wantCode {
				t.Errorf("%d races: %v, want %s", races, err, wantCode)
			}
		} else if err != nil || s.Sum != races*10+1 {
			t.Errorf("%d races: %+v, %v, want %d", races, s, err, races*10+1)
		}
	}
}

func TestLimitHoldsUnderConcurrency(t *testing.T) {
	h := newHandler(t)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				_, err := h.Handle(context.Background(), stream, add{1, 50}, meta)
				if code, _ := domain.Explain(err); err != nil && code != domain.Busy {
					return
				}
			}
		})
	}
	wg.Wait()
	if s, revision, err := h.Load(t.Context(), stream); err != nil || s.Sum != 50 || revision != 49 {
		t.Errorf("sum %d at revision %d, %v, want 50 at 49", s.Sum, revision, err)
	}
}

func TestAppendReturnsALostRace(t *testing.T) {
	h := newHandler(t)
	mustHandle(t, h, add{1, 9})
	_, err := h.Append(t.Context(), stream, -1, []domain.Event[tally]{Added{N: 5}}, meta)
	wrong, ok := errors.AsType[*eventstore.WrongExpectedError](err)
	if !ok || wrong.Actual != 0 {
		t.Errorf("got %v, want a WrongExpectedError at 0", err)
	}
	if revision, err := h.Append(t.Context(), stream, 0, nil, meta); revision != 0 || err != nil {
		t.Errorf("appending nothing: %d, %v", revision, err)
	}
}

func TestRepeatedCommandIsAReplay(t *testing.T) {
	h := newHandler(t)
	m := meta
	m.Command = uuid.MustParse("01938d2e-7c00-7000-8000-000000000001")
	events := []domain.Event[tally]{Added{N: 5}, Added{N: 6}}
	for range 2 {
		if revision, err := h.Append(t.Context(), stream, -1, events, m); err != nil || revision != 1 {
			t.Fatalf("revision %d, %v, want 1", revision, err)
		}
	}
	// The same command cannot be two decisions.
	_, err := h.Handle(t.Context(), stream, add{1, 100}, m)
	if wrong, ok := errors.AsType[*eventstore.WrongExpectedError](err); !ok || wrong.Duplicate == uuid.Nil {
		t.Errorf("another decision under the same command: got %v, want a duplicate", err)
	}
	if s, _, _ := h.Load(t.Context(), stream); s.Sum != 11 {
		t.Errorf("sum is %d, want 11", s.Sum)
	}
}

func TestStrangersInAStreamAreErrors(t *testing.T) {
	h := newHandler(t)
	other := &command.Handler[string]{Store: h.Store, Codec: h.Codec}
	if _, err := other.Append(t.Context(), stream, -1, []domain.Event[string]{Foreign{}}, meta); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Load(t.Context(), stream); err == nil || !strings.Contains(err.Error(), "another aggregate") {
		t.Errorf("got %v", err)
	}
	unknown := eventstore.NewEvent{ID: uuid.New(), Type: "TestUnheardOf", Schema: 1, Header: []byte("{}"), Payload: []byte("{}")}
	if _, err := h.Store.Append(t.Context(), "tally-2", eventstore.NoStream, unknown); err != nil {
		t.Fatal(err)
	}
	_, err := h.Handle(t.Context(), "tally-2", add{1, 9}, meta)
	if _, ok := errors.AsType[*codec.UnknownTypeError](err); !ok {
		t.Errorf("got %v, want an UnknownTypeError", err)
	}
}

func TestPosition(t *testing.T) {
	h := newHandler(t)
	mustHandle(t, h, add{1, 9})
	if _, err := h.Handle(t.Context(), "tally-2", add{1, 9}, meta); err != nil {
		t.Fatal(err)
	}
	mustHandle(t, h, add{1, 9})
	if p, err := h.Position(t.Context(), stream, 1); err != nil || p.Value() != 3 {
		t.Errorf("position %v, %v, want 3", p, err)
	}
	if _, err := h.Position(t.Context(), stream, 2); err == nil {
		t.Error("an event that is not there has a position")
	}
}
