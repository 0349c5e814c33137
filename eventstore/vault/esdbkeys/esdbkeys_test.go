package esdbkeys_test

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/eventstore/vault/esdbkeys"
	"github.com/flowledger/flowledger/eventstore/vault/vaulttest"
)

// fresh are the streams of one test in the server that FLOWLEDGER_TEST_ESDB
// names by its connection string, or in one in this process.
func fresh(t *testing.T) vaulttest.Opener {
	url := os.Getenv("FLOWLEDGER_TEST_ESDB")
	if url == "" {
		url = esdbtest.Start(t).URL()
	}
	within := "_test" + rand.Text() + "."
	return func(t *testing.T, now func() time.Time) vault.Engine { return esdbkeys.OpenWithin(t, url, within, now) }
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

// The ledger does not see what lies beside it.
func TestBesideTheLedger(t *testing.T) {
	server := esdbtest.Start(t)
	store, err := esdb.Open(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	v, err := vault.New(t.Context(), open(t, server.URL(), time.Now), [32]byte{1}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Make(t.Context(), "T/user:a"); err != nil {
		t.Fatal(err)
	}
	cookie, err := v.AddCookie(t.Context(), "s1", 1, time.Now().Add(time.Hour))
	if err == nil {
		_, err = v.Replace(t.Context(), cookie, "s1", 2, time.Now().Add(time.Hour), time.Now())
	}
	if err = errors.Join(err, v.DropSession(t.Context(), "s1"), v.Forget(t.Context(), []string{"user:a"}, 'T')); err != nil {
		t.Fatal(err)
	}
	for e, err := range store.ReadAll(t.Context(), eventstore.Position{}) {
		t.Errorf("the ledger shows %s in %s, %v", e.Type, e.Stream, err)
	}
	if head, err := store.Head(t.Context()); err != nil || head != (eventstore.Position{}) {
		t.Errorf("the ledger ends at %v, %v, want that it is empty", head, err)
	}
}

// A stream that was destroyed shows nothing else any more.
func TestDestroyedIsHidden(t *testing.T) {
	server := esdbtest.Start(t)
	e := open(t, server.URL(), time.Now)
	if _, err := e.AddSecrets(t.Context(), vault.Secret{ID: "T/user:a", Wrapped: []byte("wrapped")}); err != nil {
		t.Fatal(err)
	}
	if err := e.DestroySecrets(t.Context(), time.Now(), "T/user:a"); err != nil {
		t.Fatal(err)
	}
	config, err := client.ParseConnectionString(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	direct, err := client.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	reading, err := direct.ReadStream(t.Context(), "_secret-T/user:a", client.ReadStreamOptions{From: client.Start{}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	var types []string
	for {
		resolved, err := reading.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, resolved.Event.EventType)
	}
	if len(types) != 1 || types[0] != "SecretDestroyed" {
		t.Errorf("the stream shows %v, want SecretDestroyed alone", types)
	}
}
