package command_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/command"
)

func at(revision int64, n int) command.At[tally] {
	return command.At[tally]{Command: add{n, 1000}, Revision: eventstore.Revision(revision)}
}

func TestAt(t *testing.T) {
	h := newHandler(t)
	mustHandle(t, h, add{1, 9})
	for revision, want := range map[int64]domain.Code{-1: domain.Outdated, 0: "", 1: domain.Outdated, 7: domain.Outdated} {
		// The right one comes with nothing to do, so that all see the same.
		_, err := h.Handle(t.Context(), stream, at(revision, 0), meta)
		code, text := domain.Explain(err)
		if err == nil {
			code = ""
		}
		if code != want || want != "" && !strings.Contains(text, "at revision 0 by now") {
			t.Errorf("at %d: %s %q, want %s", revision, code, text, want)
		}
	}
	if s, err := h.Handle(t.Context(), stream, at(0, 5), meta); err != nil || s.Sum != 6 {
		t.Errorf("the sum is %d, %v", s.Sum, err)
	}
}

// A command of somebody who saw a revision is not decided again on a newer one.
func TestAtLosesARace(t *testing.T) {
	h := newHandler(t)
	mustHandle(t, h, add{1, 9})
	other := *h
	h.Store = &racer{Store: h.Store, races: 1, other: func() { mustHandle(t, &other, add{10, 1000}) }}
	_, err := h.Handle(t.Context(), stream, at(0, 1), meta)
	if code, _ := domain.Explain(err); code != domain.Outdated {
		t.Errorf("got %v", err)
	}
	if s, _, _ := h.Load(t.Context(), stream); s.Sum != 11 {
		t.Errorf("the sum is %d, want 11", s.Sum)
	}
}

func TestOneOfManyWins(t *testing.T) {
	h := newHandler(t)
	mustHandle(t, h, add{1, 9})
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := h.Handle(context.Background(), stream, at(0, 1), meta)
			if code, _ := domain.Explain(err); err == nil {
				won.Add(1)
			} else if code != domain.Outdated {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s, _, _ := h.Load(t.Context(), stream); won.Load() != 1 || s.Sum != 2 {
		t.Errorf("%d won, and the sum is %d", won.Load(), s.Sum)
	}
}
