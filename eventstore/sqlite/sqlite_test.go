package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/eventstoretest"
	"github.com/flowledger/flowledger/eventstore/sqlite"
)

func TestStore(t *testing.T) {
	features := eventstoretest.Features{Durable: true, Clocked: true, UniqueIDs: true}
	eventstoretest.Run(t, features, func(t *testing.T, dir string, now func() time.Time) eventstore.Store {
		return open(t, dir, now)
	})
}

func open(t testing.TB, dir string, now func() time.Time) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(dir, "events.db"), now)
	if err != nil {
		t.Fatal(err)
	}
	return store
}
