package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/eventstoretest"
	"github.com/flowledger/flowledger/eventstore/postgres"
	"github.com/flowledger/flowledger/eventstore/postgres/postgrestest"
)

func TestStore(t *testing.T) {
	eventstoretest.Run(t, eventstoretest.Features{Durable: true, UniqueIDs: true}, openIn)
}

func TestRestoreContract(t *testing.T) { eventstoretest.RunRestore(t, openIn) }

func TestNotesContract(t *testing.T) {
	eventstoretest.RunNotes(t, func(t *testing.T) (one, other eventstore.Notes) {
		url := postgrestest.Start(t).Database(t)
		return open(t, url), open(t, url)
	})
}

// databases are those that stand for the folders of the suite.
var databases sync.Map

func openIn(t *testing.T, dir string, _ func() time.Time) eventstore.Store {
	t.Helper()
	url, ok := databases.Load(dir)
	if !ok {
		url = postgrestest.Start(t).Database(t)
		databases.Store(dir, url)
	}
	return open(t, url.(string))
}

// open opens a store that is closed with the test.
func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func event() eventstore.NewEvent {
	id := uuid.Must(uuid.NewV7())
	return eventstore.NewEvent{ID: id, Type: "TestHappened", Schema: 1, Header: []byte(`{"writer":"test"}`), Payload: []byte(`{}`), Salt: id}
}
