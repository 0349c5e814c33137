package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/account"
)

// A site is an engine that several nodes of one process share.
type site struct {
	t      *testing.T
	name   string
	store  *memory.Store
	keys   vault.Engine
	master string // file of the master key

	mu   sync.Mutex
	away map[string]bool // nodes whose way to the engine is cut, by address; guarded by mu
}

// sites are the engines of the scheme test, by name.
var sites sync.Map

func init() {
	find := func(url string) *site {
		name, _, _ := strings.Cut(strings.TrimPrefix(url, "test://"), "?")
		found, _ := sites.Load(name)
		return found.(*site)
	}
	engines["test"] = engine{
		ledger: func(_ context.Context, url string) (sharedLedger, error) {
			return &remoteStore{Store: find(url).store, site: find(url), url: url}, nil
		},
		keys: func(_ context.Context, url string, _ func() time.Time) (vault.Engine, error) {
			return keptOpen{find(url).keys}, nil
		},
	}
}

// keptOpen is an engine that others still use.
type keptOpen struct{ vault.Engine }

func (keptOpen) Close() error { return nil }

// A remoteStore is a node's way to the ledger of a site.
type remoteStore struct {
	*memory.Store
	site *site
	url  string
}

func (s *remoteStore) fault() error {
	s.site.mu.Lock()
	defer s.site.mu.Unlock()
	if s.site.away[s.url] {
		return fmt.Errorf("connect to 10.0.0.7: %w", eventstore.ErrUnavailable)
	}
	return nil
}

func (s *remoteStore) Append(
	ctx context.Context, stream eventstore.StreamID, expected eventstore.Expected, events ...eventstore.NewEvent,
) (eventstore.Revision, error) {
	if err := s.fault(); err != nil {
		return -1, err
	}
	<-time.After(latency)
	return s.Store.Append(ctx, stream, expected, events...)
}

// latency is what an append to an engine elsewhere takes.
const latency = 5 * time.Millisecond

func (s *remoteStore) ReadStream(ctx context.Context, stream eventstore.StreamID, from eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return s.faulty(s.Store.ReadStream(ctx, stream, from))
}

func (s *remoteStore) Subscribe(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return s.faulty(s.Store.Subscribe(ctx, after))
}

func (s *remoteStore) faulty(all iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if err := s.fault(); err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		for e, err := range all {
			if fault := s.fault(); fault != nil {
				yield(eventstore.Recorded{}, fault)
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *remoteStore) Head(ctx context.Context) (eventstore.Position, error) {
	if err := s.fault(); err != nil {
		return eventstore.Position{}, err
	}
	return s.Store.Head(ctx)
}

func (s *remoteStore) Note(ctx context.Context, name string) ([]byte, int64, error) {
	if err := s.fault(); err != nil {
		return nil, 0, err
	}
	return s.Store.Note(ctx, name)
}

func (s *remoteStore) SetNote(ctx context.Context, name string, value []byte, version int64) (int64, error) {
	if err := s.fault(); err != nil {
		return 0, err
	}
	return s.Store.SetNote(ctx, name, value, version)
}

func (*remoteStore) Close() error { return nil }

func newSite(t *testing.T) *site {
	t.Helper()
	keys, err := vault.OpenFile(vault.Memory, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	s := &site{
		t: t, name: t.Name(), store: memory.New(time.Now), keys: keys, away: map[string]bool{},
		master: filepath.Join(t.TempDir(), "master.key"),
	}
	if err := os.WriteFile(s.master, []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	sites.Store(s.name, s)
	t.Cleanup(func() { sites.Delete(s.name) })
	return s
}

// cut cuts a node off from the engine, or joins it again.
func (s *site) cut(node string, away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away[s.url(node)] = away
}

func (s *site) url(node string) string { return "test://" + s.name + "?node=" + node }

// open makes a node that nobody follows the ledger for yet.
func (s *site) open(node string) *app {
	s.t.Helper()
	a, err := open(storage{data: filepath.Join(s.t.TempDir(), node), store: s.url(node), masterKey: s.master}, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// node opens a node and follows the ledger, until the test ends.
func (s *site) node(name string) *app {
	s.t.Helper()
	a := s.open(name)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.runner.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, a.close()); err != nil {
			s.t.Error(err)
		}
	})
	return a
}

// front serves a node.
func front(t *testing.T, a *app) *httptest.Server {
	server := httptest.NewServer(a.handler(config{}, newMetrics(a)))
	t.Cleanup(server.Close)
	return server
}

// ask gets a page with cookies, and returns the answer and its body.
func ask(t *testing.T, url string, cookies ...*http.Cookie) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// bootstrapped makes a node whose first start is over.
func (s *site) bootstrapped(name string) *app {
	s.t.Helper()
	a := s.node(name)
	if err := a.bootstrap(s.t.Context(), config{}, io.Discard, &net.TCPAddr{}); err != nil {
		s.t.Fatal(err)
	}
	a.ready.Store(true)
	return a
}

func TestFirstStartsAtOnce(t *testing.T) {
	s := newSite(t)
	var out bytes.Buffer
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		a := s.node(name)
		wg.Go(func() {
			err := a.alone(context.Background(), "bootstrap", func(ctx context.Context) error {
				var printed bytes.Buffer
				err := a.bootstrap(ctx, config{}, &printed, &net.TCPAddr{})
				mu.Lock()
				defer mu.Unlock()
				out.Write(printed.Bytes())
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if links := strings.Count(out.String(), "flow_token="); links != 1 {
		t.Errorf("%d links are printed:\n%s", links, out.String())
	}
	types := map[string]int{}
	names := map[string]int{}
	for e, err := range s.store.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		types[e.Type]++
		if e.Type == "BlueprintImportStarted" || e.Type == "UserCreated" {
			names[e.Type]++
		}
	}
	if types["UserCreated"] != 1 || types["TokenCreated"] != 1 || types["TokenRevoked"] != 0 {
		t.Errorf("the ledger holds %d users, %d tokens and %d revocations", types["UserCreated"], types["TokenCreated"], types["TokenRevoked"])
	}
}

func TestClientsSeeTheirOwnWrites(t *testing.T) {
	s := newSite(t)
	one, other := s.bootstrapped("one"), s.open("other")
	answer, _ := ask(t, front(t, one).URL+"/if/flow/default-authentication-flow/")
	var position *http.Cookie
	for _, c := range answer.Cookies() {
		if c.Name == positionCookie {
			position = c
		}
	}
	if position == nil || !position.HttpOnly || position.SameSite != http.SameSiteLaxMode {
		t.Fatalf("an answer behind an append has the cookie %v", position)
	}
	if answer, _ := ask(t, front(t, one).URL+"/-/health/live/", position); len(answer.Cookies()) != 0 {
		t.Errorf("an answer without an append sets %v", answer.Cookies())
	}
	behind := front(t, other)
	start := time.Now()
	answer, body := ask(t, behind.URL+"/api/v3/root/config/", position)
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") != "1" || !strings.Contains(body, `{"detail":`) {
		t.Errorf("a node that is behind answers %d, Retry-After %q, %s", answer.StatusCode, answer.Header.Get("Retry-After"), body)
	}
	if took := time.Since(start); took < waitLimit || took > 2*waitLimit {
		t.Errorf("it waited for %v", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- other.runner.Run(ctx) }()
	for name, value := range map[string]string{"that position": position.Value, "nonsense": "x", "the future": "18446744073709551615"} {
		answer, body := ask(t, behind.URL+"/api/v3/root/config/", &http.Cookie{Name: positionCookie, Value: value})
		if answer.StatusCode == http.StatusServiceUnavailable {
			t.Errorf("with %s, a node that follows answers %d %s", name, answer.StatusCode, body)
		}
	}
	cancel()
	if err := errors.Join(<-ended, other.close()); err != nil {
		t.Error(err)
	}
}

// until waits for something that comes by itself.
func until(t *testing.T, what string, limit time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); {
		if time.Now().After(end) {
			t.Fatalf("after %v: not yet %s", limit, what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestEngineOutOfReach(t *testing.T) {
	s := newSite(t)
	a := s.bootstrapped("one")
	url := front(t, a).URL
	status := func(path string) int {
		answer, body := ask(t, url+path)
		if strings.Contains(body, "10.0.0.7") {
			t.Errorf("%s tells where the engine is: %s", path, body)
		}
		return answer.StatusCode
	}
	until(t, "ready", 5*time.Second, func() bool { return status("/-/health/ready/") == http.StatusOK })
	s.cut("one", true)
	until(t, "red", 5*time.Second, func() bool { return status("/-/health/ready/") == http.StatusServiceUnavailable })
	for _, path := range []string{"/api/v3/flows/executor/default-authentication-flow/", "/if/flow/default-authentication-flow/", "/api/v3/core/users/"} {
		// Also where nobody is logged in, which needs no engine to be said: a node
		// that knows asks nothing, and nobody waits for its patience to end.
		answer, body := ask(t, url+path)
		if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q, %s", path, answer.StatusCode, answer.Header.Get("Retry-After"), body)
		}
	}
	if got := status("/-/health/live/"); got != http.StatusOK {
		t.Errorf("liveness is %d", got)
	}
	s.cut("one", false)
	until(t, "green", 5*time.Second, func() bool { return status("/-/health/ready/") == http.StatusOK })
	if got := status("/if/flow/default-authentication-flow/"); got >= http.StatusBadRequest {
		t.Errorf("a page is %d afterwards", got)
	}
}

// What was opened on one node is forgotten when another erases its owner.
func TestErasedElsewhere(t *testing.T) {
	s := newSite(t)
	one, other := s.bootstrapped("one"), s.node("other")
	name, mail := "ada", "ada@example.org"
	id := "5b1e4e0c-9d0c-4a64-8a0f-4f0f8f2f9b11"
	if _, err := one.accounts.Create(t.Context(), account.New{ID: id, Fields: user.Fields{Username: &name, Email: &mail}}, account.Writer{Via: "api", Meta: system("user:" + id)}); err != nil {
		t.Fatal(err)
	}
	if err := other.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u, _, err := other.userHandler.Load(t.Context(), eventstore.Stream("user", id)); err != nil || u.Email != mail {
		t.Fatalf("before: %q, %v", u.Email, err)
	}
	exports := newExportFiles(other.data)
	if err := exports.Write(id, func(w io.Writer) error { _, err := io.WriteString(w, mail); return err }, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := one.accounts.Delete(t.Context(), id, account.Writer{Via: "api", Meta: system("tenant")}); err != nil {
		t.Fatal(err)
	}
	if err := other.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u, _, err := other.userHandler.Load(t.Context(), eventstore.Stream("user", id)); err != nil || u.Email == mail {
		t.Errorf("after: %q, %v", u.Email, err)
	}
	if ids, err := exports.IDs(); err != nil || len(ids) != 0 {
		t.Errorf("the exports %v are left, %v", ids, err)
	}
}

// Workers go on at the checkpoint of the one before, and whoever lost the
// lease writes none.
func TestCheckpointsMove(t *testing.T) {
	s := newSite(t)
	one, other := s.node("one"), s.node("other")
	first, at, err := one.checkpoint(t.Context(), "mail")
	if err != nil || at != (eventstore.Position{}) {
		t.Fatalf("at first %v, %v", at, err)
	}
	if err := errors.Join(first.save(eventstore.PositionOf(3)), first.save(eventstore.PositionOf(5))); err != nil {
		t.Fatal(err)
	}
	second, at, err := other.checkpoint(t.Context(), "mail")
	if err != nil || at != eventstore.PositionOf(5) {
		t.Fatalf("the next begins at %v, %v", at, err)
	}
	if err := second.save(eventstore.PositionOf(9)); err != nil {
		t.Fatal(err)
	}
	if err := first.save(eventstore.PositionOf(6)); !errors.Is(err, eventstore.ErrNoteMoved) {
		t.Errorf("the old one writes: %v", err)
	}
	if _, at, err := one.checkpoint(t.Context(), "mail"); err != nil || at != eventstore.PositionOf(9) {
		t.Errorf("in the end %v, %v", at, err)
	}
	s.cut("one", true)
	if err := first.save(eventstore.PositionOf(7)); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("without the engine: %v", err)
	}
}

// Two administrators on two nodes cannot both take the last free name.
func TestChangesTakeTurns(t *testing.T) {
	s := newSite(t)
	const key = "a-token-for-both-nodes-of-the-test"
	one := s.node("one")
	if err := one.bootstrap(t.Context(), config{bootstrapToken: key}, io.Discard, &net.TCPAddr{}); err != nil {
		t.Fatal(err)
	}
	other := s.node("other")
	if err := other.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	one.ready.Store(true)
	other.ready.Store(true)
	urls := []string{front(t, one).URL, front(t, other).URL}
	for round := range 8 {
		var wg sync.WaitGroup
		statuses := make([]int, 4)
		for i := range statuses {
			wg.Go(func() {
				body := fmt.Sprintf(`{"name":"round %[1]d","slug":"round-%[1]d","title":"x","designation":"authentication"}`, round)
				r, err := http.NewRequest(http.MethodPost, urls[i%2]+"/api/v3/flows/instances/", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+key)
				r.Header.Set("Content-Type", "application/json")
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				statuses[i] = answer.StatusCode
				_ = answer.Body.Close()
			})
		}
		wg.Wait()
		slices.Sort(statuses)
		if !slices.Equal(statuses, []int{201, 400, 400, 400}) {
			t.Errorf("round %d: %v", round, statuses)
		}
	}
}

func TestFolderOfANode(t *testing.T) {
	s := newSite(t)
	a := s.open("one")
	taken := storage{data: a.data, store: s.url("two"), masterKey: s.master}
	if b, err := open(taken, discard()); err == nil || !strings.Contains(err.Error(), "in use by another server") {
		t.Errorf("two nodes have one folder: %v, %v", b, err)
	}
	err := with(t.Context(), taken, discard(), func(_ context.Context, b *app) error {
		if b.data == a.data {
			t.Error("a command works in the folder of a server")
		}
		return nil
	})
	if err != nil {
		t.Errorf("a command beside a server: %v", err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	absent := filepath.Join(t.TempDir(), "absent")
	taken.data = absent
	if err := with(t.Context(), taken, discard(), func(context.Context, *app) error { return nil }); err != nil {
		t.Errorf("a command without a folder: %v", err)
	}
	if _, err := os.Stat(absent); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a command makes a data folder: %v", err)
	}
}

func TestPlaces(t *testing.T) {
	for store, want := range map[string]string{
		"sqlite:":                             "sqlite:",
		"postgres://u:p@db/flow?password=q":   "postgres://db/flow",
		"postgres://u:p@x@db:5432/flow":       "postgres://db:5432/flow",
		"esdb://admin:changeit@h:2113?tls=no": "esdb://h:2113",
		"esdb+discover://h1,h2":               "esdb+discover://h1,h2",
	} {
		if got := (&storage{store: store}).place(); got != want {
			t.Errorf("%s is shown as %s, want %s", store, got, want)
		}
	}
	_, _, err := (&storage{store: "postgres:u:geheim@db"}).events()
	if err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("an unknown store: %v", err)
	}
	if code, _ := domain.Explain(err); code != domain.Internal {
		t.Errorf("its code is %s", code)
	}
}
