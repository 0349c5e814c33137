package vaulttest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/eventstore/vault"
)

// rows returns all rows of an engine, in an order of their own.
func rows(t *testing.T, e vault.Engine) []vault.Row {
	t.Helper()
	var all []vault.Row
	for row, err := range e.Rows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	slices.SortFunc(all, func(a, b vault.Row) int {
		return cmp.Or(cmp.Compare(a.Secret.ID, b.Secret.ID), bytes.Compare(a.Cookie.Digest, b.Cookie.Digest))
	})
	return all
}

// rowsAreMoved carries a vault to another engine, and asks there.
func rowsAreMoved(t *testing.T, w *world) {
	file, err := vault.OpenFile(vault.Memory, w.now)
	if err != nil {
		t.Fatal(err)
	}
	from, err := vault.New(t.Context(), file, kek, w.now)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	secret := mustMake(t, from, "T/user:a", "T/user:b")[0]
	mustForget(t, from, "user:b", 'T', 'N')
	expires := w.now().Add(time.Hour)
	cookie, dropped := addCookie(t, from, "s1", 3, expires), addCookie(t, from, "s2", 1, expires)
	if err := from.DropSession(t.Context(), "s2"); err != nil {
		t.Fatal(err)
	}
	want := rows(t, file)
	if len(want) != 6 { // two keys of its own, three of users, a cookie
		t.Fatalf("%d rows, want 6", len(want))
	}
	to := w.open(t, w.now)
	for range 2 { // whoever was interrupted begins again
		if err := to.PutRows(t.Context(), want...); err != nil {
			t.Fatal(err)
		}
	}
	if diff := gocmp.Diff(want, rows(t, to)); diff != "" {
		t.Errorf("rows there (-want +got):\n%s", diff)
	}
	moved, err := vault.New(t.Context(), to, kek, w.now)
	if err != nil {
		t.Fatal(err)
	}
	defer moved.Close()
	if got := mustMake(t, moved, "T/user:a"); !bytes.Equal(got[0], secret) {
		t.Errorf("the secret there is %x, want %x", got[0], secret)
	}
	wantDestroyed(t, moved, "T/user:b", w.now())
	wantDestroyed(t, moved, "N/user:b", w.now())
	wantCookie(t, moved, cookie, "s1", 3)
	wantCookie(t, moved, dropped, "", 0)
	if moved.Code("username", "ada") != from.Code("username", "ada") {
		t.Error("the pepper there is another one")
	}
	if err := moved.DropSession(t.Context(), "s1"); err != nil {
		t.Fatal(err)
	}
	wantCookie(t, moved, cookie, "", 0)
}

func otherRowsAreRefused(t *testing.T, w *world) {
	e := w.engine(t)
	put := vault.Row{Secret: vault.Secret{ID: "T/user:a", Wrapped: []byte("one")}}
	if err := e.PutRows(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	err := e.PutRows(t.Context(),
		vault.Row{Secret: vault.Secret{ID: "T/user:b", Wrapped: []byte("b")}},
		vault.Row{Secret: vault.Secret{ID: "T/user:a", Wrapped: []byte("another")}})
	if conflict, ok := errors.AsType[*vault.ConflictError](err); !ok || conflict.ID != "T/user:a" {
		t.Errorf("err = %v, want a ConflictError", err)
	}
	if diff := gocmp.Diff([]vault.Row{put}, rows(t, e)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func destroyedAtEitherEnd(t *testing.T, w *world) {
	e := w.engine(t)
	living := func(id string) vault.Row { return vault.Row{Secret: vault.Secret{ID: id, Wrapped: []byte(id)}} }
	gone := func(id string) vault.Row { return vault.Row{Secret: vault.Secret{ID: id, Since: w.now()}} }
	for _, row := range []vault.Row{living("T/here"), gone("T/there"), gone("T/here"), living("T/there")} {
		if err := e.PutRows(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	if diff := gocmp.Diff([]vault.Row{gone("T/here"), gone("T/there")}, rows(t, e)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func manyRows(t *testing.T, w *world) {
	e := w.engine(t)
	var want []vault.Row
	for i := range 1100 {
		want = append(want, vault.Row{Secret: vault.Secret{ID: fmt.Sprintf("T/user:%04d", i), Wrapped: []byte{byte(i), 1}}})
	}
	if err := e.PutRows(t.Context(), want...); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, rows(t, e)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	for range e.Rows(t.Context()) {
		break // and nothing hangs
	}
	if _, err := e.FindSecret(t.Context(), "T/user:0001"); err != nil {
		t.Error(err)
	}
}
