package vaulttest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/vault"
)

func reopened(t *testing.T, w *world) {
	v := w.vault(t)
	secret := mustMake(t, v, "T/user:a", "T/user:b")[0]
	mustForget(t, v, "user:b", 'T')
	expires := w.now().Add(time.Hour)
	cookie, dropped := addCookie(t, v, "s1", 1, expires), addCookie(t, v, "s2", 1, expires)
	if err := v.DropSession(t.Context(), "s2"); err != nil {
		t.Fatal(err)
	}
	code, digest := v.Code("username", "ada"), v.Digest("token", "abc")
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	again := w.vault(t)
	if got := mustMake(t, again, "T/user:a"); !bytes.Equal(got[0], secret) {
		t.Errorf("secret %x, want %x", got[0], secret)
	}
	wantDestroyed(t, again, "T/user:b", w.now())
	wantCookie(t, again, cookie, "s1", 1)
	wantCookie(t, again, dropped, "", 0)
	if again.Code("username", "ada") != code || !bytes.Equal(again.Digest("token", "abc"), digest) {
		t.Error("code or digest differ after reopening")
	}
}

func otherMasterKey(t *testing.T, w *world) {
	w.vault(t)
	if _, err := vault.New(t.Context(), w.open(t, w.now), [32]byte{9}, w.now); !errors.Is(err, vault.ErrMasterKey) {
		t.Errorf("err = %v, want ErrMasterKey", err)
	}
}

func nodesAgree(t *testing.T, w *world) {
	a, b := w.vault(t), w.vault(t)
	agree(t, a, b, a, b)
}

func nodesBegin(t *testing.T, w *world) {
	codes := make([]string, 4)
	var group sync.WaitGroup
	for i := range codes {
		engine := w.open(t, w.now)
		group.Go(func() {
			v, err := vault.New(t.Context(), engine, kek, w.now)
			if err != nil {
				t.Error(err)
				return
			}
			defer v.Close()
			codes[i] = v.Code("username", "ada") + fmt.Sprintf("%x", v.Digest("token", "abc"))
		})
	}
	group.Wait()
	for i, code := range codes {
		if code != codes[0] {
			t.Errorf("node %d has another pepper than node 0", i)
		}
	}
}

// makingRacesForgetting: whoever is faster, there is no secret afterwards.
func makingRacesForgetting(t *testing.T, w *world) {
	makers, forgetter := []*vault.Vault{w.vault(t), w.vault(t)}, w.vault(t)
	for round := range 30 {
		owner := fmt.Sprintf("user:%d", round)
		var group sync.WaitGroup
		for _, v := range makers {
			group.Go(func() {
				_, err := v.Make(t.Context(), vault.ID('T', owner), vault.ID('P', owner))
				if _, refused := errors.AsType[*vault.DestroyedError](err); err != nil && !refused {
					t.Error(err)
				}
			})
		}
		group.Go(func() {
			if err := forgetter.Forget(t.Context(), []string{owner}, 'P', 'T'); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		for _, v := range append(makers, forgetter) {
			v.Evict()
			wantDestroyed(t, v, vault.ID('T', owner), w.now())
			wantDestroyed(t, v, vault.ID('P', owner), w.now())
		}
	}
}

func forgettingTwice(t *testing.T, w *world) {
	a, b := w.vault(t), w.vault(t)
	for round := range 20 {
		owners := []string{fmt.Sprintf("user:%d", round), fmt.Sprintf("execution:%d", round)}
		mustMake(t, a, vault.ID('T', owners[0]), vault.ID('T', owners[1]))
		var group sync.WaitGroup
		for i, v := range []*vault.Vault{a, b} {
			group.Go(func() {
				// In both orders, which must not block each other.
				if err := v.Forget(t.Context(), []string{owners[i], owners[1-i]}, 'T'); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		wantDestroyed(t, a, vault.ID('T', owners[0]), w.now())
		wantDestroyed(t, b, vault.ID('T', owners[1]), w.now())
	}
}

// evict: what another node destroys leaves the memory of this one after five
// minutes, or when it is told to.
func evict(t *testing.T, w *world) {
	here, there := w.vault(t), w.vault(t)
	for owner, leave := range map[string]func(){
		"user:told":  here.Evict,
		"user:later": func() { w.advance(5 * time.Minute) },
	} {
		id := vault.ID('T', owner)
		mustMake(t, here, id)
		since := w.now()
		mustForget(t, there, owner, 'T')
		if secret, _, err := here.Key(t.Context(), id); secret == nil || err != nil {
			t.Fatalf("%s: from memory: %x, %v", owner, secret, err)
		}
		leave()
		wantDestroyed(t, here, id, since)
	}
}

func cookiesEverywhere(t *testing.T, w *world) {
	here, there := w.vault(t), w.vault(t)
	expires := w.now().Add(time.Hour)
	old := addCookie(t, here, "s1", 1, expires)
	wantCookie(t, there, old, "s1", 1)
	value, err := there.Replace(t.Context(), old, "s1", 2, expires, w.now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	wantCookie(t, here, value, "s1", 2)
	w.advance(5 * time.Minute)
	wantCookie(t, here, old, "", 0)
	if err := there.DropSession(t.Context(), "s1"); err != nil {
		t.Fatal(err)
	}
	w.advance(5 * time.Minute)
	wantCookie(t, here, value, "", 0)
}

// cookiesOfNodes adds, replaces and drops on two nodes at once.
func cookiesOfNodes(t *testing.T, w *world) {
	nodes := []*vault.Vault{w.vault(t), w.vault(t)}
	expires := w.now().Add(time.Hour)
	kept, dropped := make([][]string, 2), make([][]string, 2)
	var group sync.WaitGroup
	for n, v := range nodes {
		group.Go(func() {
			for i := range 15 {
				session := fmt.Sprintf("s%d", i)
				old := addCookie(t, v, session, 0, expires)
				value, err := v.Replace(t.Context(), old, session, 1, expires, expires)
				if err != nil {
					t.Error(err)
					return
				}
				kept[n], dropped[n] = append(kept[n], value), append(dropped[n], old)
			}
		})
	}
	group.Wait()
	for i := range kept[0] {
		for _, v := range nodes {
			group.Go(func() {
				if err := v.DropOlder(t.Context(), fmt.Sprintf("s%d", i), 1); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	for n := range nodes {
		for i, value := range kept[n] {
			wantCookie(t, nodes[1-n], value, fmt.Sprintf("s%d", i), 1)
			wantCookie(t, nodes[1-n], dropped[n][i], "", 0)
		}
	}
}

func (w *world) shared(t *testing.T, path string) (*vault.Vault, error) {
	t.Helper()
	return w.sharedOver(t, w.open(t, w.now), path)
}

func (w *world) sharedOver(t *testing.T, engine vault.Engine, path string) (*vault.Vault, error) {
	v, err := vault.OpenShared(t.Context(), engine, path, w.now)
	if err == nil {
		t.Cleanup(func() { v.Close() })
	}
	return v, err
}

func firstNodeMakesMasterKey(t *testing.T, w *world) {
	path := filepath.Join(t.TempDir(), "master.key")
	first, err := w.shared(t, path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "master.key")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := w.shared(t, copied)
	if err != nil {
		t.Fatal(err)
	}
	if first.Code("username", "ada") != second.Code("username", "ada") {
		t.Error("the nodes have other keys")
	}
}

func nodeWithoutMasterKey(t *testing.T, w *world) {
	w.vault(t)
	path := filepath.Join(t.TempDir(), "master.key")
	_, err := w.shared(t, path)
	if err == nil || !strings.Contains(err.Error(), "it is missing") || !strings.Contains(err.Error(), "--master-key-file") {
		t.Errorf("err = %v, want that it is missing, and what to do", err)
	}
	if _, found := os.Stat(path); found == nil {
		t.Error("a master key was made that opens nothing")
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("A", 43)+"="), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = w.shared(t, path)
	if !errors.Is(err, vault.ErrMasterKey) || !strings.Contains(err.Error(), "--master-key-file") {
		t.Errorf("err = %v, want ErrMasterKey, and what to do", err)
	}
	if _, missing := os.Stat(path); missing != nil {
		t.Error("the operator's file was removed")
	}
}

// twoFirstNodes begin at the same time: one makes the key, and the other says
// that it has to be copied and leaves no key behind that opens nothing.
func twoFirstNodes(t *testing.T, w *world) {
	paths := []string{filepath.Join(t.TempDir(), "master.key"), filepath.Join(t.TempDir(), "master.key")}
	errs := make([]error, len(paths))
	var group sync.WaitGroup
	for i, path := range paths {
		engine := w.open(t, w.now)
		group.Go(func() { _, errs[i] = w.sharedOver(t, engine, path) })
	}
	group.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("errors %v, %v, want one", errs[0], errs[1])
	}
	for i, path := range paths {
		if _, found := os.Stat(path); (found == nil) != (errs[i] == nil) {
			t.Errorf("node %d: err %v, its file: %v", i, errs[i], found)
		}
	}
}
