package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/eventstore/vault"
)

var kek = [32]byte{1, 2, 3}

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func open(t *testing.T, path string, now func() time.Time) *vault.Vault {
	t.Helper()
	v, err := vault.Open(path, kek, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// both runs test on a vault in a file and on one without.
func both(t *testing.T, test func(t *testing.T, v *vault.Vault, c *clock)) {
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "keys.db"), "memory": vault.Memory} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			test(t, open(t, path, c.now), c)
		})
	}
}

func mustMake(t *testing.T, v *vault.Vault, ids ...string) [][]byte {
	t.Helper()
	secrets, err := v.Make(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

func mustForget(t *testing.T, v *vault.Vault, owner string, classes ...byte) {
	t.Helper()
	if err := v.Forget(t.Context(), []string{owner}, classes...); err != nil {
		t.Fatal(err)
	}
}

func TestMakeIsStable(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, c *clock) {
		first := mustMake(t, v, "T/user:a", "T/2026-11")
		if len(first[0]) != 32 || bytes.Equal(first[0], first[1]) {
			t.Errorf("secrets %x: want two of 32 bytes", first)
		}
		c.advance(time.Hour) // past the cache
		second := mustMake(t, v, "N/user:a", "T/2026-11", "T/user:a")
		if !bytes.Equal(second[1], first[1]) || !bytes.Equal(second[2], first[0]) {
			t.Error("the second call returned other secrets than the first")
		}
		c.advance(time.Hour)
		got, since, err := v.Key(t.Context(), "T/user:a")
		if err != nil || !since.IsZero() || !bytes.Equal(got, first[0]) {
			t.Errorf("Key = %x, %v, %v, want %x", got, since, err, first[0])
		}
	})
}

func TestConcurrentMakersAgree(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, _ *clock) {
		const makers, rounds = 8, 50
		results := make([][][]byte, makers)
		var group sync.WaitGroup
		for m := range makers {
			group.Go(func() {
				for r := range rounds {
					secrets, err := v.Make(t.Context(), fmt.Sprintf("T/user:%d", r), fmt.Sprintf("N/user:%d", r))
					if err != nil {
						t.Error(err)
						return
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
	})
}

func TestUnknownSecret(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, _ *clock) {
		_, _, err := v.Key(t.Context(), "T/user:nobody")
		if unknown, ok := errors.AsType[*vault.UnknownError](err); !ok || unknown.ID != "T/user:nobody" {
			t.Errorf("err = %v, want an UnknownError", err)
		}
	})
}

func TestForgottenStaysForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	c := newClock()
	v := open(t, path, c.now)
	kept := mustMake(t, v, "P/user:a", "T/user:a", "X/execution:e")[0]
	since := c.now()
	mustForget(t, v, "user:a", 'T', 'N') // of N there is none yet
	if err := v.ForgetExecution(t.Context(), "e"); err != nil {
		t.Fatal(err)
	}
	check := func(v *vault.Vault) {
		t.Helper()
		for _, id := range []string{"T/user:a", "N/user:a", "X/execution:e"} {
			secret, at, err := v.Key(t.Context(), id)
			if secret != nil || !at.Equal(since) || err != nil {
				t.Errorf("Key(%s) = %x, %v, %v, want nil since %v", id, secret, at, err, since)
			}
			_, err = v.Make(t.Context(), "T/2026-11", id)
			if refused, ok := errors.AsType[*vault.DestroyedError](err); !ok || refused.ID != id {
				t.Errorf("Make(%s): err = %v, want a DestroyedError", id, err)
			}
		}
		if got, _, err := v.Key(t.Context(), "P/user:a"); !bytes.Equal(got, kept) {
			t.Errorf("the class that was not destroyed: %x, %v, want %x", got, err, kept)
		}
	}
	check(v)
	c.advance(time.Minute)
	mustForget(t, v, "user:a", 'T') // again: the first time counts
	check(v)
	v.Close()
	check(open(t, path, c.now))
}

// TestForgetRacesReaders would fail if a reader could put back into the cache
// what it had read before the secret was destroyed.
func TestForgetRacesReaders(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, c *clock) {
		for round := range 100 {
			owner := fmt.Sprintf("execution:%d", round)
			id := vault.ID('X', owner)
			mustMake(t, v, id)
			c.advance(time.Hour)
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
	})
}

// TestDestroyedRowsAreGone reads the files as a thief would, who has the
// master key.
func TestDestroyedRowsAreGone(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "keys.db")
	v := open(t, path, newClock().now)
	const users = 400
	var owners []string
	for i := range users {
		owner := fmt.Sprintf("user:%04d", i)
		mustMake(t, v, vault.ID('T', owner), vault.ID('P', owner))
		if i%2 == 0 {
			owners = append(owners, owner)
		}
	}
	wrapped := vault.WrappedRows(t, path)
	if err := v.Forget(t.Context(), owners, 'T', 'P'); err != nil {
		t.Fatal(err)
	}
	left := vault.WrappedRows(t, path)
	disk := contents(t, folder)
	for id, row := range wrapped {
		if _, ok := left[id]; !ok && bytes.Contains(disk, row) {
			t.Errorf("the row of %s is still on disk", id)
		}
	}
	if got, want := len(wrapped)-len(left), users; got != want {
		t.Errorf("%d rows destroyed, want %d", got, want)
	}
}

func contents(t *testing.T, folder string) []byte {
	t.Helper()
	var all []byte
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}

func TestOtherMasterKeyIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	open(t, path, time.Now).Close()
	if _, err := vault.Open(path, [32]byte{9}, time.Now); err == nil {
		t.Error("another master key opened the file")
	}
}

func TestSwappedRowsAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	v := open(t, path, time.Now)
	mustMake(t, v, "T/user:a", "T/user:b")
	v.Close()
	vault.Exec(t, path, `UPDATE secrets SET wrapped = (SELECT wrapped FROM secrets WHERE id = 'T/user:b') WHERE id = 'T/user:a'`)
	if secret, _, err := open(t, path, time.Now).Key(t.Context(), "T/user:a"); err == nil {
		t.Errorf("Key = %x: one user's secret under another's name", secret)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	folder := t.TempDir()
	v := open(t, filepath.Join(folder, "keys.db"), time.Now)
	mustMake(t, v, "T/user:a")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v, want 0600", entry.Name(), info.Mode(), err)
		}
	}
}

func TestClosed(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, c *clock) {
		mustMake(t, v, "T/user:a")
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		if err := v.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		c.advance(time.Hour)
		if _, err := v.Make(t.Context(), "T/user:b"); !errors.Is(err, vault.ErrClosed) {
			t.Errorf("Make: %v, want ErrClosed", err)
		}
		if _, _, err := v.Key(t.Context(), "T/user:a"); !errors.Is(err, vault.ErrClosed) {
			t.Errorf("Key: %v, want ErrClosed", err)
		}
	})
}

func TestCodesAndDigests(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	v := open(t, path, time.Now)
	code, digest := v.Code("username", "ada"), v.Digest("token", "abc")
	if len(code) != 52 || len(digest) != 32 {
		t.Errorf("code %q, digest %x: want 52 letters and 32 bytes", code, digest)
	}
	if v.Code("email", "ada") == code || v.Code("username", "bob") == code || bytes.Equal(v.Digest("recovery", "abc"), digest) {
		t.Error("kind, identifier and purpose must each count")
	}
	v.Close()
	v = open(t, path, time.Now)
	if v.Code("username", "ada") != code || !bytes.Equal(v.Digest("token", "abc"), digest) {
		t.Error("code or digest differ after reopening")
	}
	if open(t, vault.Memory, time.Now).Code("username", "ada") == code {
		t.Error("two vaults have the same pepper")
	}
}
