package projections_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// spy is a store that remembers where subscriptions began.
type spy struct {
	eventstore.Store
	after []eventstore.Position
}

func (s *spy) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	s.after = append(s.after, after)
	return s.Store.Subscribe(ctx, after)
}

// counting is a projection that counts groups, and fails where it is told to.
type counting struct {
	version string
	fail    string // name of the group that it cannot bear
	seen    int
}

func (*counting) Name() string { return "counting" }

func (c *counting) Schema() string { return "-- " + c.version + "\nCREATE TABLE counting(name TEXT)" }

func (*counting) Needs(e eventstore.Recorded) projections.Need {
	if e.Stream.Category() == "group" {
		return projections.Clear
	}
	return projections.Nothing
}

func (c *counting) Apply(_ context.Context, conn *sqlite.Conn, e codec.Decoded) error {
	created, ok := e.Event.(group.GroupCreated)
	if !ok {
		return nil
	}
	c.seen++
	s, err := conn.Prepare("INSERT INTO counting(name) VALUES(?)")
	if err != nil {
		return err
	}
	s.BindText(1, c.version+created.Name)
	_, err = s.Step()
	if err = errors.Join(err, s.Reset()); err == nil && c.fail == created.Name {
		err = errors.New("it is unbearable")
	}
	return err
}

func (*counting) Refresh(*sqlite.Conn) error { return nil }

func groupNamed(name string) group.GroupCreated { return group.GroupCreated{Name: name, Via: "api"} }

func TestRestartGoesOnAtTheCheckpoint(t *testing.T) {
	w := newWorld(t)
	store := &spy{Store: w.store}
	w.store = store
	w.close()
	w.open()
	w.append(stream("group", "a"), groupNamed("a"))
	stop := w.run()
	w.settle()
	stop()
	w.close()
	before := w.last

	w.append(stream("group", "b"), groupNamed("b"))
	w.open()
	if g, ok, _ := w.groups.Group(t.Context(), id("a")); !ok || g.Name != "a" {
		t.Errorf("before anything is replayed: %+v", g)
	}
	w.run()
	w.settle()
	if _, ok, _ := w.groups.Group(t.Context(), id("b")); !ok {
		t.Error("what came meanwhile is missing")
	}
	if diff := cmp.Diff([]uint64{0, before.Value()}, []uint64{store.after[0].Value(), store.after[1].Value()}); diff != "" {
		t.Errorf("subscribed behind (-want +got):\n%s", diff)
	}
}

func TestRebuildGivesTheSame(t *testing.T) {
	w := officials(t)
	script(w)
	w.settle()
	before := dump(t, w.path)
	for name, rows := range before {
		if len(rows) == 0 && name != "workers" && name != "imports" {
			t.Errorf("the script leaves table %s empty: it tests nothing", name)
		}
	}
	w2 := *w
	w2.path = w.path + "2"
	w2.open()
	var told []int
	if err := w2.runner.Rebuild(t.Context(), func(n int) { told = append(told, n) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, dump(t, w2.path)); diff != "" {
		t.Errorf("built at once (-want +got):\n%s", diff)
	}
	if err := w2.runner.Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, dump(t, w2.path)); diff != "" {
		t.Errorf("built again (-want +got):\n%s", diff)
	}
	if len(told) == 0 || told[len(told)-1] != int(w.last.Value()) {
		t.Errorf("progress %v, want up to %s", told, w.last)
	}
}

func TestChangedSchemaIsBuiltAgain(t *testing.T) {
	w := newWorld(t)
	w.close()
	w.open(&counting{version: "1"})
	w.append(stream("group", "a"), groupNamed("a"))
	w.append(stream("session", "s"), session.SessionBegun{Begun: start, Expires: start.Add(time.Hour)}, session.SessionAuthenticated{})
	stop := w.run()
	w.settle()
	stop()
	w.close()
	w.append(stream("group", "b"), groupNamed("b"))

	c := &counting{version: "2"}
	w.open(c)
	w.run()
	w.settle()
	if diff := cmp.Diff([]string{"2a", "2b"}, dump(t, w.path)["counting"]); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if got, ok, err := w.sessions.ByID(t.Context(), id("s")); got.Generation != 1 || !ok || err != nil {
		t.Errorf("the others saw the events twice: %+v, %v", got, err)
	}
}

func TestPoisonStopsOneProjection(t *testing.T) {
	w := newWorld(t)
	w.close()
	w.open(&counting{fail: "bad"})
	w.append(stream("group", "a"), groupNamed("a"))
	w.append(stream("group", "b"), groupNamed("bad"))
	w.append(stream("group", "c"), groupNamed("c"))
	stop := w.run()
	w.settle()
	w.append(stream("group", "d"), groupNamed("d"))
	w.settle()
	stopped, ok := errors.AsType[*projections.StoppedError](w.runner.Ready())
	if !ok || stopped.Projection != "counting" || stopped.Position.Value() != 2 || stopped.Type != "GroupCreated" {
		t.Fatalf("ready: %v", w.runner.Ready())
	}
	for _, part := range []string{"counting", "position 2", "GroupCreated", "unbearable"} {
		if text := stopped.Error(); !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	tables := dump(t, w.path)
	if diff := cmp.Diff([]string{"a"}, tables["counting"]); diff != "" {
		t.Errorf("the stopped one (-want +got):\n%s", diff)
	}
	if len(tables["groups"]) != 4 {
		t.Errorf("the others stopped, too: %v", tables["groups"])
	}
	stop()
	w.close()

	// Whoever can bear the event goes on with it.
	w.open(&counting{})
	w.run()
	w.settle()
	if diff := cmp.Diff([]string{"a", "bad", "c", "d"}, dump(t, w.path)["counting"]); diff != "" {
		t.Errorf("mended (-want +got):\n%s", diff)
	}
	if err := w.runner.Ready(); err != nil {
		t.Errorf("mended: %v", err)
	}
}

func TestUnknownTypesStopWhoReadsThem(t *testing.T) {
	w := newWorld(t)
	w.appendRaw(stream("group", "a"), eventstore.NewEvent{
		ID: uuid.New(), Type: "GroupUnheardOf", Schema: 1, Header: []byte("{}"), Payload: []byte("{}"),
	})
	w.append(stream("user", "ada"), ada())
	w.append(stream("group", "b"), groupNamed("b"))
	w.run()
	w.settle()
	err := w.runner.Ready()
	if _, ok := errors.AsType[*codec.UnknownTypeError](err); !ok {
		t.Fatalf("ready: %v", err)
	}
	for name, reads := range map[string]bool{"groups": true, "audit": true, "users": false, "objects": false, "tokens": false} {
		if got := strings.Contains(err.Error(), "projection "+name+" "); got != reads {
			t.Errorf("%s stopped is %v, want %v", name, got, reads)
		}
	}
	if _, ok, _ := w.users.ByKey(t.Context(), 7); !ok {
		t.Error("the users stopped, too")
	}
}

// What is sealed and does not open stops only those who want to see it.
func TestTamperedSealStopsWhoOpensIt(t *testing.T) {
	w := newWorld(t)
	encoded, err := w.codec.Encode(t.Context(), stream("user", "ada"), codec.Meta{Subject: "user:x", Time: start}, ada())
	if err != nil {
		t.Fatal(err)
	}
	encoded[0].Sealed[len(encoded[0].Sealed)-1] ^= 1
	w.appendRaw(stream("user", "ada"), encoded...)
	w.run()
	w.settle()
	stopped, ok := errors.AsType[*projections.StoppedError](w.runner.Ready())
	if !ok || stopped.Projection != "users" {
		t.Errorf("ready: %v", w.runner.Ready())
	}
	if entries, _, _, _ := w.audit.List(t.Context(), projections.AuditFilter{}, false, projections.Page{}); len(entries) != 1 {
		t.Errorf("the audit has %d entries, want 1", len(entries))
	}
}

func TestWaitFor(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := w.runner.WaitFor(t.Context(), eventstore.Position{}); err != nil {
		t.Errorf("the beginning: %v", err)
	}
	w.append(stream("user", "ada"), ada())
	if err := w.runner.WaitFor(ctx, w.last); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody follows: got %v, want the end of the time", err)
	}
	waited := make(chan error, 8)
	for range cap(waited) {
		go func() { waited <- w.runner.WaitFor(t.Context(), w.last) }()
	}
	stop := w.run()
	for range cap(waited) {
		if err := <-waited; err != nil {
			t.Error(err)
		}
	}
	if _, ok, _ := w.users.ByKey(t.Context(), 7); !ok {
		t.Error("it was not there yet")
	}
	later := eventstore.PositionOf(w.last.Value() + 1)
	go func() { waited <- w.runner.WaitFor(t.Context(), later) }()
	stop()
	if err := <-waited; err == nil {
		t.Error("a wait for what nobody follows any more ends well")
	}
	if err := w.runner.Ready(); err == nil {
		t.Error("it is ready although nobody follows")
	}
}

func TestNotReadyBeforeTheLedgerIsReplayed(t *testing.T) {
	w := newWorld(t)
	gate := make(chan struct{})
	w.store = &slow{Store: w.store, gate: gate}
	w.close()
	w.open()
	w.append(stream("user", "ada"), ada())
	w.run()
	<-gate // the subscription has begun, so the end of the ledger is known
	if err := w.runner.Ready(); err == nil || !strings.Contains(err.Error(), "catch up") {
		t.Errorf("ready: %v", err)
	}
	close(gate)
	w.settle()
	if err := w.runner.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
}

// slow is a store whose subscriptions wait at the gate.
type slow struct {
	eventstore.Store
	gate chan struct{}
}

func (s *slow) Head(ctx context.Context) (eventstore.Position, error) {
	return s.Store.(interface {
		Head(context.Context) (eventstore.Position, error)
	}).Head(ctx)
}

func (s *slow) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		s.gate <- struct{}{}
		<-s.gate
		s.Store.Subscribe(ctx, after)(yield)
	}
}

func TestClosedStoreEndsTheRun(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.runner.Run(t.Context()); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("got %v, want %v", err, eventstore.ErrClosed)
	}
	if err := w.runner.Ready(); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("ready: %v", err)
	}
}

// impatient is a store that fails as soon as ctx is done.
type impatient struct{ eventstore.Store }

func (impatient) Head(ctx context.Context) (eventstore.Position, error) {
	return eventstore.Position{}, ctx.Err()
}

func TestEarlyEndIsNoError(t *testing.T) {
	w := newWorld(t)
	w.store = impatient{w.store}
	w.close()
	w.open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.runner.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	w := people(t)
	for _, path := range []string{w.path, w.path + "-wal", w.path + "-shm"} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", path, mode)
		}
	}
}

// More events than one batch holds, and readers all the while.
func TestManyBatches(t *testing.T) {
	w := newWorld(t)
	stop := w.run()
	for i := range 2500 {
		letter := string(rune('a' + i%26))
		if i < 26 {
			w.append(stream("group", letter), groupNamed(letter))
			continue
		}
		w.append(stream("group", letter), group.GroupMemberAdded{User: id(letter)}, group.GroupMemberRemoved{User: id(letter)})
	}
	w.append(stream("user", "ada"), user.UserCreated{Key: 1, Joined: start}, user.UserActivated{})
	w.append(stream("session", "s"), session.SessionBegun{Begun: start, Expires: start.Add(time.Hour)})
	w.settle()
	if _, total, _, err := w.audit.List(t.Context(), projections.AuditFilter{}, false, projections.Page{Limit: 1}); err != nil || total != 26+2474*2+3 {
		t.Errorf("%d entries, %v, want %d", total, err, 26+2474*2+3)
	}
	stop()
	last := 0
	if err := w.runner.Rebuild(t.Context(), func(n int) {
		if n-last > 1000 {
			t.Errorf("a batch of %d events", n-last)
		}
		last = n
	}); err != nil {
		t.Error(err)
	}
}
