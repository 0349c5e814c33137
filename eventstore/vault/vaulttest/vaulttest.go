// Package vaulttest is the contract suite of the engines that keep a vault's
// rows: whatever package vault promises, each of them is asked for here.
package vaulttest

import (
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/vault"
)

// An Opener opens an engine on the same rows each time, as another node would.
// The engine purges by now what is over its time.
type Opener func(t *testing.T, now func() time.Time) vault.Engine

// Run checks an engine that one vault uses at a time; fresh makes the rows,
// of which there are none yet.
func Run(t *testing.T, fresh func(t *testing.T) Opener) {
	run(t, fresh, map[string]func(*testing.T, *world){
		"makers get the same secret again":        makeIsStable,
		"the same id twice is one secret":         sameIDTwice,
		"concurrent makers agree":                 makersAgree,
		"an unknown secret":                       unknownSecret,
		"what is forgotten stays forgotten":       forgottenStaysForgotten,
		"forgetting nothing":                      forgettingNothing,
		"forgetting races readers":                forgettingRacesReaders,
		"after closing":                           afterClosing,
		"a context that is done":                  contextDone,
		"codes and digests":                       codesAndDigests,
		"a cookie leads to its session":           cookieLeads,
		"a cookie replaced has a minute of grace": replaceCookie,
		"dropped cookies lead nowhere":            dropCookies,
		"dropping a session races readers":        dropSessionRacesReaders,
		"rows are added as they are":              rowsAreMoved,
		"rows of another vault are refused":       otherRowsAreRefused,
		"destroyed at either end is destroyed":    destroyedAtEitherEnd,
		"more rows than one page":                 manyRows,
	})
}

// RunShared checks an engine that several vaults share, or that one leaves to
// the next.
func RunShared(t *testing.T, fresh func(t *testing.T) Opener) {
	run(t, fresh, map[string]func(*testing.T, *world){
		"all is there after reopening":            reopened,
		"another master key is refused":           otherMasterKey,
		"makers on two nodes agree":               nodesAgree,
		"nodes that open an empty engine agree":   nodesBegin,
		"making races forgetting on another node": makingRacesForgetting,
		"forgetting on two nodes":                 forgettingTwice,
		"what another node forgot is evicted":     evict,
		"cookies are everywhere at once":          cookiesEverywhere,
		"cookies of nodes do not mix":             cookiesOfNodes,
		"the first node makes the master key":     firstNodeMakesMasterKey,
		"a node without the master key":           nodeWithoutMasterKey,
		"two first nodes, and one master key":     twoFirstNodes,
	})
}

func run(t *testing.T, fresh func(*testing.T) Opener, tests map[string]func(*testing.T, *world)) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test(t, &world{clock: newClock(), open: fresh(t), fresh: fresh})
		})
	}
}

var kek = [32]byte{1, 2, 3}

// A world is an engine's rows, and the time.
type world struct {
	*clock
	open  Opener
	fresh func(*testing.T) Opener
}

// vault opens the rows as a node would.
func (w *world) vault(t *testing.T) *vault.Vault {
	t.Helper()
	v, err := vault.New(t.Context(), w.open(t, w.now), kek, w.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// engine opens the rows alone.
func (w *world) engine(t *testing.T) vault.Engine {
	t.Helper()
	e := w.open(t, w.now)
	t.Cleanup(func() { e.Close() })
	return e
}

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time // guarded by mu
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func mustMake(t *testing.T, v *vault.Vault, ids ...string) [][]byte {
	t.Helper()
	secrets, err := v.Make(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

func mustForget(t *testing.T, v *vault.Vault, owner string, classes ...byte) {
	t.Helper()
	if err := v.Forget(t.Context(), []string{owner}, classes...); err != nil {
		t.Fatal(err)
	}
}

func addCookie(t *testing.T, v *vault.Vault, session string, generation int, expires time.Time) string {
	t.Helper()
	value, err := v.AddCookie(t.Context(), session, generation, expires)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// wantCookie checks where value leads; an empty session means nowhere.
func wantCookie(t *testing.T, v *vault.Vault, value, session string, generation int) {
	t.Helper()
	gotSession, gotGeneration, ok, err := v.Cookie(t.Context(), value)
	if err != nil {
		t.Fatal(err)
	}
	if ok != (session != "") || gotSession != session || gotGeneration != generation {
		t.Errorf("cookie leads to %q %d (%t), want %q %d", gotSession, gotGeneration, ok, session, generation)
	}
}
