package sqlite

import (
	"errors"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/eventstore"
)

// TestLeftInQueue stops the writer with an append still in the queue, which
// happens when a caller passes Close at the last moment.
func TestLeftInQueue(t *testing.T) {
	s := &Store{queue: make(chan *request, 1), closing: make(chan struct{}), stopped: make(chan struct{})}
	result := make(chan error)
	go func() {
		_, err := s.Append(t.Context(), "a-1", eventstore.Any, someEvents("X")...)
		result <- err
	}()
	for len(s.queue) == 0 {
		runtime.Gosched()
	}
	close(s.stopped)
	select {
	case err := <-result:
		if !errors.Is(err, eventstore.ErrClosed) {
			t.Errorf("error %v, want %v", err, eventstore.ErrClosed)
		}
	case <-time.After(20 * time.Second):
		t.Error("the append waits for a writer that is gone")
	}
}

// TestSettings asks the database for what no test can show: that a commit
// survives a power cut.
func TestSettings(t *testing.T) {
	conn, err := openWriter(filepath.Join(t.TempDir(), "events.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := make(map[string]int64)
	for _, query := range []string{
		"SELECT journal_mode = 'wal' FROM pragma_journal_mode",
		"PRAGMA synchronous", "PRAGMA wal_autocheckpoint", "PRAGMA user_version",
	} {
		if got[query], err = queryInt(conn, query); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int64{
		"SELECT journal_mode = 'wal' FROM pragma_journal_mode": 1,
		"PRAGMA synchronous": 2, "PRAGMA wal_autocheckpoint": 1000, "PRAGMA user_version": format,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestChunk reads large events, of which a chunk holds few.
func TestChunk(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 3 * chunkBytes / eventstore.MaxSealed
	events := someEvents(make([]string, n)...)
	for i := range events {
		events[i].Sealed = make([]byte, eventstore.MaxSealed)
	}
	if _, err := s.Append(t.Context(), "a-1", eventstore.NoStream, events...); err != nil {
		t.Fatal(err)
	}
	chunk, more, err := s.ledgerChunk(t.Context(), eventstore.Position{}, n)
	if err != nil || !more || len(chunk) > n/3 {
		t.Errorf("%d events in a chunk, more: %v, %v, want at most %d", len(chunk), more, err, n/3)
	}
	count := 0
	for _, err := range s.ReadAll(t.Context(), eventstore.Position{}) {
		if count++; err != nil {
			t.Fatal(err)
		}
	}
	if count != n {
		t.Errorf("%d events in all, want %d", count, n)
	}
}
