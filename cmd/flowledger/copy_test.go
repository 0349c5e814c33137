package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
	"github.com/flowledger/flowledger/eventstore/sqlite"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/projections"
)

// inChild holds the arguments with which the test binary, started again, is
// the program.
const inChild = "FLOWLEDGER_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if args := os.Getenv(inChild); args != "" {
		os.Exit(run(context.Background(), strings.Split(args, "\n"), os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestCopy moves the ledger of a data folder into another, where everything
// goes on.
func TestCopy(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	for _, name := range []string{"ada", "grace"} {
		does(t, "Secret-9\n", "user", "create", "--data", from, "--email", name+"@example.org", name)
	}
	checkpoint(t, from, "mail", 3)
	people, events := does(t, "", "user", "list", "--data", from), does(t, "", "events", "--json", "--data", from)

	copyAll := []string{"copy", "--from", "sqlite:", "--from-data", from, "--to", "sqlite:", "--to-data", to}
	said := does(t, "", copyAll...)
	for _, want := range []string{"copied ", "opens both ends", "worker mail goes on at position 3", "the master key is in " + to} {
		if !strings.Contains(said, want) {
			t.Errorf("copy says nothing like %q:\n%s", want, said)
		}
	}
	if got := does(t, "", "events", "--json", "--data", to); got != events {
		t.Errorf("the events of the copy are\n%s\nwant\n%s", got, events)
	}
	if got := does(t, "", "user", "list", "--data", to); got != people || !strings.Contains(got, "grace@example.org") {
		t.Errorf("the users of the copy are\n%s\nwant\n%s", got, people)
	}
	if got := checkpointOf(t, to, "mail"); got != 3 {
		t.Errorf("mail goes on at %d, want 3", got)
	}
	// What comes later is added, and a copy that went its own way is left alone.
	does(t, "Secret-9\n", "user", "create", "--data", from, "hedy")
	if said = does(t, "", copyAll...); strings.Contains(said, "copied 0 events") {
		t.Errorf("nothing was added:\n%s", said)
	}
	if said = does(t, "", copyAll...); !strings.Contains(said, "copied 0 events") {
		t.Errorf("a complete copy is not left alone:\n%s", said)
	}
	if got := does(t, "", "user", "list", "--data", to); !strings.Contains(got, "hedy") {
		t.Errorf("the users of the copy are\n%s", got)
	}
	does(t, "Secret-9\n", "user", "create", "--data", to, "joan")
	_, stderr, status := flowledger(t, "", copyAll...)
	if status != exitFailed || !strings.Contains(stderr, "the target is no copy of the source: revision ") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// TestCopyEngines moves a ledger to a shared engine, and back to a folder.
func TestCopyEngines(t *testing.T) {
	for name, start := range map[string]func(*testing.T) (url string){
		"EventStoreDB": func(t *testing.T) string { return esdbtest.Start(t).URL() },
		"PostgreSQL":   func(t *testing.T) string { return postgrestest.Start(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			url, from, back := start(t), t.TempDir(), t.TempDir()
			for _, name := range []string{"ada", "grace"} {
				does(t, "Secret-9\n", "user", "create", "--data", from, "--email", name+"@example.org", name)
			}
			checkpoint(t, from, "mail", 3)
			checkpoint(t, from, "broker-nats-flowledger", 2)
			key := filepath.Join(from, "master.key")
			for range 2 { // the second time, all is there
				said := does(t, "", "copy", "--from", "sqlite:", "--from-data", from, "--to", url)
				if !strings.Contains(said, "needs the same master key") || !strings.Contains(said, "worker mail goes on") {
					t.Errorf("copy says\n%s", said)
				}
			}
			said := does(t, "", "copy", "--from", url, "--master-key-file", key, "--broker", "nats://127.0.0.1", "--to", "sqlite:", "--to-data", back)
			if !strings.Contains(said, "stop the servers of the source and run again") {
				t.Errorf("copy says\n%s", said)
			}
			if got, want := does(t, "", "events", "--json", "--data", back, "--master-key-file", key), does(t, "", "events", "--json", "--data", from); got != want {
				t.Errorf("the events of the copy are\n%s\nwant\n%s", got, want)
			}
			if got, want := does(t, "", "user", "list", "--data", back, "--master-key-file", key), does(t, "", "user", "list", "--data", from); got != want {
				t.Errorf("the users of the copy are\n%s\nwant\n%s", got, want)
			}
			for name, want := range map[string]uint64{"mail": 3, "broker-nats-flowledger": 2} {
				if got := checkpointOf(t, back, name); got != want {
					t.Errorf("%s goes on at %d, want %d", name, got, want)
				}
			}
		})
	}
}

func checkpoint(t *testing.T, data, name string, at uint64) {
	t.Helper()
	v, err := projections.Open(filepath.Join(data, "views.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if err := v.SaveCheckpoint(name, eventstore.PositionOf(at)); err != nil {
		t.Fatal(err)
	}
}

func checkpointOf(t *testing.T, data, name string) uint64 {
	t.Helper()
	v, err := projections.Open(filepath.Join(data, "views.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	at, err := v.Checkpoint(name)
	if err != nil {
		t.Fatal(err)
	}
	return at.Value()
}

func TestCopyRefuses(t *testing.T) {
	from, other := t.TempDir(), t.TempDir()
	does(t, "Secret-9\n", "user", "create", "--data", from, "ada")
	does(t, "Secret-9\n", "user", "create", "--data", other, "ada")
	empty := t.TempDir()
	for line, test := range map[string]struct {
		status int
		says   string
	}{
		"--from sqlite: --from-data " + from:                                                                {exitUsage, "--from URL --to URL"},
		"--from sqlite: --to sqlite: --from-data " + from:                                                   {exitUsage, "--to-data FOLDER"},
		"--from sqlite: --to sqlite: --from-data " + from + " --to-data " + from + "/.":                     {exitUsage, "the same folder"},
		"--from memory: --to sqlite: --from-data " + from + " --to-data " + empty:                           {exitUsage, "in memory"},
		"--from redis: --to sqlite: --from-data " + from + " --to-data " + empty:                            {exitUsage, `"redis:"`},
		"--from sqlite: --to sqlite: --from-data " + empty + " --to-data " + empty + "/to":                  {exitFailed, "--master-key-file"},
		"--from sqlite:" + empty + "/x.db --to sqlite: --from-data " + from + " --to-data " + empty + "/to": {exitFailed, "there is no ledger"},
		"--from sqlite: --to sqlite: --from-data " + from + " --to-data " + other:                           {exitFailed, "another"},
		"--from sqlite: --to sqlite: --from-data " + from + " --to-data " + empty + " more":                 {exitUsage, `"more"`},
	} {
		_, stderr, status := flowledger(t, "", append([]string{"copy"}, strings.Fields(line)...)...)
		if status != test.status || !strings.Contains(stderr, test.says) {
			t.Errorf("copy %s: status %d, %swant %d and %q", line, status, stderr, test.status, test.says)
		}
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("refusals leave %v, %v", left, err)
	}
	held, err := sqlite.Open(filepath.Join(from, "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_, stderr, status := flowledger(t, "", "copy", "--from", "sqlite:", "--to", "sqlite:", "--from-data", from, "--to-data", empty)
	if status != exitFailed || !strings.Contains(stderr, "in use by a running server") {
		t.Errorf("a source that is in use: status %d, %s", status, stderr)
	}
}

// heap makes a data folder whose ledger has n events of the usual size.
func heap(t testing.TB, n int) (data string) {
	t.Helper()
	data = t.TempDir()
	key, err := vault.MasterKey(filepath.Join(data, "master.key"), "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(filepath.Join(data, "keys.db"), key, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(filepath.Join(data, "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	const together = 500
	for i := 0; i < n; i += together {
		events := make([]eventstore.NewEvent, min(together, n-i))
		for k := range events {
			events[k] = eventstore.NewEvent{
				ID: uuid.New(), Type: "StageCompleted", Schema: 1,
				Header:  fmt.Appendf(nil, `{"actor":{"kind":"user","id":"%036d"},"network":"net:%024d"}`, (i+k)/5, i),
				Payload: fmt.Appendf(nil, `{"binding":"%036d","learned":{"pending_user":"%036d"}}`, k, i), Sealed: make([]byte, 120),
			}
		}
		if _, err := s.Append(t.Context(), eventstore.Stream("execution", fmt.Sprint(i/together%50)), eventstore.Any, events...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCopyKilled kills the program while it copies, again and again, and lets
// the last one finish.
func TestCopyKilled(t *testing.T) {
	const n = 40_000
	from := heap(t, n)
	for name, to := range map[string]func(*testing.T) []string{
		"sqlite":   func(t *testing.T) []string { return []string{"--to", "sqlite:", "--to-data", t.TempDir()} },
		"postgres": func(t *testing.T) []string { return []string{"--to", postgrestest.Start(t).Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"copy", "--from", "sqlite:", "--from-data", from}, to(t)...)
			killed := 0
			for range 3 {
				if at(t, "copying", args, (*os.Process).Kill) != nil {
					killed++
				}
			}
			if killed == 0 {
				t.Error("no copying was interrupted")
			}
			said := does(t, "", args...)
			if !strings.Contains(said, fmt.Sprintf("compared all %d,", n)) || strings.Contains(said, fmt.Sprintf("copied %d events", n)) {
				t.Errorf("the last run says\n%s", said)
			}
			if name != "sqlite" {
				return
			}
			if a, b := ledgerOf(t, from), ledgerOf(t, args[len(args)-1]); len(a) != n || !slices.EqualFunc(a, b, func(a, b eventstore.Recorded) bool { return differing(a, b) == "" }) {
				t.Errorf("the copy has %d events, the source %d, or they differ", len(b), len(a))
			}
		})
	}
}

// TestCopyRestart restarts the target's database while the program copies,
// which takes a moment longer then.
func TestCopyRestart(t *testing.T) {
	const n = 40_000
	from, server := heap(t, n), postgrestest.Alone(t)
	args := []string{"copy", "--from", "sqlite:", "--from-data", from, "--to", server.Database(t)}
	if err := at(t, "copying", args, func(*os.Process) error { return server.Restart() }); err != nil {
		t.Errorf("the copying ends with %v", err)
	}
	if said := does(t, "", args...); !strings.Contains(said, fmt.Sprintf("copied 0 events and compared all %d,", n)) {
		t.Errorf("the last run says\n%s", said)
	}
}

// at runs the program, does something to it as soon as it says a word, and
// returns how it ended.
func at(t *testing.T, word string, args []string, do func(*os.Process) error) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), inChild+"="+strings.Join(args, "\n"))
	says, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines, done := bufio.NewScanner(says), false
	lines.Split(bufio.ScanWords)
	var last []string
	for lines.Scan() {
		last = append(last, lines.Text())
		if !done && strings.Contains(lines.Text(), word) {
			done = true
			if err := do(cmd.Process); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.Join(last[max(len(last)-40, 0):], " "))
	}
	if !done {
		t.Errorf("the program never says %s", word)
	}
	return nil
}

func ledgerOf(t *testing.T, data string) []eventstore.Recorded {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(data, "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return recorded(t, s)
}
