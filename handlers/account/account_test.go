package account_test

import (
	"github.com/google/go-cmp/cmp"

	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

// Of two who want a name at once, one gets it; keys are never given twice.
func TestOneNameTwoUsers(t *testing.T) {
	w := newWorld(t)
	keys := map[int]string{}
	for round := range 200 {
		name := fmt.Sprint("ada", round)
		var both sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			both.Go(func() { errs[i] = w.create(fmt.Sprint(round, "/", i), name) })
		}
		both.Wait()
		won := 0
		for i, err := range errs {
			s := w.user(fmt.Sprint(round, "/", i))
			switch {
			case err == nil:
				won++
				if other := keys[s.Key]; other != "" || s.Key == 0 || s.Username != name {
					t.Fatalf("%s has the key %d of %q", s.Username, s.Key, other)
				}
				keys[s.Key] = name
			case !taken(err) || s.Status != "":
				t.Fatalf("the loser of round %d: %v, %q", round, err, s.Status)
			}
		}
		if won != 1 {
			t.Fatalf("round %d has %d winners: %v", round, won, errs)
		}
	}
}

func TestNames(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	if err := w.create("other", "ada"); !taken(err) {
		t.Errorf("the same name: %v", err)
	}
	w.must(w.create("Ada", "Ada")) // differs in case
	w.must(w.create("ada", "ada")) // again, which changes nothing
	if s := w.user("ada"); s.Key != 1 {
		t.Errorf("key %d", s.Key)
	}
	for _, name := range []string{"", " ", strings.Repeat("x", 500)} {
		if code, _ := domain.Explain(w.create("nobody", name)); code != domain.Invalid {
			t.Errorf("name of %d letters: %s", len(name), code)
		}
	}
}

// A claim whose user never came to be stands for a minute.
func TestAbandonedClaim(t *testing.T) {
	w := newWorld(t)
	w.must(w.Claim(t.Context(), "ada", id("never"), w.by("").Meta))
	w.now = w.now.Add(time.Minute)
	if err := w.create("ada", "ada"); !taken(err) {
		t.Errorf("within the minute: %v", err)
	}
	w.now = w.now.Add(time.Second)
	w.must(w.create("ada", "ada"))
	if err := w.Claim(t.Context(), "ada", id("never"), w.by("").Meta); !taken(err) {
		t.Errorf("the late one: %v", err)
	}
	w.now = w.now.Add(time.Hour)
	if err := w.create("late", "ada"); !taken(err) {
		t.Errorf("a claim with a user was taken over: %v", err)
	}
}

func TestRename(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	w.must(w.create("bob", "bob"))
	if _, err := w.Write(t.Context(), id("ada"), named("bob"), w.by("")); !taken(err) {
		t.Errorf("to a name that is taken: %v", err)
	}
	_, err := w.Write(t.Context(), id("ada"), named("countess"), w.by(""))
	w.must(err)
	if got := w.user("ada").Username; got != "countess" {
		t.Errorf("called %s", got)
	}
	w.must(w.create("other", "ada"))
	if err := w.create("third", "countess"); !taken(err) {
		t.Errorf("the new name is free: %v", err)
	}
}

// A crash between the new name and the release of the old one leaves both with
// the user; the old one is free after a minute.
func TestRenameInterrupted(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	w.ledger.failAt(3) // claim, write, release
	if _, err := w.Write(t.Context(), id("ada"), named("countess"), w.by("")); !errors.Is(err, errRefused) {
		t.Fatalf("the release was to fail: %v", err)
	}
	if err := w.create("other", "ada"); !taken(err) {
		t.Errorf("at once: %v", err)
	}
	w.now = w.now.Add(time.Minute + time.Second)
	w.must(w.create("other", "ada"))
}

// Whichever append of a creation fails: doing it again makes one user.
func TestCreateInterrupted(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 4; n++ {
		name := fmt.Sprint("ada", n)
		w.ledger.failAt(n)
		writer := w.by(name)
		made := account.New{ID: id(name), Fields: named(name), Hash: domain.NewSecret(stored)}
		_, err := w.Create(t.Context(), made, writer)
		if n < 4 && !errors.Is(err, errRefused) {
			t.Fatalf("append %d was to fail: %v", n, err)
		}
		w.ledger.failAt(0)
		for range 2 {
			_, err := w.Create(t.Context(), made, writer)
			w.must(err)
		}
		if s := w.user(name); s.Username != name || s.Password.Empty() {
			t.Errorf("append %d failed: %q", n, s.Username)
		}
	}
}

// Whoever knew the old password is out, but for the session that asks.
func TestPasswordChange(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	w.must(w.create("bob", "bob"))
	mine, other, foreign := w.session("mine", "ada"), w.session("other", "ada"), w.session("foreign", "bob")
	writer := w.by("")
	writer.Meta.Header.Actor.Session = mine
	w.must(w.SetPassword(t.Context(), id("ada"), domain.NewSecret("x"), writer))
	if !w.alive(mine) || w.alive(other) || !w.alive(foreign) {
		t.Errorf("alive: own %t, other %t, another user's %t", w.alive(mine), w.alive(other), w.alive(foreign))
	}
	if w.user("ada").Password.Empty() {
		t.Error("no password")
	}
	if code, _ := domain.Explain(w.SetPassword(t.Context(), id("nobody"), domain.NewSecret("x"), w.by(""))); code != domain.NotFound {
		t.Errorf("of nobody: %s", code)
	}
}

func TestSetHashOnce(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	for range 2 {
		w.must(w.SetHash(t.Context(), id("ada"), domain.NewSecret(stored), w.by("effect")))
	}
	n := 0
	for e, err := range w.ledger.ReadStream(t.Context(), eventstore.Stream("user", id("ada")), 0) {
		w.must(err)
		if e.Type == "UserPasswordSet" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("set %d times", n)
	}
}

func TestDeactivate(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	s := w.session("s", "ada")
	no, yes := false, true
	_, err := w.Write(t.Context(), id("ada"), user.Fields{Active: &yes}, w.by(""))
	w.must(err)
	if !w.alive(s) {
		t.Error("ended without a reason")
	}
	_, err = w.Write(t.Context(), id("ada"), user.Fields{Active: &no}, w.by(""))
	w.must(err)
	if w.alive(s) {
		t.Error("the session of an inactive user lives")
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	s := w.session("s", "ada")
	for range 2 {
		w.must(w.Delete(t.Context(), id("ada"), w.by("")))
	}
	if w.user("ada").Status == user.Present || w.alive(s) {
		t.Errorf("status %s, session alive %t", w.user("ada").Status, w.alive(s))
	}
	w.must(w.create("other", "ada"))
	w.must(w.Delete(t.Context(), id("nobody"), w.by("")))
	if diff := cmp.Diff([]string{id("ada"), id("ada")}, w.erased); diff != "" {
		t.Errorf("erased (-want +got):\n%s", diff)
	}
}

// Who deletes themselves is out in the session that asks, too; somebody else's
// goes on.
func TestDeleteOneself(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	w.must(w.create("bob", "bob"))
	mine, other := w.session("mine", "ada"), w.session("other", "bob")
	writer := w.by("")
	writer.Meta.Header.Actor.Session = other
	w.must(w.Delete(t.Context(), id("bob"), writer))
	if w.alive(other) {
		t.Error("the session that asked lives")
	}
	w.must(w.create("eve", "eve"))
	writer.Meta.Header.Actor.Session = mine
	w.must(w.Delete(t.Context(), id("eve"), writer))
	if !w.alive(mine) {
		t.Error("somebody else's session has ended")
	}
}

// Whichever append of a deletion fails, doing it again ends user and sessions.
func TestDeleteInterrupted(t *testing.T) {
	for n := 1; n <= 3; n++ {
		t.Run(fmt.Sprint("append ", n), func(t *testing.T) {
			w := newWorld(t)
			w.must(w.create("ada", "ada"))
			s := w.session("s", "ada")
			w.ledger.failAt(n)
			if err := w.Delete(t.Context(), id("ada"), w.by("")); !errors.Is(err, errRefused) {
				t.Fatalf("it was to fail: %v", err)
			}
			w.ledger.failAt(0)
			w.must(w.Delete(t.Context(), id("ada"), w.by("")))
			if w.user("ada").Status == user.Present || w.alive(s) {
				t.Errorf("status %s, session alive %t", w.user("ada").Status, w.alive(s))
			}
			w.now = w.now.Add(time.Minute + time.Second)
			w.must(w.create("other", "ada"))
		})
	}
}

func TestJoin(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("ada", "ada"))
	name := "friends"
	stream := eventstore.Stream("group", id(name))
	_, err := w.Groups.Handle(t.Context(), stream, group.Write{Name: &name}, w.by("").Meta)
	w.must(err)
	for range 2 {
		w.must(w.Join(t.Context(), id("ada"), []string{id(name)}, w.by("")))
	}
	s, revision, err := w.Groups.Load(t.Context(), stream)
	w.must(err)
	if len(s.Members.List()) != 1 || revision != 1 {
		t.Errorf("members %v at revision %d", s.Members, revision)
	}
	if err := w.Join(t.Context(), id("ada"), []string{id("nowhere")}, w.by("")); err == nil {
		t.Error("joined a group that does not exist")
	}
}
