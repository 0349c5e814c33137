package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/eventstoretest"
	"github.com/flowledger/flowledger/eventstore/sqlite"
)

func TestRestoreContract(t *testing.T) {
	eventstoretest.RunRestore(t, func(t *testing.T, dir string, now func() time.Time) eventstore.Store {
		s, err := sqlite.Open(filepath.Join(dir, "events.db"), now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
