package vault_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/eventstore/vault/vaulttest"
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

func mustMake(t *testing.T, v *vault.Vault, ids ...string) [][]byte {
	t.Helper()
	secrets, err := v.Make(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

// inFile opens a file, twice if asked to.
func inFile(t *testing.T) vaulttest.Opener {
	path := filepath.Join(t.TempDir(), "keys.db")
	return func(t *testing.T, now func() time.Time) vault.Engine { return openFile(t, path, now) }
}

func inMemory(*testing.T) vaulttest.Opener {
	var once sync.Once
	var only vault.Engine
	return func(t *testing.T, now func() time.Time) vault.Engine {
		once.Do(func() { only = openFile(t, vault.Memory, now) })
		return only
	}
}

func openFile(t *testing.T, path string, now func() time.Time) vault.Engine {
	t.Helper()
	engine, err := vault.OpenFile(path, now)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func TestFile(t *testing.T) {
	vaulttest.Run(t, inFile)
	vaulttest.RunShared(t, inFile)
}

func TestMemory(t *testing.T) { vaulttest.Run(t, inMemory) }

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
