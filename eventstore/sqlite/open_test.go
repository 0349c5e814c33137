package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	driver "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/sqlite"
)

func event() eventstore.NewEvent {
	id := uuid.Must(uuid.NewV7())
	return eventstore.NewEvent{ID: id, Type: "TestHappened", Schema: 1, Header: []byte("{}"), Payload: []byte("{}"), Salt: id}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir, time.Now)
	for range 2 {
		second, err := sqlite.Open(filepath.Join(dir, "events.db"), time.Now)
		if !errors.Is(err, sqlite.ErrLocked) {
			t.Fatalf("Open = %v, %v, want %v", second, err, sqlite.ErrLocked)
		}
	}
	if _, err := store.Append(t.Context(), "a-1", eventstore.Any, event()); err != nil {
		t.Errorf("Append after others were refused: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, time.Now).Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// TestOpenFails opens what cannot be a ledger, and leaves nothing locked.
func TestOpenFails(t *testing.T) {
	for name, prepare := range map[string]func(path string) error{
		"no folder":     func(path string) error { return os.Remove(filepath.Dir(path)) },
		"a folder":      func(path string) error { return os.Mkdir(path, 0o700) },
		"not a ledger":  func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("no ", 1000)), 0o600) },
		"newer program": func(path string) error { return errors.Join(layOut(path), execute(path, "PRAGMA user_version = 3")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			path := filepath.Join(dir, "events.db")
			if err := errors.Join(os.Mkdir(dir, 0o700), prepare(path)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				store, err := sqlite.Open(path, time.Now)
				if err == nil || errors.Is(err, sqlite.ErrLocked) {
					t.Fatalf("Open = %v, %v, want another error", store, err)
				}
			}
		})
	}
}

// layOut makes a ledger.
func layOut(path string) error {
	store, err := sqlite.Open(path, time.Now)
	if err != nil {
		return err
	}
	return store.Close()
}

func execute(path, script string) error {
	conn, err := driver.OpenConn(path)
	if err != nil {
		return err
	}
	defer conn.Close()
	return sqlitex.ExecuteScript(conn, script, nil)
}

// TestFiles looks at the files beside the ledger. Those of the log go with
// the last connection.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir, time.Now)
	if _, err := store.Append(t.Context(), "a-1", eventstore.Any, event()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"events.db", "events.db-wal", "events.db-shm", "events.db.lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("mode of %s is %o, want 600", name, got)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("files after Close: %v, %v, want no log", left, err)
	}
}

// TestSlowReader stops in the middle of reading. The log is moved into the
// database all the same, and does not grow with what is appended.
func TestSlowReader(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir, time.Now)
	defer store.Close()
	fill := func(n int) {
		for range n {
			events := make([]eventstore.NewEvent, 100)
			for i := range events {
				events[i] = event()
				events[i].Payload = make([]byte, 1000)
			}
			if _, err := store.Append(t.Context(), "a-1", eventstore.Any, events...); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(11)
	for _, err := range store.Subscribe(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		fill(80) // about 2,600 pages
		break
	}
	info, err := os.Stat(filepath.Join(dir, "events.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if limit := int64(1500 * 4096); info.Size() > limit {
		t.Errorf("the log has %d bytes, want at most %d", info.Size(), limit)
	}
}
