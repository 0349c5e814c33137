package account_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/command"
	_ "github.com/flowledger/flowledger/projections" // registers the events
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// errRefused is what a store answers that takes no more.
var errRefused = errors.New("the disk is full")

// A ledger refuses its n-th append.
type ledger struct {
	*memory.Store
	mu      sync.Mutex
	appends int // guarded by mu
	fail    int // guarded by mu
}

func (l *ledger) Append(
	ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent,
) (eventstore.Revision, error) {
	l.mu.Lock()
	l.appends++
	refused := l.appends == l.fail
	l.mu.Unlock()
	if refused {
		return -1, errRefused
	}
	return l.Store.Append(ctx, stream, expected, events...)
}

func (l *ledger) failAt(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.appends, l.fail = 0, n
}

// A world is accounts on a ledger that can refuse.
type world struct {
	*account.Accounts
	t      *testing.T
	ledger *ledger
	now    time.Time
	living map[string][]string // the sessions of users
	erased []string

	shredder *shredder
}

// fakePool hashes nothing: it knows one stored form.
type fakePool struct{}

const stored = "pbkdf2_sha256$1$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

func (fakePool) Hash(context.Context, domain.Secret) (domain.Secret, error) {
	return domain.NewSecret(stored), nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: start, living: map[string][]string{}}
	clock := func() time.Time { return w.now }
	v, err := vault.Open(vault.Memory, [32]byte{1}, clock)
	if err != nil {
		t.Fatal(err)
	}
	w.ledger = &ledger{Store: memory.New(clock)}
	t.Cleanup(func() {
		if err := errors.Join(v.Close(), w.ledger.Close()); err != nil {
			t.Error(err)
		}
	})
	c := &codec.Codec{Vault: v, Tenant: "t", Leak: func(event, key string) { t.Errorf("%s leaks %s", event, key) }}
	w.shredder = &shredder{forget: func(credential string) error {
		return v.Forget(t.Context(), []string{"credential:" + credential}, byte(domain.Credential))
	}}
	w.Accounts = &account.Accounts{
		Users:    &command.Handler[user.State]{Store: w.ledger, Codec: c},
		Claims:   &command.Handler[user.Claimed]{Store: w.ledger, Codec: c},
		Counters: &command.Handler[user.Counter]{Store: w.ledger, Codec: c},
		Groups:   &command.Handler[group.State]{Store: w.ledger, Codec: c},
		Sessions: &command.Handler[session.State]{Store: w.ledger, Codec: c},
		Living:   func(_ context.Context, id string) ([]string, error) { return w.living[id], nil },
		Code:     v.Code, Passwords: fakePool{}, Forget: w.shredder.Forget, Now: clock,
		Erase: func(_ context.Context, id, _ string) error { w.erased = append(w.erased, id); return nil },
	}
	return w
}

func id(name string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String() }

// by writes under ids that follow from a command, as effects do.
func (w *world) by(name string) account.Writer {
	wr := account.Writer{Via: "api", Meta: codec.Meta{Subject: "tenant", Time: w.now}}
	if name != "" {
		wr.Meta.Command = uuid.NewSHA1(uuid.NameSpaceOID, []byte(name))
	}
	return wr
}

func named(name string) user.Fields { return user.Fields{Username: &name} }

// create makes a user with this id and name.
func (w *world) create(of, name string) error {
	_, err := w.Create(w.t.Context(), account.New{ID: id(of), Fields: named(name)}, w.by(""))
	return err
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) user(of string) user.State {
	w.t.Helper()
	s, _, err := w.Users.Load(w.t.Context(), eventstore.Stream("user", id(of)))
	w.must(err)
	return s
}

// taken tells whether an error says that the name is another's.
func taken(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	return ok && e.Code == domain.Invalid && len(e.Fields["username"]) == 1 && e.Fields["username"][0] == "This field must be unique."
}

func (w *world) session(name, of string) string {
	w.t.Helper()
	stream := eventstore.Stream("session", id(name))
	meta := codec.Meta{Subject: "tenant", Time: w.now}
	_, err := w.Sessions.Handle(w.t.Context(), stream, session.Begin{Kind: "browser", Now: w.now, Expires: w.now.Add(time.Hour)}, meta)
	w.must(err)
	_, err = w.Sessions.Handle(w.t.Context(), stream, session.Authenticate{
		User: id(of), Execution: "x", Now: w.now, Expires: w.now.Add(time.Hour),
	}, meta)
	w.must(err)
	w.living[id(of)] = append(w.living[id(of)], id(name))
	return id(name)
}

func (w *world) alive(session string) bool {
	w.t.Helper()
	s, _, err := w.Sessions.Load(w.t.Context(), eventstore.Stream("session", session))
	w.must(err)
	return s.Living(w.now)
}
