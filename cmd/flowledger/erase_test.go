package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

const leavers = `
version: 1
entries:
  - model: authentik_core.user
    identifiers: {username: leaver}
    attrs: {name: Leaver, password: secret}
`

// readable counts what can be opened of what was sealed about a user.
func (a *app) readable(t *testing.T, id string) (open, shut int) {
	t.Helper()
	for e, err := range a.store.ReadStream(t.Context(), eventstore.Stream("user", id), 0) {
		if err != nil {
			t.Fatal(err)
		}
		d, err := a.codec.Decode(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		shut += len(d.Forgotten)
		if len(d.Sealed) > 0 && len(d.Forgotten) == 0 {
			open++
		}
	}
	return open, shut
}

// Whichever append of a deletion is refused, the sweeper finishes it: no key of
// who was deleted is left.
func TestDeletionSurvivesACrash(t *testing.T) {
	for n := 1; ; n++ {
		a, f := newApp(t)
		a.load(t, leavers)
		who, err := a.users.FindPerson(t.Context(), []string{"username"}, "leaver", false)
		if err != nil || !who.Exists() {
			t.Fatal(who, err)
		}
		if open, _ := a.readable(t, who.ID); open < 2 {
			t.Fatalf("only %d events can be read before", open)
		}
		f.failAt(n)
		err = a.accounts.Delete(t.Context(), who.ID, account.Writer{Via: "admin", Meta: system("tenant")})
		refused := err != nil
		if refused && !errors.Is(err, errRefused) {
			t.Fatal(err)
		}
		f.failAt(0)
		if err := a.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, _, err := a.userHandler.Load(t.Context(), eventstore.Stream("user", who.ID))
		if err != nil {
			t.Fatal(err)
		}
		due, err := a.subjects.Due(t.Context(), s.Joined, 9)
		if err != nil || fmt.Sprint(due) != map[bool]string{true: "[" + who.ID + "]", false: "[]"}[refused && s.Status == user.Deleted] {
			t.Fatalf("append %d is refused: due %v, %v", n, due, err)
		}
		for _, id := range due {
			if err := a.eraseDeleted(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if s.Status == user.Deleted {
			if open, shut := a.readable(t, who.ID); open > 0 || shut == 0 {
				t.Errorf("append %d is refused: %d can be read, %d cannot", n, open, shut)
			}
		}
		if err := a.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if due, err := a.subjects.Due(t.Context(), s.Joined, 9); err != nil || len(due) > 0 && s.Status == user.Deleted {
			t.Errorf("append %d is refused: still due %v, %v", n, due, err)
		}
		if !refused {
			return
		}
	}
}
