package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/postgres"
	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

// execute runs a statement as an operator does.
func execute(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// TestOpenAtOnce has nodes make the tables of one new database together.
func TestOpenAtOnce(t *testing.T) {
	url := postgrestest.Start(t).Database(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			s, err := postgres.Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if _, err := s.Append(t.Context(), "a-1", eventstore.Any, event()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	checkDense(t, open(t, url), 6)
}

// TestOpenRefused names databases that cannot hold the ledger.
func TestOpenRefused(t *testing.T) {
	server := postgrestest.Start(t)
	newer := server.Database(t)
	open(t, newer).Close()
	execute(t, newer, "INSERT INTO flowledger.version VALUES (1000)")
	latin := server.Database(t)
	execute(t, latin, "CREATE DATABASE latin ENCODING latin1 LOCALE 'C' TEMPLATE template0")
	readOnly := server.Database(t)
	open(t, readOnly).Close()
	name := readOnly[strings.LastIndex(readOnly, "/")+1 : strings.Index(readOnly, "?")]
	execute(t, latin, "ALTER DATABASE "+name+" SET default_transaction_read_only = on")

	for name, test := range map[string]struct {
		url, want   string
		unavailable bool
	}{
		"a newer program's tables": {newer, "version 1000, which a newer program made; this one knows 1", false},
		"another encoding":         {server.URL("latin"), "the encoding of the database is LATIN1, it has to be UTF8", false},
		"read-only":                {readOnly, "read only connection", true},
		"no address":               {"postgres://user:topsecret@[/x?sslmode=nonsense", "the address of PostgreSQL cannot be read", false},
		"no such database":         {server.URL("missing"), "does not exist", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := postgres.Open(t.Context(), test.url)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("error %q, want one that says %q", err, test.want)
			}
			if got := errors.Is(err, eventstore.ErrUnavailable); got != test.unavailable {
				t.Errorf("error %q is of unavailability: %v, want %v", err, got, test.unavailable)
			}
		})
	}
}

// TestReadOnly has an operator forbid writing while the store is open, and
// allow it again.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	server := postgrestest.Alone(t)
	s := open(t, server.Database(t))
	mustAppend(t, s, "a-1", eventstore.NoStream, 0, event())
	execute(t, server.URL("postgres"), "ALTER SYSTEM SET default_transaction_read_only = on")
	execute(t, server.URL("postgres"), "SELECT pg_reload_conf()")
	terminate(t, server.URL("postgres")) // so that nobody has the old setting
	if _, err := s.Append(t.Context(), "a-1", eventstore.At(0), event()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("Append: %v, want %v", err, eventstore.ErrUnavailable)
	}
	writable := server.URL("postgres") + "&default_transaction_read_only=off"
	execute(t, writable, "ALTER SYSTEM RESET default_transaction_read_only")
	execute(t, writable, "SELECT pg_reload_conf()")
	terminate(t, server.URL("postgres"))
	mustAppend(t, s, "a-1", eventstore.At(0), 1, event())
	checkDense(t, s, 2)
}

// TestLockedOut has an operator take the right to connect away, and give it
// back.
func TestLockedOut(t *testing.T) {
	t.Parallel()
	server := postgrestest.Alone(t)
	execute(t, server.URL("postgres"), "CREATE ROLE node LOGIN")
	execute(t, server.URL("postgres"), "CREATE DATABASE ledger OWNER node")
	url := strings.Replace(server.URL("ledger"), "postgres@", "node@", 1)
	s := open(t, url)
	mustAppend(t, s, "a-1", eventstore.NoStream, 0, event())
	execute(t, server.URL("postgres"), "ALTER ROLE node NOLOGIN")
	terminate(t, server.URL("postgres"))
	for name, call := range calls {
		if err := call(t.Context(), s); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("%s: %v, want %v", name, err, eventstore.ErrUnavailable)
		}
	}
	if _, err := postgres.Open(t.Context(), url); err == nil || errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("Open: %v, want an error that says to look at the address", err)
	}
	execute(t, server.URL("postgres"), "ALTER ROLE node LOGIN")
	mustAppend(t, s, "a-1", eventstore.At(0), 1, event())
}

// TestSettings has the server's and the address's settings be others than the
// ledger needs.
func TestSettings(t *testing.T) {
	server := postgrestest.Alone(t, "synchronous_commit=off", "default_transaction_isolation=serializable", "jit_above_cost=0")
	address := server.Database(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", "elsewhere")
	u.RawQuery = q.Encode()
	s, other := open(t, u.String()), open(t, address)
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			if _, err := []*postgres.Store{s, other}[i%2].Append(t.Context(), "a-1", eventstore.Any, event()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	checkDense(t, s, 40)
}

// TestText holds that names which are no text are refused alone.
func TestText(t *testing.T) {
	s := open(t, postgrestest.Start(t).Database(t))
	odd := event()
	odd.Type = "A\x00B"
	for stream, e := range map[eventstore.StreamID]eventstore.NewEvent{"a-\xff": event(), "a-\x00": event(), "a-1": odd} {
		if _, err := s.Append(t.Context(), stream, eventstore.Any, e); err == nil {
			t.Errorf("Append of %q to %q: no error", e.Type, stream)
		}
		for _, err := range s.ReadStream(t.Context(), stream, 0) {
			t.Errorf("ReadStream of %q yields, error %v", stream, err)
		}
	}
	mustAppend(t, s, "ä-✓", eventstore.NoStream, 0, event())
	checkDense(t, s, 1)
}

// TestDump moves a ledger as operators do.
func TestDump(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	from, to := server.Database(t), server.Database(t)
	s := open(t, from)
	for i := range 30 {
		e := event()
		e.Payload, e.Sealed = bytes.Repeat([]byte{byte(i), '\\', 0, '\n'}, i*100), []byte{0xff, 0, byte(i)}
		stream := eventstore.Stream("a", fmt.Sprint(i%4))
		if _, err := s.Append(t.Context(), stream, eventstore.Any, e, event()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.SetNote(t.Context(), "checkpoint", []byte{0, 0xff}, 0); err != nil {
		t.Fatal(err)
	}
	dump, err := exec.Command(postgrestest.Program("pg_dump"), from).Output()
	if err != nil {
		t.Fatal(err)
	}
	load := exec.Command(postgrestest.Program("psql"), "-q", "-v", "ON_ERROR_STOP=1", to)
	load.Stdin = bytes.NewReader(dump)
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	copied := open(t, to)
	want := all(t, s)
	if diff := cmp.Diff(want, all(t, copied), cmp.Comparer(func(p, q eventstore.Position) bool { return p == q })); diff != "" {
		t.Errorf("the copy (-want +got):\n%s", diff)
	}
	if value, version, err := copied.Note(t.Context(), "checkpoint"); !slices.Equal(value, []byte{0, 0xff}) || version != 1 || err != nil {
		t.Errorf("the note is %q at %d, %v", value, version, err)
	}
	last := want[len(want)-1]
	mustAppend(t, copied, last.Stream, eventstore.At(last.Revision), last.Revision+1, event())
	checkDense(t, copied, len(want)+1)
}

func all(t *testing.T, s eventstore.Store) (events []eventstore.Recorded) {
	t.Helper()
	for e, err := range s.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}
