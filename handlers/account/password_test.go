package account_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
)

// A shredder destroys keys, unless it is stuck.
type shredder struct {
	forget func(credential string) error
	fail   int // how many of the next are refused
}

// Forget destroys a key.
func (s *shredder) Forget(_ context.Context, credential string) error {
	if s.fail > 0 {
		s.fail--
		return errRefused
	}
	return s.forget(credential)
}

// change gives ada the n-th password.
func (w *world) change(n int) error {
	return w.SetHash(w.t.Context(), id("ada"), domain.NewSecret(stored), w.by(fmt.Sprint("change ", n)))
}

// readable counts the passwords of ada's that can still be read, the present
// one included.
func (w *world) readable() int {
	n := 0
	for e, err := range w.ledger.ReadStream(w.t.Context(), eventstore.Stream("user", id("ada")), 0) {
		w.must(err)
		d, err := w.Users.Codec.Decode(w.t.Context(), e)
		w.must(err)
		switch event := d.Event.(type) {
		case user.UserPasswordSet:
			if !event.Hash.Empty() {
				n++
			}
		case user.UserPasswordRehashed:
			if !event.Hash.Empty() {
				n++
			}
		}
	}
	return n
}

func (w *world) told(n int) { w.Told = func(context.Context) (int, error) { return n, nil } }

// As many passwords are kept as somebody asks for, and what nobody asks for
// any more goes with the next change.
func TestFormerPasswords(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	for n, step := range []struct{ told, readable int }{
		{0, 1}, {0, 1}, {1, 1}, {2, 2}, {3, 3}, {3, 3}, {5, 4}, {2, 2}, {0, 1},
	} {
		w.told(step.told)
		w.must(w.change(n))
		if got := w.readable(); got != step.readable {
			t.Errorf("change %d, %d asked for: %d can be read, want %d", n, step.told, got, step.readable)
		}
	}
	w.Told = func(context.Context) (int, error) { return 0, errRefused }
	if err := w.change(99); !errors.Is(err, errRefused) {
		t.Errorf("when it is not known how many: %v", err)
	}
}

// A crash after the append leaves a key. The next change destroys it, and so
// does doing the same again.
func TestShredderFails(t *testing.T) {
	for _, again := range []int{2, 3} {
		w := newWorld(t)
		w.must(w.create("ada", "ada"))
		w.must(w.change(1))
		w.shredder.fail = 1
		if err := w.change(2); !errors.Is(err, errRefused) {
			t.Fatalf("the key was to stay: %v", err)
		}
		if got := w.readable(); got != 2 {
			t.Fatalf("%d can be read", got)
		}
		w.must(w.change(again))
		if got := w.readable(); got != 1 {
			t.Errorf("after change %d, %d can be read", again, got)
		}
	}
}

func TestRemovePassword(t *testing.T) {
	for told, readable := range []int{0, 1, 2, 2} {
		t.Run(fmt.Sprint(told, " asked for"), func(t *testing.T) {
			w := newWorld(t)
			w.told(told)
			w.must(w.create("ada", "ada"))
			w.must(w.change(1))
			w.must(w.change(2))
			mine, other := w.session("mine", "ada"), w.session("other", "ada")
			writer := w.by("remove")
			writer.Meta.Header.Actor.Session = mine
			w.must(w.RemovePassword(t.Context(), id("ada"), "another", writer))
			if w.user("ada").Password.Empty() || !w.alive(other) {
				t.Fatal("a password was removed that was not meant")
			}
			credential := w.user("ada").Credential
			w.shredder.fail = 1
			for range 2 { // a crash in between, if there is a key to destroy
				_ = w.RemovePassword(t.Context(), id("ada"), credential, writer)
			}
			if !w.user("ada").Password.Empty() || w.readable() != readable {
				t.Errorf("%d can be read, want %d", w.readable(), readable)
			}
			if !w.alive(mine) || w.alive(other) {
				t.Errorf("alive: own %t, other %t", w.alive(mine), w.alive(other))
			}
		})
	}
	w := newWorld(t)
	w.must(w.RemovePassword(t.Context(), id("nobody"), "c", w.by("")))
}

// The same password in another form leaves the first form to nobody.
func TestRehash(t *testing.T) {
	w := newWorld(t)
	w.told(5)
	w.must(w.create("ada", "ada"))
	w.must(w.change(1))
	s, credential := w.session("s", "ada"), w.user("ada").Credential
	for range 2 {
		meta := w.by("rehash").Meta
		w.must(w.Rehash(t.Context(), id("ada"), credential, domain.NewSecret(stored), meta))
		if got := w.user("ada").Credential; got != uuid.NewSHA1(uuid.NameSpaceOID, []byte("rehash")).String() {
			t.Errorf("credential %s", got)
		}
	}
	if w.readable() != 1 || !w.alive(s) {
		t.Errorf("%d can be read, alive %t", w.readable(), w.alive(s))
	}
}

// Nothing that proved a deleted user is left.
func TestDeletedPasswords(t *testing.T) {
	w := newWorld(t)
	w.told(5)
	w.must(w.create("ada", "ada"))
	w.must(w.change(1))
	w.must(w.change(2))
	w.shredder.fail = 1
	if err := w.Delete(t.Context(), id("ada"), w.by("")); !errors.Is(err, errRefused) {
		t.Fatalf("the key was to stay: %v", err)
	}
	w.must(w.Delete(t.Context(), id("ada"), w.by("")))
	if got := w.readable(); got != 0 {
		t.Errorf("%d can be read", got)
	}
}
