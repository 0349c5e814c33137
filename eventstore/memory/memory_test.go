package memory_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/eventstoretest"
	"github.com/flowledger/flowledger/eventstore/memory"
)

func TestStore(t *testing.T) {
	features := eventstoretest.Features{Clocked: true, UniqueIDs: true}
	eventstoretest.Run(t, features, func(_ *testing.T, _ string, now func() time.Time) eventstore.Store {
		return memory.New(now)
	})
}
