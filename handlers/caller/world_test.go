package caller_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/caller"
	"github.com/flowledger/flowledger/handlers/command"
	_ "github.com/flowledger/flowledger/projections" // registers the events
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world is callers with sessions, cookies and tokens, but for the read
// models.
type world struct {
	*caller.Callers
	t      *testing.T
	now    time.Time
	store  *memory.Store
	vault  *vault.Vault
	people people
	keys   keys
	roles  roles
}

// roles are what users may do, by their ids.
type roles map[string][]string

// Granted implements caller.Roles.
func (r *roles) Granted(_ context.Context, id string) ([]string, error) {
	if names, ok := (*r)[id]; ok {
		return names, nil
	}
	return nil, nil
}

// people are users by their ids.
type people map[string]user.Person

func (p people) Person(_ context.Context, id string) (user.Person, error) { return p[id], nil }

// keys are the ids of tokens by their keys, as a read model has them: valid
// ones only.
type keys struct {
	*vault.Vault
	tokens map[string]string
	owner  string
}

func (k *keys) Bearer(_ context.Context, key string) (id, userID string, err error) {
	if id = k.tokens[key]; id != "" {
		userID = k.owner
	}
	return id, userID, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: start}
	clock := func() time.Time { return w.now }
	v, err := vault.Open(vault.Memory, [32]byte{1}, clock)
	if err != nil {
		t.Fatal(err)
	}
	w.store, w.vault = memory.New(clock), v
	t.Cleanup(func() {
		if err := errors.Join(v.Close(), w.store.Close()); err != nil {
			t.Error(err)
		}
	})
	c := &codec.Codec{Vault: v, Tenant: "t", Leak: func(event, key string) { t.Errorf("%s leaks %s", event, key) }}
	w.people = people{"ada": {ID: "ada", Username: "ada", Active: true, Superuser: true}, "bob": {ID: "bob", Username: "bob"}}
	w.keys = keys{v, map[string]string{}, "ada"}
	w.Callers = &caller.Callers{
		Sessions: &command.Handler[session.State]{Store: w.store, Codec: c}, Tokens: &command.Handler[token.State]{Store: w.store, Codec: c},
		Cookies: v, Bearers: &w.keys, People: w.people, Roles: &w.roles, Now: clock,
	}
	return w
}

// A jar is a browser: it keeps what it is told to.
type jar struct {
	w       *world
	cookies map[string]string
	address string
	headers http.Header
	last    []*http.Cookie // that the last answer set
}

func (w *world) jar() *jar {
	return &jar{w: w, cookies: map[string]string{}, address: "192.0.2.1:1234", headers: http.Header{}}
}

// request makes a request with what the jar holds.
func (j *jar) request(method string) *http.Request {
	r := httptest.NewRequest(method, "http://login.example.org/x", nil)
	r.RemoteAddr = j.address
	r.Header = j.headers.Clone()
	for name, value := range j.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// does makes a request and keeps the cookies of the answer.
func (j *jar) does(what func(http.ResponseWriter, *http.Request, *session.Caller) error) session.Caller {
	j.w.t.Helper()
	answer, r := httptest.NewRecorder(), j.request(http.MethodGet)
	c, err := j.w.Of(answer, r)
	if err != nil {
		j.w.t.Fatal(err)
	}
	if what != nil {
		if err := what(answer, r, &c); err != nil {
			j.w.t.Fatal(err)
		}
	}
	j.last = answer.Result().Cookies()
	for _, cookie := range j.last {
		j.cookies[cookie.Name] = cookie.Value
	}
	return c
}

func (j *jar) is() session.Caller {
	j.w.t.Helper()
	return j.does(nil)
}

// set returns a cookie that the last answer set.
func (j *jar) set(name string) *http.Cookie {
	for _, cookie := range j.last {
		if cookie.Name == name {
			return cookie
		}
	}
	return nil
}

// logsIn begins a session and logs ada in to it.
func (j *jar) logsIn(a session.Authenticate) session.Caller {
	j.w.t.Helper()
	c := j.does(j.w.Begin)
	if a.User == "" {
		a.User = "ada"
	}
	if a.Expires.IsZero() {
		a.Expires = j.w.now.Add(24 * time.Hour)
	}
	a.Execution, a.Now, a.IP = "x1"+j.w.now.String(), j.w.now, "192.0.2.1"
	j.w.handle(c.Session, a)
	return c
}

func (w *world) handle(id string, c domain.Command[session.State]) {
	w.t.Helper()
	meta := codec.Meta{Subject: "session:" + id, Time: w.now}
	if _, err := w.Sessions.Handle(w.t.Context(), eventstore.Stream("session", id), c, meta); err != nil {
		w.t.Fatal(err)
	}
}

// story lists the types of a session's events.
func (w *world) story(id string) string {
	w.t.Helper()
	var types []string
	for e, err := range w.store.ReadStream(w.t.Context(), eventstore.Stream("session", id), 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		types = append(types, strings.TrimPrefix(e.Type, "Session"))
	}
	return strings.Join(slices.Clip(types), " ")
}

func (w *world) state(id string) session.State {
	w.t.Helper()
	s, _, err := w.Sessions.Load(w.t.Context(), eventstore.Stream("session", id))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}
