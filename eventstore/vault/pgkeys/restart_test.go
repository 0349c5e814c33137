package pgkeys_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/vault"
)

// Two nodes make and forget while their server crashes and comes back. What
// was acknowledged is as it was, and callers hear of nothing but a server out
// of reach.
func TestServerCrashes(t *testing.T) {
	if shared.why != nil {
		t.Skip(shared.why)
	}
	t.Parallel()
	folder, err := os.MkdirTemp("", "pgkeys") // where the server's user may go, too
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	s, err := prepare(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	var made, forgotten sync.Map
	acknowledged := make(chan struct{}, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var group sync.WaitGroup
	for node := range 2 {
		v, err := vault.New(t.Context(), open(t, s.address("postgres"), time.Now), kek, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		for caller := range 4 {
			group.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					owner := fmt.Sprintf("user:%d-%d-%d", node, caller, i)
					id := vault.ID('T', owner)
					secrets, err := v.Make(ctx, id)
					if err == nil {
						made.Store(id, secrets[0])
						if i%2 == 0 {
							if err = v.Forget(ctx, []string{owner}, 'T'); err == nil {
								forgotten.Store(id, true)
							} else {
								made.Delete(id) // nobody knows
							}
						}
						select {
						case acknowledged <- struct{}{}:
						default: // it was enough
						}
					}
					if err != nil && ctx.Err() == nil && !errors.Is(err, eventstore.ErrUnavailable) {
						t.Error(err)
					}
				}
			})
		}
	}
	for range 3 {
		for range len(acknowledged) + 200 {
			<-acknowledged
		}
		s.stop()
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	group.Wait()
	e := open(t, s.address("postgres"), time.Now)
	again, err := vault.New(t.Context(), e, kek, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	made.Range(func(id, secret any) bool {
		want := secret.([]byte)
		if _, gone := forgotten.Load(id); gone {
			want = nil
		}
		if got, since, err := again.Key(t.Context(), id.(string)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s = %x, since %v, %v, want %x", id, got, since, err, want)
		}
		return true
	})
}
