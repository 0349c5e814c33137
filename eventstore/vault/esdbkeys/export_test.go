package esdbkeys

import (
	"testing"
	"time"
)

// OpenWithin opens the engine in streams whose names begin with that, for
// tests that share a server.
func OpenWithin(t *testing.T, url, within string, now func() time.Time) *Engine {
	t.Helper()
	e, err := Open(t.Context(), url, now)
	if err != nil {
		t.Fatal(err)
	}
	e.within = within
	t.Cleanup(func() { e.Close() })
	return e
}
