package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/eventstore"
)

// newWriter makes a writer that is stepped by hand, batch by batch.
func newWriter(t *testing.T) *writer {
	t.Helper()
	conn, err := openWriter(filepath.Join(t.TempDir(), "events.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	w := &writer{conn: conn, now: time.Now, tail: newTail()}
	if err := w.exec("PRAGMA foreign_keys = on"); err != nil { // inside a script it has no effect
		t.Fatal(err)
	}
	return w
}

func (w *writer) script(t *testing.T, script string) {
	t.Helper()
	if err := sqlitex.ExecuteScript(w.conn, script, nil); err != nil {
		t.Fatal(err)
	}
}

func (w *writer) count(t *testing.T, query string) int64 {
	t.Helper()
	n, err := queryInt(w.conn, query)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// check holds that the writer, its waiters and the tables agree, and that n
// events are committed.
func (w *writer) check(t *testing.T, n int64) {
	t.Helper()
	end, _ := w.tail.look()
	got := []int64{
		w.position, end,
		w.count(t, "SELECT count(*) FROM events"),
		w.count(t, "SELECT coalesce(max(position), 0) FROM events"),
		w.count(t, "SELECT coalesce(sum(revision + 1), 0) FROM streams"),
	}
	if diff := cmp.Diff([]int64{n, n, n, n, n}, got); diff != "" {
		t.Fatalf("the writer's end, the readers', number of events, last position, sum of revisions (-want +got):\n%s", diff)
	}
	if !w.conn.AutocommitEnabled() {
		t.Fatal("a transaction is open")
	}
}

func someEvents(types ...string) []eventstore.NewEvent {
	events := make([]eventstore.NewEvent, len(types))
	for i, name := range types {
		events[i] = eventstore.NewEvent{ID: uuid.New(), Type: name, Payload: make([]byte, 1000)}
	}
	return events
}

// TestBatch commits one batch in which appends depend on each other, and some
// are refused.
func TestBatch(t *testing.T) {
	w := newWriter(t)
	old, a, b := someEvents("Old"), someEvents("A", "B"), someEvents("C", "D", "E")
	w.commit([]*request{newRequest("old-1", eventstore.NoStream, old)})
	known := append(someEvents("X", "Y"), old...)
	var got []string
	batch := []*request{
		newRequest("a-1", eventstore.NoStream, a),
		newRequest("a-1", eventstore.NoStream, someEvents("X")),
		newRequest("a-1", eventstore.At(1), b),
		newRequest("a-1", eventstore.At(4), known),
		newRequest("b-1", eventstore.NoStream, known),
		newRequest("b-1", eventstore.At(0), someEvents("X")),
		newRequest("a-1", eventstore.NoStream, a),
		newRequest("b-1", eventstore.NoStream, someEvents("F")),
		newRequest("a-1", eventstore.Any, someEvents("G")),
	}
	w.commit(batch)
	for _, r := range batch {
		<-r.done
		got = append(got, fmt.Sprint(r.revision, " ", r.err))
	}
	want := []string{
		"1 <nil>",
		"-1 stream a-1 is at revision 1, not at -1",
		"4 <nil>",
		"-1 append to a-1: event " + old[0].ID.String() + " is in the ledger already",
		"-1 append to b-1: event " + old[0].ID.String() + " is in the ledger already",
		"-1 stream b-1 is at revision -1, not at 0",
		"1 <nil>",
		"0 <nil>",
		"5 <nil>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	w.check(t, 1+2+3+1+1)
}

// TestFaults makes the database refuse a batch, at different statements. All
// who wait for it hear of it, nothing of it is left, and the writer goes on.
func TestFaults(t *testing.T) {
	for name, fault := range map[string]struct{ begin, end string }{
		"disk full": {"PRAGMA max_page_count = 30", "PRAGMA max_page_count = 100000"},
		// The constraint is deferred, so that COMMIT finds it broken and
		// fails with the transaction still open.
		"commit fails": {`
			CREATE TEMP TABLE parent (id INTEGER PRIMARY KEY);
			CREATE TEMP TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
			CREATE TEMP TRIGGER fault AFTER INSERT ON events WHEN NEW.type = 'Last'
			BEGIN INSERT INTO child VALUES (1); END;`,
			"DROP TRIGGER temp.fault"},
		"transaction cannot begin": {"PRAGMA query_only = on", "PRAGMA query_only = off"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWriter(t)
			first := newRequest("a-1", eventstore.NoStream, someEvents("First"))
			w.commit([]*request{first})
			if first.err != nil {
				t.Fatal(first.err)
			}
			w.check(t, 1)

			w.script(t, fault.begin)
			batch := []*request{
				newRequest("a-1", eventstore.At(0), someEvents("Neighbour")),
				newRequest("a-1", eventstore.NoStream, someEvents("Refused")),
				newRequest("b-1", eventstore.NoStream, someEvents("First", "Second")),
			}
			for len(batch) < 200 {
				batch = append(batch, newRequest("b-1", eventstore.Any, someEvents("Last")))
			}
			w.commit(batch)
			for i, r := range batch {
				<-r.done
				_, refused := errors.AsType[*eventstore.WrongExpectedError](r.err)
				if r.err == nil || refused || r.revision != -1 {
					t.Fatalf("append %d = %d, %v, want the fault", i, r.revision, r.err)
				}
			}
			w.check(t, 1)

			w.script(t, fault.end)
			again := make([]*request, len(batch))
			for i, r := range batch {
				again[i] = newRequest(r.stream, r.expected, r.events)
			}
			w.commit(again)
			for i, r := range again {
				if _, refused := errors.AsType[*eventstore.WrongExpectedError](r.err); refused != (i == 1) || r.err != nil && !refused {
					t.Fatalf("append %d, repeated: %v", i, r.err)
				}
			}
			w.check(t, 1+200)
		})
	}
}

// TestGather takes what is there, within the limits.
func TestGather(t *testing.T) {
	for name, test := range map[string]struct{ queued, bytes, want int }{
		"alone":          {0, 1, 1},
		"a few":          {3, 1, 4},
		"too many":       {300, 1, maxBatch},
		"too many bytes": {20, maxBytes / 4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			queue := make(chan *request, 300)
			for range test.queued {
				queue <- &request{bytes: test.bytes}
			}
			if got := len(gather(&request{bytes: test.bytes}, queue)); got != test.want {
				t.Errorf("%d appends, want %d", got, test.want)
			}
			if got, want := len(queue), test.queued+1-test.want; got != want {
				t.Errorf("%d are left in the queue, want %d", got, want)
			}
		})
	}
}
