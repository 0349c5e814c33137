package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/sqlite"
)

// victim names the folder in which the test binary, started again, appends
// until it is killed.
const victim = "FLOWLEDGER_TEST_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		appendForever(dir)
	}
	os.Exit(m.Run())
}

// batch is the number of events in each append of the victim.
const batch = 3

// appendForever appends from many goroutines, and says the ID of the first
// event of each append that has been acknowledged.
func appendForever(dir string) {
	store, err := sqlite.Open(filepath.Join(dir, "events.db"), time.Now)
	if err != nil {
		log.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 16 {
		stream := eventstore.Stream("a", fmt.Sprint(w%5))
		wg.Go(func() {
			for {
				events := make([]eventstore.NewEvent, batch)
				for i := range events {
					events[i] = event()
				}
				if _, err := store.Append(context.Background(), stream, eventstore.Any, events...); err != nil {
					log.Fatal(err)
				}
				fmt.Println(events[0].ID)
			}
		})
	}
	wg.Wait()
}

// TestKill kills a process in the midst of concurrent appends, several times
// over the same ledger.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := make(map[uuid.UUID]bool)
	for round := range 3 {
		killed := runVictim(t, dir, 200*(round+1))
		for _, id := range killed {
			acknowledged[id] = true
		}
		checkKilled(t, dir, acknowledged)
	}
}

// runVictim kills the victim after n acknowledged appends, and returns those
// and what else it could say.
func runVictim(t *testing.T, dir string, n int) []uuid.UUID {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []uuid.UUID
	for lines := bufio.NewScanner(out); lines.Scan(); {
		id, err := uuid.Parse(lines.Text())
		if err != nil {
			break // the last line may be cut
		}
		if ids = append(ids, id); len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(ids) < n {
		t.Fatalf("the victim ended by itself after %d appends: %v", len(ids), err)
	}
	return ids
}

// checkKilled holds that the ledger has whole appends, dense revisions, and
// all that was acknowledged.
func checkKilled(t *testing.T, dir string, acknowledged map[uuid.UUID]bool) {
	t.Helper()
	store := open(t, dir, time.Now)
	defer store.Close()
	next := make(map[eventstore.StreamID]eventstore.Revision)
	count, missing := 0, len(acknowledged)
	var first eventstore.Recorded
	for e, err := range store.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		if count%batch == 0 {
			first = e
			if acknowledged[e.ID] {
				missing--
			}
		}
		count++
		if e.Stream != first.Stream || e.Revision != next[e.Stream] || e.Position.Value() != uint64(count) {
			t.Fatalf("event %d is revision %d of %s, want %d of %s", count, e.Revision, e.Stream, next[e.Stream], first.Stream)
		}
		next[e.Stream]++
	}
	if missing != 0 || count%batch != 0 {
		t.Errorf("%d of %d acknowledged appends are lost, %d events are of torn ones", missing, len(acknowledged), count%batch)
	}
}
