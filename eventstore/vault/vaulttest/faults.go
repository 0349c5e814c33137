package vaulttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/vault"
)

// calls are one of each kind.
var calls = map[string]func(ctx context.Context, e vault.Engine) error{
	"FindSecret": func(ctx context.Context, e vault.Engine) error {
		_, err := e.FindSecret(ctx, "T/user:a")
		return err
	},
	"AddSecrets": func(ctx context.Context, e vault.Engine) error {
		_, err := e.AddSecrets(ctx, vault.Secret{ID: "T/user:new", Wrapped: []byte("w")})
		return err
	},
	"DestroySecrets": func(ctx context.Context, e vault.Engine) error {
		return e.DestroySecrets(ctx, time.Now(), "T/user:gone")
	},
	"FindCookie": func(ctx context.Context, e vault.Engine) error {
		_, _, err := e.FindCookie(ctx, []byte("d"))
		return err
	},
	"AddCookie": func(ctx context.Context, e vault.Engine) error {
		return e.AddCookie(ctx, vault.Cookie{Digest: []byte("d"), Session: "s", Expires: time.Now()}, []byte("o"), time.Now())
	},
	"DropCookies": func(ctx context.Context, e vault.Engine) error { return e.DropCookies(ctx, "s", 1) },
	"Rows": func(ctx context.Context, e vault.Engine) error {
		for _, err := range e.Rows(ctx) {
			return err
		}
		return nil
	},
	"PutRows": func(ctx context.Context, e vault.Engine) error {
		return e.PutRows(ctx, vault.Row{Secret: vault.Secret{ID: "T/user:put", Wrapped: []byte("w")}})
	},
}

// RunAway checks what becomes of calls while the engine is out of reach, which
// away brings about and back ends: they fail with
// [eventstore.ErrUnavailable] within that time, and none does afterwards.
func RunAway(t *testing.T, e vault.Engine, within time.Duration, away, back func()) {
	if err := e.PutRows(t.Context(), vault.Row{Secret: vault.Secret{ID: "T/user:a", Wrapped: []byte("w")}}); err != nil {
		t.Fatal(err)
	}
	away()
	var group sync.WaitGroup
	for name, call := range calls {
		group.Go(func() {
			begun := time.Now()
			if err := call(t.Context(), e); !errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("%s: err = %v, want ErrUnavailable", name, err)
			}
			if took := time.Since(begun); took > within {
				t.Errorf("%s took %v", name, took)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := call(ctx, e); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("%s: err = %v, want the context's", name, err)
			}
		})
	}
	group.Wait()
	back()
	for name, call := range calls {
		if err := call(t.Context(), e); err != nil {
			t.Errorf("afterwards %s: %v", name, err)
		}
	}
}

// RunLost checks calls whose first answer gets lost, which lose brings about:
// each finds out by itself what has happened.
func RunLost(t *testing.T, e vault.Engine, lose func()) {
	for name, call := range calls {
		for range 3 { // the first time, connections may get ready
			lose()
			if err := call(t.Context(), e); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for i := range 20 {
		id := fmt.Sprintf("T/execution:%d", i)
		lose()
		rows, err := e.AddSecrets(t.Context(), vault.Secret{ID: id, Wrapped: []byte("first")})
		if err != nil || string(rows[0].Wrapped) != "first" {
			t.Errorf("%s: %v, %v, want the row offered", id, rows, err)
		}
		lose()
		since := time.UnixMicro(int64(i + 1)).UTC()
		if err := e.DestroySecrets(t.Context(), since, id); err != nil {
			t.Error(err)
		}
		lose()
		if row, err := e.FindSecret(t.Context(), id); err != nil || row.Wrapped != nil || !row.Since.Equal(since) {
			t.Errorf("%s: %v, %v, want it destroyed since %v", id, row, err, since)
		}
	}
}
