package esdb_test

import (
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
	"github.com/flowledger/flowledger/eventstore/eventstoretest"
)

func TestStore(t *testing.T) {
	var servers sync.Map // by folder, for a store that is opened again
	eventstoretest.Run(t, eventstoretest.Features{Durable: true}, func(t *testing.T, dir string, _ func() time.Time) eventstore.Store {
		server, ok := servers.Load(dir)
		if !ok {
			server = esdbtest.Start(t)
			servers.Store(dir, server)
		}
		return open(t, server.(*esdbtest.Server).URL())
	})
}

func open(t testing.TB, url string) *esdb.Store {
	t.Helper()
	store, err := esdb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}
