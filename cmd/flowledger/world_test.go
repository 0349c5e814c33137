package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/importer"
)

// errRefused is what a store answers that takes no more.
var errRefused = errors.New("the disk is full")

// A faulty ledger refuses its n-th append.
type faulty struct {
	ledger
	mu      sync.Mutex
	appends int // guarded by mu
	fail    int // guarded by mu
}

func (f *faulty) Append(
	ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent,
) (eventstore.Revision, error) {
	f.mu.Lock()
	f.appends++
	refused := f.appends == f.fail
	f.mu.Unlock()
	if refused {
		return -1, errRefused
	}
	return f.ledger.Append(ctx, stream, expected, events...)
}

// failAt makes the n-th append from here on fail, and returns how many there
// were since the last call.
func (f *faulty) failAt(n int) (appends int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	appends, f.appends, f.fail = f.appends, 0, n
	return appends
}

// newApp opens an app whose ledger is in memory and can refuse appends, and
// follows it.
func newApp(t *testing.T) (*app, *faulty) {
	t.Helper()
	a, err := open(storage{store: "memory:"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{ledger: a.store}
	keys, err := vault.Open(vault.Memory, [32]byte{1}, time.Now) // one on disk writes through to it for each new user
	if err := errors.Join(err, a.vault.Close()); err != nil {
		t.Fatal(err)
	}
	a.store, a.vault, a.codec.Vault = f, keys, keys
	a.wire()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.runner.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	return a, f
}

// load applies a blueprint, which has to succeed, and returns what it did.
func (a *app) load(t *testing.T, text string) []string {
	t.Helper()
	did, err := a.tryLoad(t, text, false)
	if err != nil {
		t.Fatal(err)
	}
	return did
}

func (a *app) tryLoad(t *testing.T, text string, dry bool) ([]string, error) {
	t.Helper()
	result, err := a.importer.Import(t.Context(), importer.Job{
		File: "test.yaml", Text: []byte(text), Via: "import", Meta: system("tenant"), DryRun: dry,
	})
	var did []string
	for _, c := range result.Changes {
		did = append(did, string(c.Action)+" "+c.Name)
	}
	return did, err
}

func (a *app) head(t *testing.T) uint64 {
	t.Helper()
	head, err := a.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return head.Value()
}

func (a *app) sync(t *testing.T) {
	t.Helper()
	if err := a.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// types lists the types of all events since a position.
func (a *app) types(t *testing.T, since uint64) []string {
	t.Helper()
	var out []string
	for e, err := range a.store.ReadAll(t.Context(), eventstore.PositionOf(since)) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Type)
	}
	return out
}

// flowledger runs the program, and returns what it printed and its status.
func flowledger(t testing.TB, stdin string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return out.String(), errs.String(), status
}

// does runs the program, which has to succeed, and returns what it printed.
func does(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	stdout, stderr, status := flowledger(t, stdin, args...)
	if status != 0 {
		t.Fatalf("flowledger %q: status %d, %s", args, status, stderr)
	}
	return stdout
}
