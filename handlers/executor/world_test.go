package executor_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/command"
	"github.com/flowledger/flowledger/handlers/executor"
	"github.com/flowledger/flowledger/projections"
)

// errRefused is what a store answers that takes no more.
var errRefused = errors.New("the disk is full")

// A ledger is a store that can refuse appends.
type ledger struct {
	*memory.Store
	mu      sync.Mutex
	appends int                                     // since the last call of failAt; guarded by mu
	fail    int                                     // which append fails; 0 for none; guarded by mu
	refuse  func(eventstore.StreamID) bool          // streams that take nothing; guarded by mu
	before  func(stream eventstore.StreamID, n int) // called ahead of each append; guarded by mu
}

func (l *ledger) Append(
	ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent,
) (eventstore.Revision, error) {
	l.mu.Lock()
	l.appends++
	refused := l.appends == l.fail || l.refuse != nil && l.refuse(stream)
	before, n := l.before, l.appends
	l.mu.Unlock()
	if refused {
		return -1, fmt.Errorf("append to %s: %w", stream, errRefused)
	}
	if before != nil {
		before(stream, n)
	}
	return l.Store.Append(ctx, stream, expected, events...)
}

// failAt makes the n-th append from here on fail; 0 makes none fail.
func (l *ledger) failAt(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.appends, l.fail = 0, n
}

func (l *ledger) only(refuse func(eventstore.StreamID) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = refuse
}

// pool hashes cheaply: one round of PBKDF2.
type pool struct{ rehash bool }

func (p *pool) Verify(_ context.Context, encoded, typed domain.Secret) (ok, rehash bool, err error) {
	if encoded.Empty() {
		return false, false, nil
	}
	ok, _ = user.Verify(encoded, typed)
	return ok, ok && p.rehash, nil
}

func (p *pool) Hash(_ context.Context, typed domain.Secret) (domain.Secret, error) {
	return cheap(typed.Reveal()), nil
}

// A world is an executor with everything that it runs on, but for HTTP.
type world struct {
	*executor.Executor
	t      testing.TB
	ledger *ledger
	vault  *vault.Vault
	codec  *codec.Codec
	pool   *pool
	links  *links

	users       *projections.Users
	definitions *projections.Objects

	objects  command.Handler[object.State]
	accounts *account.Accounts

	mu      sync.Mutex
	now     time.Time // guarded by mu
	erased  int
	restart func() // puts the executor together anew, as a server that starts

	folded int // how often a former revision of something was read
}

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// newWorld makes a world with nobody and nothing in it.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: start, pool: &pool{}}
	v, err := vault.Open(vault.Memory, [32]byte{1}, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	views, err := projections.Open(filepath.Join(t.TempDir(), "views.db"))
	if err != nil {
		t.Fatal(err)
	}
	w.vault, w.ledger = v, &ledger{Store: memory.New(w.clock)}
	w.codec = &codec.Codec{Vault: v, Tenant: "t", Leak: func(event, key string) { t.Errorf("%s leaks %s", event, key) }}
	w.definitions, w.users = projections.NewObjects(), projections.NewUsers(views)
	sessions := projections.NewSessions(views)
	w.links = &links{named: map[string]named{}, tokens: projections.NewTokens(views), w: w}
	runner, err := projections.NewRunner(w.ledger, w.codec, views, slog.New(slog.DiscardHandler),
		w.definitions, w.users, projections.NewGroups(views), sessions, w.links.tokens)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runner.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := errors.Join(views.Close(), v.Close(), w.ledger.Close()); err != nil {
			t.Error(err)
		}
	})
	w.wire(sessions, func(ctx context.Context) error {
		head, err := w.ledger.Head(ctx)
		if err != nil {
			return err
		}
		return runner.WaitFor(ctx, head)
	})
	return w
}

func handler[S any](w *world) *command.Handler[S] {
	return &command.Handler[S]{Store: w.ledger, Codec: w.codec}
}

func (w *world) wire(sessions *projections.Sessions, wait func(context.Context) error) {
	w.restart = func() { w.wire(sessions, wait) }
	who := &people{w.users, sessions, w}
	w.objects = *handler[object.State](w)
	w.accounts = &account.Accounts{
		Users: handler[user.State](w), Claims: handler[user.Claimed](w), Counters: handler[user.Counter](w),
		Groups: handler[group.State](w), Sessions: handler[session.State](w), Living: who.living, Code: w.vault.Code,
		Passwords: w.pool, Forget: w.forget, Now: w.clock,
		Erase: func(context.Context, string, string) error { w.erased++; return nil },
	}
	w.Executor = &executor.Executor{
		Executions: handler[execution.State](w), Sessions: w.accounts.Sessions, Users: w.accounts.Users, Accounts: w.accounts,
		Tokens: handler[token.State](w), Invitations: handler[invitation.State](w), Consents: handler[consent.State](w), Objects: w.objectAt, Definitions: w.definitions, People: who, Links: w.links,
		Passwords: w.pool, Policies: policy.Env{Directory: directory{who}}, Audit: handler[audit.State](w), Mails: handler[mail.State](w), Resends: handler[mail.Resends](w), Secrets: w.vault, Now: w.clock,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Idle: execution.Idle, Wait: wait,
	}
}

// forget destroys the key of a credential.
func (w *world) forget(ctx context.Context, credential string) error {
	return w.vault.Forget(ctx, []string{"credential:" + credential}, byte(domain.Credential))
}

func (w *world) objectAt(ctx context.Context, id string, revision int64) (object.Thing, error) {
	w.folded++
	s, at, err := w.objects.LoadAt(ctx, eventstore.Stream("object", id), eventstore.Revision(revision))
	return object.Thing{ID: id, Kind: s.Kind, Name: s.Name, Revision: int64(at), Fields: s.Fields}, err
}

// people are the users of the read models.
type people struct {
	*projections.Users
	sessions *projections.Sessions
	w        *world
}

func (p *people) LivingSessions(ctx context.Context, id string) ([]stage.OtherSession, error) {
	return p.sessions.Living(ctx, id, p.w.clock())
}

func (p *people) living(ctx context.Context, id string) ([]string, error) {
	all, err := p.LivingSessions(ctx, id)
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	return ids, err
}

// A directory is the people as policies look them up.
type directory struct{ people *people }

func (d directory) Users(ctx context.Context, by map[string]any, _ int) ([]user.Person, int, error) {
	who, err := d.people.FindPerson(ctx, []string{"username"}, fmt.Sprint(by["username"]), false)
	if err != nil || !who.Exists() {
		return nil, 0, err
	}
	return []user.Person{who}, 1, nil
}

func (directory) Policy(context.Context, string) (policy.Policy, error) { return nil, nil }

func (directory) Groups(context.Context, map[string]any, int) ([]user.Group, int, error) {
	return nil, 0, nil
}

// links are tokens by their keys: those that a test names, and all others of
// the read model.
type links struct {
	named  map[string]named
	tokens *projections.Tokens
	w      *world
}

// A named is a token as a test has it.
type named struct{ id, flow, user string }

func (l *links) Link(ctx context.Context, key string) (id, flow, userID string, err error) {
	if t, ok := l.named[key]; ok {
		return t.id, t.flow, t.user, nil
	}
	t, _, err := l.tokens.ByDigest(ctx, l.KeyDigest(key).Reveal(), l.w.clock())
	return t.ID, t.Flow, t.User, err
}

func (l *links) AppPassword(ctx context.Context, key string) (string, error) {
	t, _, err := l.tokens.ByDigest(ctx, l.KeyDigest(key).Reveal(), l.w.clock())
	return t.ID, err
}

func (l *links) Mint() string { return rand.Text() }

func (l *links) KeyDigest(key string) domain.Secret {
	return domain.NewSecret(hex.EncodeToString(l.w.vault.Digest("token", key)))
}

// sync waits until the read models have seen all.
func (w *world) sync() {
	w.t.Helper()
	if err := w.Wait(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) meta() codec.Meta { return codec.Meta{Subject: "tenant", Time: w.clock()} }

// story lists the types of the events of a stream.
func (w *world) story(stream eventstore.StreamID) []string {
	w.t.Helper()
	var types []string
	for e, err := range w.ledger.ReadStream(w.t.Context(), stream, 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		types = append(types, e.Type)
	}
	return types
}

// count is how many events of a type the ledger holds.
func (w *world) count(kind string) int {
	w.t.Helper()
	n := 0
	for e, err := range w.ledger.ReadAll(w.t.Context(), eventstore.Position{}) {
		if err != nil {
			w.t.Fatal(err)
		}
		if e.Type == kind {
			n++
		}
	}
	return n
}

// executions lists the executions in the order in which they began.
func (w *world) executions() []string {
	w.t.Helper()
	var ids []string
	for e, err := range w.ledger.ReadAll(w.t.Context(), eventstore.Position{}) {
		if err != nil {
			w.t.Fatal(err)
		}
		if e.Stream.Category() == "execution" && !slices.Contains(ids, e.Stream.ID()) {
			ids = append(ids, e.Stream.ID())
		}
	}
	return ids
}

// state folds an execution.
func (w *world) state(id string) execution.State {
	w.t.Helper()
	s, _, err := w.Executions.Load(w.t.Context(), eventstore.Stream("execution", id))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) head() eventstore.Position {
	w.t.Helper()
	head, err := w.ledger.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return head
}
