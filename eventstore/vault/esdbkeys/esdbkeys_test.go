package esdbkeys_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/eventstore/vault/esdbkeys"
	"github.com/flowledger/flowledger/eventstore/vault/vaulttest"
)

func fresh(t *testing.T) vaulttest.Opener {
	server := esdbtest.Start(t)
	return func(t *testing.T, now func() time.Time) vault.Engine { return open(t, server.URL(), now) }
}

func open(t *testing.T, url string, now func() time.Time) *esdbkeys.Engine {
	t.Helper()
	engine, err := esdbkeys.Open(t.Context(), url, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}

func TestContract(t *testing.T) {
	vaulttest.Run(t, fresh)
	vaulttest.RunShared(t, fresh)
}
