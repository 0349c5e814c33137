package caller_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Whoever is logged in, or shows a token, may what their roles permit; a token
// with a scope only what is in both.
func TestGrants(t *testing.T) {
	const view, change = "authentik_core.view_user", "authentik_core.change_user"
	w := newWorld(t)
	w.people["eve"] = user.Person{ID: "eve", Username: "eve", Active: true}
	w.roles = roles{"eve": {view}, "ada": {change}}
	for id, scope := range map[string][]string{"whole": nil, "part": {view, change}} {
		made := token.Create{Intent: token.API, User: "eve", Identifier: id, Digest: domain.NewSecret("d"), Credential: id, Scope: scope}
		if _, err := w.Tokens.Handle(t.Context(), eventstore.Stream("token", id), made, codec.Meta{Subject: "user:eve", Time: w.now}); err != nil {
			t.Fatal(err)
		}
		w.keys.tokens[id] = id
	}
	w.keys.owner = "eve"
	with := func(key string) session.Caller {
		j := w.jar()
		j.headers.Set("Authorization", "Bearer "+key)
		return j.is()
	}
	login := func(who string) session.Caller {
		j := w.jar()
		j.logsIn(session.Authenticate{User: who})
		return j.does(w.Renew)
	}
	again := func(who string) session.Caller {
		j := w.jar()
		j.logsIn(session.Authenticate{User: who})
		j.does(w.Renew)
		return j.is()
	}
	for name, test := range map[string]struct {
		c            session.Caller
		view, change bool
	}{
		"eve by session":           {again("eve"), true, false},
		"eve at the login itself":  {login("eve"), false, false},
		"eve by token":             {with("whole"), true, false},
		"eve by a limited token":   {with("part"), true, false},
		"ada, who may do anything": {again("ada"), true, true},
		"nobody":                   {w.jar().is(), false, false},
	} {
		if got, got2 := test.c.May(view), test.c.May(change); got != test.view || got2 != test.change {
			t.Errorf("%s: view %v, change %v", name, got, got2)
		}
	}
	if c := again("ada"); c.Granted != nil {
		t.Errorf("a superuser's roles were asked for: %v", c.Granted)
	}
	w.roles = roles{}
	if again("eve").May(view) {
		t.Error("what was taken away is still granted")
	}
}
