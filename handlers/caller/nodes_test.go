package caller_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/caller"
)

// A node remembers where a cookie leads. What the session is, it asks each
// time, so that what happens at another node counts here at once.
func TestOtherNodes(t *testing.T) {
	tests := map[string]struct {
		there func(there *caller.Callers, j *jar, id string)
		want  session.Caller // but for what all callers have
	}{
		"nothing happened": {func(*caller.Callers, *jar, string) {}, session.Caller{User: "ada"}},
		"the session was revoked": {func(there *caller.Callers, j *jar, id string) {
			j.w.handle(id, session.Revoke{By: "ada"})
		}, session.Caller{}},
		"the user left for good": {func(there *caller.Callers, j *jar, id string) {
			j.w.handle(id, session.LogOut{})
		}, session.Caller{}},
		"the user left": {func(there *caller.Callers, j *jar, id string) {
			j.w.handle(id, session.LogOut{Keep: true})
		}, session.Caller{Stale: true}},
		"the user left, and has a new cookie": {func(there *caller.Callers, j *jar, id string) {
			j.w.handle(id, session.LogOut{Keep: true})
			renewing := *j
			renewing.cookies = map[string]string{cookieName: j.cookies[cookieName]}
			renewing.w = &world{Callers: there, t: j.w.t}
			renewing.does(there.Renew)
			j.w.now = j.w.now.Add(2 * time.Minute) // the grace is over, and so is what this node remembers
		}, session.Caller{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			path := filepath.Join(t.TempDir(), "keys.db")
			here, there := w.node(path), w.node(path)
			w.Callers = here
			j := w.jar()
			c := j.logsIn(session.Authenticate{})
			j.does(w.Renew)
			if got := j.is(); got.User != "ada" {
				t.Fatalf("logged in: %+v", got)
			}
			test.there(there, j, c.Session)
			got := j.is()
			if got.User != test.want.User || got.Stale != test.want.Stale {
				t.Errorf("user %q, stale %t, want %q, %t", got.User, got.Stale, test.want.User, test.want.Stale)
			}
			if lives := got.Session != ""; lives != (test.want.User != "" || test.want.Stale) {
				t.Errorf("session %q", got.Session)
			}
		})
	}
}

// node makes callers with a memory of their own.
func (w *world) node(path string) *caller.Callers {
	w.t.Helper()
	v, err := vault.Open(path, [32]byte{1}, w.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { v.Close() })
	return &caller.Callers{
		Sessions: w.Sessions, Tokens: w.Tokens, Cookies: v, Bearers: w.Bearers, People: w.People, Roles: w.Roles, Now: w.Now,
	}
}
