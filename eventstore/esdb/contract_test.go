package esdb_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
	"github.com/flowledger/flowledger/eventstore/eventstoretest"
)

func TestNotesContract(t *testing.T) {
	eventstoretest.RunNotes(t, func(t *testing.T) (one, other eventstore.Notes) {
		server := esdbtest.Start(t)
		return open(t, server.URL()), open(t, server.URL())
	})
}

func TestRestoreContract(t *testing.T) {
	eventstoretest.RunRestore(t, func(t *testing.T, _ string, _ func() time.Time) eventstore.Store {
		return open(t, esdbtest.Start(t).URL())
	})
}
