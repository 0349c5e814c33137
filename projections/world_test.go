package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/projections"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world is a ledger with its read models.
type world struct {
	t     testing.TB
	store eventstore.Store
	vault *vault.Vault
	codec *codec.Codec
	path  string // of views.db
	log   *slog.Logger

	close      func() // closes the read models; the runner must have stopped
	runner     *projections.Runner
	objects    *projections.Objects
	users      *projections.Users
	groups     *projections.Groups
	tokens     *projections.Tokens
	sessions   *projections.Sessions
	executions *projections.Executions
	audit      *projections.Audit
	reputation *projections.Reputation
	consents   *projections.Consents
	roles      *projections.Roles
	subjects   *projections.Subjects
	instances  *projections.Instances
	revisions  *projections.Revisions
	verdicts   *projections.Verdicts
	sources    *projections.Sources
	changes    *projections.Changes
	accesses   *projections.Accesses
	erasures   *projections.Erasures

	clock time.Time // of the ledger
	last  eventstore.Position
}

// newWorld makes a world whose clock stands still unless it is set, and which
// nobody follows yet.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: start, path: filepath.Join(t.TempDir(), "views.db"), log: slog.New(slog.DiscardHandler)}
	now := func() time.Time { return w.clock }
	v, err := vault.Open(vault.Memory, [32]byte{1}, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	w.store, w.vault = memory.New(now), v
	w.codec = &codec.Codec{Vault: v, Tenant: "t", Leak: func(event, key string) { t.Errorf("%s leaks %s", event, key) }}
	w.open()
	return w
}

// open opens the read models, as a start of the program does.
func (w *world) open(more ...projections.Projection) {
	w.t.Helper()
	v, err := projections.Open(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.close = sync.OnceFunc(func() {
		if err := v.Close(); err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(w.close)
	w.objects, w.users, w.groups = projections.NewObjects(), projections.NewUsers(v), projections.NewGroups(v)
	w.tokens, w.sessions = projections.NewTokens(v), projections.NewSessions(v)
	w.executions, w.audit = projections.NewExecutions(v), projections.NewAudit(v, w.store, w.codec, w.vault.Digest)
	w.reputation = projections.NewReputation(v, w.store, w.codec, w.vault.Digest)
	w.subjects, w.revisions = projections.NewSubjects(v), projections.NewRevisions(v)
	w.consents, w.roles = projections.NewConsents(v), projections.NewRoles(v)
	w.instances = projections.NewInstances(v)
	w.changes, w.sources = projections.NewChanges(v, w.store, w.codec), projections.NewSources(v)
	w.verdicts, w.accesses, w.erasures = projections.NewVerdicts(v), projections.NewAccesses(v), projections.NewErasures(v)
	all := append([]projections.Projection{
		w.instances,
		w.consents, w.roles,
		w.subjects, w.revisions, w.changes, w.sources, w.verdicts, w.accesses, w.erasures,
		w.objects, w.users, w.groups, w.tokens, w.sessions, w.executions, w.audit, w.reputation,
	}, more...)
	if w.runner, err = projections.NewRunner(w.store, w.codec, v, w.log, all...); err != nil {
		w.t.Fatal(err)
	}
}

// run follows the ledger until the function that it returns is called.
func (w *world) run() (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	runner := w.runner
	go func() { done <- runner.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("run: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

// stream names the stream of a category, of an id that is made of a letter.
func stream(category, letter string) eventstore.StreamID {
	return eventstore.Stream(category, id(letter))
}

// id makes an id that is easy to read.
func id(letter string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(letter)).String()
}

// appendAs adds events to a stream, and returns the first one's id.
func (w *world) appendAs(meta codec.Meta, to eventstore.StreamID, events ...codec.Event) string {
	w.t.Helper()
	if meta.Subject == "" {
		meta.Subject = string(to.Category()) + ":" + to.ID()
	}
	meta.Time = start
	encoded, err := w.codec.Encode(w.t.Context(), to, meta, events...)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.appendRaw(to, encoded...)
}

func (w *world) append(to eventstore.StreamID, events ...codec.Event) string {
	w.t.Helper()
	return w.appendAs(codec.Meta{}, to, events...)
}

func (w *world) appendRaw(to eventstore.StreamID, events ...eventstore.NewEvent) string {
	w.t.Helper()
	if _, err := w.store.Append(w.t.Context(), to, eventstore.Any, events...); err != nil {
		w.t.Fatal(err)
	}
	w.last = w.end()
	return events[0].ID.String()
}

// end returns the position of the last event.
func (w *world) end() eventstore.Position {
	w.t.Helper()
	var last eventstore.Position
	for e, err := range w.store.ReadAll(w.t.Context(), w.last) {
		if err != nil {
			w.t.Fatal(err)
		}
		last = e.Position
	}
	return last
}

// settle waits until the read models show all.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	if err := w.runner.WaitFor(ctx, w.last); err != nil {
		w.t.Fatal(err)
	}
}

// dump returns every row of every table of a views.db.
func dump(t *testing.T, path string) map[string][]string {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tables := map[string][]string{}
	rows := func(query string, row func(*sqlite.Stmt) error) {
		if err := sqlitex.Execute(conn, query, &sqlitex.ExecOptions{ResultFunc: row}); err != nil {
			t.Fatal(err)
		}
	}
	rows("SELECT name FROM sqlite_master WHERE type = 'table'", func(s *sqlite.Stmt) error {
		tables[s.ColumnText(0)] = []string{}
		return nil
	})
	for name := range tables {
		rows(fmt.Sprintf("SELECT * FROM %q", name), func(s *sqlite.Stmt) error {
			var columns []string
			for i := range s.ColumnCount() {
				columns = append(columns, s.ColumnText(i))
			}
			tables[name] = append(tables[name], strings.Join(columns, "|"))
			return nil
		})
		slices.Sort(tables[name])
	}
	return tables
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
