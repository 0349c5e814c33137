package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/postgres"
	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

// batch is the number of events in each append under load.
const batch = 3

// A load appends from two nodes, and follows and reads the ledger at both,
// until it is ended.
type load struct {
	stores       []*postgres.Store
	over         context.Context
	end          context.CancelFunc
	group        sync.WaitGroup
	acknowledged atomic.Int64
	unavailable  atomic.Int64
}

func startLoad(t *testing.T, url string) *load {
	t.Helper()
	l := &load{stores: []*postgres.Store{open(t, url), open(t, url)}}
	l.over, l.end = context.WithCancel(context.Background())
	t.Cleanup(l.end)
	for n, s := range l.stores {
		for w := range 8 {
			// Some streams have a writer, and some are written to by all.
			stream, alone := eventstore.Stream("shared", fmt.Sprint(w%3)), w%2 == 0
			if alone {
				stream = eventstore.Stream("alone", fmt.Sprint(n, "-", w))
			}
			l.group.Go(func() { l.write(t, s, stream, alone) })
		}
		l.group.Go(func() { l.follow(t, s) })
		l.group.Go(func() { l.read(t, s) })
	}
	return l
}

// write appends until the load ends. What has an unknown outcome is repeated
// until it is known, and must then be in the ledger once.
func (l *load) write(t *testing.T, s *postgres.Store, stream eventstore.StreamID, alone bool) {
	end := eventstore.Revision(-1)
	for l.over.Err() == nil {
		events := make([]eventstore.NewEvent, batch)
		for i := range events {
			events[i] = event()
		}
		expected := eventstore.Any
		if alone {
			expected = eventstore.At(end)
		}
		last, err := s.Append(context.Background(), stream, expected, events...)
		for errors.Is(err, eventstore.ErrUnavailable) {
			l.unavailable.Add(1)
			last, err = s.Append(context.Background(), stream, expected, events...)
		}
		if err != nil || alone && last != end+batch || last < end+batch {
			t.Errorf("Append to %s after %d = %d, %v", stream, end, last, err)
			return
		}
		end = last
		l.acknowledged.Add(1)
	}
}

// follow holds that a subscription sees every position once, in order, however
// often it has to begin anew.
func (l *load) follow(t *testing.T, s *postgres.Store) {
	var at eventstore.Position
	for l.over.Err() == nil {
		for e, err := range s.Subscribe(l.over, at) {
			if errors.Is(err, eventstore.ErrUnavailable) {
				break
			}
			if err != nil || e.Position.Value() != at.Value()+1 {
				t.Errorf("after position %s: position %s, error %v", at, e.Position, err)
				return
			}
			at = e.Position
		}
	}
}

// read holds the same for readings that begin where the last one ended.
func (l *load) read(t *testing.T, s *postgres.Store) {
	var at eventstore.Position
	for l.over.Err() == nil {
		for e, err := range s.ReadAll(context.Background(), at) {
			if errors.Is(err, eventstore.ErrUnavailable) {
				break
			}
			if err != nil || e.Position.Value() != at.Value()+1 {
				t.Errorf("after position %s: position %s, error %v", at, e.Position, err)
				return
			}
			at = e.Position
		}
	}
}

// reach waits until so many more appends have been acknowledged.
func (l *load) reach(t *testing.T, more int64) {
	t.Helper()
	for target := l.acknowledged.Load() + more; l.acknowledged.Load() < target; {
		if t.Failed() {
			t.FailNow()
		}
		// What the load appends wakes this subscription, too.
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		end := l.stores[0].Reached()
		for _, err := range l.stores[0].Subscribe(ctx, end) {
			if err == nil || errors.Is(err, eventstore.ErrUnavailable) {
				break
			}
		}
		if ctx.Err() != nil {
			t.Fatal("the load does not go on")
		}
		cancel()
	}
}

// check ends the load, and holds that all that was acknowledged is there, once.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.end()
	l.group.Wait()
	for _, s := range l.stores {
		checkDense(t, s, int(l.acknowledged.Load())*batch)
	}
	t.Logf("%d appends, %d unavailable", l.acknowledged.Load(), l.unavailable.Load())
}

// TestTwoNodes has two nodes write as fast as they can.
func TestTwoNodes(t *testing.T) {
	l := startLoad(t, postgrestest.Start(t).Database(t))
	l.reach(t, 1500)
	l.check(t)
}

// TestServerEnds restarts and kills the server under load, and ends the
// connections that it has.
func TestServerEnds(t *testing.T) {
	t.Parallel()
	server := postgrestest.Alone(t)
	url := server.Database(t)
	l := startLoad(t, url)
	for round := range 3 {
		for name, end := range map[string]func(){"restarted": server.Stop, "killed": server.Kill} {
			l.reach(t, 150)
			end()
			if err := server.Start(); err != nil {
				t.Fatalf("the server that was %s in round %d: %v", name, round, err)
			}
		}
		for range 5 {
			l.reach(t, 50)
			terminate(t, server.URL("postgres"))
		}
	}
	l.reach(t, 150)
	l.check(t)
}

// TestFailover has a standby take over under load. The nodes know both
// servers.
func TestFailover(t *testing.T) {
	t.Parallel()
	first := postgrestest.Alone(t)
	url := first.Database(t)
	second := first.Standby(t)
	l := startLoad(t, strings.Replace(url, first.Address(), first.Address()+","+second.Address(), 1))
	l.reach(t, 300)
	first.Kill()
	if err := second.Promote(); err != nil {
		t.Fatal(err)
	}
	l.reach(t, 300)
	l.check(t)
}

// terminate has the server end all connections of stores.
func terminate(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flowledger'`); err != nil {
		t.Fatal(err)
	}
}
