package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/eventstore/vault"
)

func makeIsStable(t *testing.T, w *world) {
	v := w.vault(t)
	first := mustMake(t, v, "T/user:a", "T/2026-11")
	if len(first[0]) != 32 || bytes.Equal(first[0], first[1]) {
		t.Errorf("secrets %x: want two of 32 bytes", first)
	}
	w.advance(time.Hour) // past the cache
	second := mustMake(t, v, "N/user:a", "T/2026-11", "T/user:a")
	if !bytes.Equal(second[1], first[1]) || !bytes.Equal(second[2], first[0]) {
		t.Error("the second call returned other secrets than the first")
	}
	w.advance(time.Hour)
	got, since, err := v.Key(t.Context(), "T/user:a")
	if err != nil || !since.IsZero() || !bytes.Equal(got, first[0]) {
		t.Errorf("Key = %x, %v, %v, want %x", got, since, err, first[0])
	}
}

func sameIDTwice(t *testing.T, w *world) {
	v := w.vault(t)
	for range 2 { // made, then found
		got := mustMake(t, v, "T/user:a", "N/user:a", "T/user:a")
		if !bytes.Equal(got[0], got[2]) || bytes.Equal(got[0], got[1]) {
			t.Errorf("%x: want the first and the third to be the same", got)
		}
		w.advance(time.Hour)
	}
}

func makersAgree(t *testing.T, w *world) {
	v := w.vault(t)
	agree(t, v, v, v, v, v, v)
}

// agree lets all make the same secrets at the same time, in other orders.
func agree(t *testing.T, makers ...*vault.Vault) {
	const rounds = 25
	results := make([][][]byte, len(makers))
	var group sync.WaitGroup
	for m, v := range makers {
		group.Go(func() {
			for r := range rounds {
				ids := []string{fmt.Sprintf("T/user:%d", r), fmt.Sprintf("N/user:%d", r)}
				if m%2 == 1 {
					ids[0], ids[1] = ids[1], ids[0]
				}
				secrets, err := v.Make(t.Context(), ids...)
				if err != nil {
					t.Error(err)
					return
				}
				if m%2 == 1 {
					secrets[0], secrets[1] = secrets[1], secrets[0]
				}
				results[m] = append(results[m], secrets...)
			}
		})
	}
	group.Wait()
	for m := range results {
		if diff := cmp.Diff(results[0], results[m]); diff != "" {
			t.Fatalf("maker %d has other secrets than maker 0 (-0 +%d):\n%s", m, m, diff)
		}
	}
}

func unknownSecret(t *testing.T, w *world) {
	_, _, err := w.vault(t).Key(t.Context(), "T/user:nobody")
	if unknown, ok := errors.AsType[*vault.UnknownError](err); !ok || unknown.ID != "T/user:nobody" {
		t.Errorf("err = %v, want an UnknownError", err)
	}
}

func forgottenStaysForgotten(t *testing.T, w *world) {
	v := w.vault(t)
	kept := mustMake(t, v, "P/user:a", "T/user:a", "X/execution:e")[0]
	since := w.now()
	mustForget(t, v, "user:a", 'T', 'N') // of N there is none yet
	if err := v.ForgetExecution(t.Context(), "e"); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		for _, id := range []string{"T/user:a", "N/user:a", "X/execution:e"} {
			wantDestroyed(t, v, id, since)
		}
		if got, _, err := v.Key(t.Context(), "P/user:a"); !bytes.Equal(got, kept) {
			t.Errorf("the class that was not destroyed: %x, %v, want %x", got, err, kept)
		}
	}
	check()
	w.advance(time.Minute)
	mustForget(t, v, "user:a", 'T', 'N') // again: the first time counts
	check()
}

// wantDestroyed checks that a secret is gone, and that none can be made.
func wantDestroyed(t *testing.T, v *vault.Vault, id string, since time.Time) {
	t.Helper()
	secret, at, err := v.Key(t.Context(), id)
	if secret != nil || !at.Equal(since) || err != nil {
		t.Errorf("Key(%s) = %x, %v, %v, want nil since %v", id, secret, at, err, since)
	}
	_, err = v.Make(t.Context(), "T/2026-11", id)
	if refused, ok := errors.AsType[*vault.DestroyedError](err); !ok || refused.ID != id || !refused.Since.Equal(since) {
		t.Errorf("Make(%s): err = %v, want a DestroyedError since %v", id, err, since)
	}
}

func forgettingNothing(t *testing.T, w *world) {
	if err := w.vault(t).Forget(t.Context(), nil, 'T'); err != nil {
		t.Error(err)
	}
}

// forgettingRacesReaders would fail if a reader could put back into the cache
// what it had read before the secret was destroyed.
func forgettingRacesReaders(t *testing.T, w *world) {
	v := w.vault(t)
	for round := range 50 {
		owner := fmt.Sprintf("execution:%d", round)
		id := vault.ID('X', owner)
		mustMake(t, v, id)
		w.advance(time.Hour)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { v.Key(t.Context(), id) })
		}
		mustForget(t, v, owner, 'X')
		group.Wait()
		if secret, _, err := v.Key(t.Context(), id); secret != nil || err != nil {
			t.Fatalf("round %d: %x, %v after Forget", round, secret, err)
		}
	}
}

func afterClosing(t *testing.T, w *world) {
	v := w.vault(t)
	mustMake(t, v, "T/user:a")
	cookie := addCookie(t, v, "s1", 1, w.now().Add(time.Hour))
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	w.advance(time.Minute * 30)
	_, errs := v.Make(t.Context(), "T/user:b")
	_, _, key := v.Key(t.Context(), "T/user:a")
	_, _, _, found := v.Cookie(t.Context(), cookie)
	for what, err := range map[string]error{
		"Make": errs, "Key": key, "Cookie": found, "Forget": v.Forget(t.Context(), []string{"user:a"}, 'T'),
		"DropSession": v.DropSession(t.Context(), "s1"),
	} {
		if !errors.Is(err, vault.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
}

func contextDone(t *testing.T, w *world) {
	v := w.vault(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// A secret may be made nevertheless; what counts is that nothing hangs,
	// and that nobody takes it for a failure of the engine.
	if _, err := v.Make(ctx, "T/user:a"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Make: %v, want the context's error", err)
	}
	if _, err := v.AddCookie(ctx, "s1", 1, w.now()); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("AddCookie: %v, want the context's error", err)
	}
	for _, err := range w.engine(t).Rows(ctx) {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Rows: %v, want the context's error", err)
		}
	}
}

func codesAndDigests(t *testing.T, w *world) {
	v := w.vault(t)
	code, digest := v.Code("username", "ada"), v.Digest("token", "abc")
	if len(code) != 52 || len(digest) != 32 {
		t.Errorf("code %q, digest %x: want 52 letters and 32 bytes", code, digest)
	}
	if v.Code("email", "ada") == code || v.Code("username", "bob") == code || bytes.Equal(v.Digest("recovery", "abc"), digest) {
		t.Error("kind, identifier and purpose must each count")
	}
	other := world{clock: w.clock, open: w.fresh(t)}
	if other.vault(t).Code("username", "ada") == code {
		t.Error("two vaults have the same pepper")
	}
}
