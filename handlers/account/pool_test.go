package account

import (
	"context"
	"errors"
	"testing"

	"github.com/flowledger/flowledger/domain"
)

// One password for each slot; so many wait, and the next is told so.
func TestPoolIsBounded(t *testing.T) {
	p := NewPool()
	busy := make(chan struct{})
	ended := make(chan error, cap(p.queue))
	for range cap(p.slots) {
		started := make(chan struct{})
		go func() { ended <- p.do(t.Context(), func() { close(started); <-busy }) }()
		<-started
	}
	gone, leave := context.WithCancel(t.Context())
	waiters := cap(p.queue) - cap(p.slots)
	for range waiters {
		go func() { ended <- p.do(gone, func() { t.Error("worked for a client that left") }) }()
	}
	for len(p.queue) < cap(p.queue) {
		// All are to be in the queue before the next one comes.
		if len(ended) > 0 {
			t.Fatal(<-ended)
		}
	}
	_, _, err := p.Verify(t.Context(), domain.Secret{}, domain.NewSecret("x"))
	if code, _ := domain.Explain(err); code != domain.Busy {
		t.Errorf("with a full queue: %v", err)
	}
	leave()
	for range waiters {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a client that left: %v", err)
		}
	}
	close(busy)
	for range cap(p.slots) {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if len(p.queue) != 0 || len(p.slots) != 0 {
		t.Errorf("%d in the queue, %d slots taken", len(p.queue), len(p.slots))
	}
}

func TestPoolHashes(t *testing.T) {
	p := NewPool()
	hash, err := p.Hash(t.Context(), domain.NewSecret("right"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.Hash(t.Context(), domain.NewSecret("right"))
	if err != nil || other.Equal(hash) {
		t.Errorf("two hashes without salt, %v", err)
	}
	for typed, want := range map[string]bool{"right": true, "wrong": false} {
		ok, rehash, err := p.Verify(t.Context(), hash, domain.NewSecret(typed))
		if ok != want || rehash || err != nil {
			t.Errorf("%s: %t, rehash %t, %v", typed, ok, rehash, err)
		}
	}
	if ok, _, err := p.Verify(t.Context(), domain.Secret{}, domain.NewSecret("right")); ok || err != nil {
		t.Errorf("nobody's password: %t, %v", ok, err)
	}
}
