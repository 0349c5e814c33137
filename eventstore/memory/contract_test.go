package memory_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/eventstoretest"
	"github.com/flowledger/flowledger/eventstore/memory"
)

func TestNotes(t *testing.T) {
	eventstoretest.RunNotes(t, func(*testing.T) (one, other eventstore.Notes) {
		s := memory.New(time.Now)
		return s, s
	})
}

func TestRestore(t *testing.T) {
	eventstoretest.RunRestore(t, func(_ *testing.T, _ string, now func() time.Time) eventstore.Store {
		return memory.New(now)
	})
}
