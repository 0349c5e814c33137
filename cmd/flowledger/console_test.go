package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/projections"
)

// wantCode checks that an error is one that clients are told.
func wantCode(t *testing.T, what string, err error, code domain.Code) {
	t.Helper()
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Code != code {
		t.Errorf("%s: got %v, want %v", what, err, code)
	}
}

func TestConsoleSwitchesSinks(t *testing.T) {
	a, _ := newApp(t)
	d, id := consoleDeliveries{sinksAPI{a.outgoing}}, uuid.NewString()
	put := object.Put{Kind: trail.Model, Fields: map[string]any{"name": "s", "kind": "file", "target": "s.log"}, Via: "api"}
	if _, err := a.objectHandler.Handle(t.Context(), eventstore.Stream("object", id), put, system("object:"+id)); err != nil {
		t.Fatal(err)
	}
	a.sync(t)
	who := session.Caller{User: uuid.NewString(), Superuser: true}
	for _, on := range []bool{false, true} {
		if err := d.Enable(t.Context(), who, id, on); err != nil {
			t.Fatal(err)
		}
		all, err := d.Deliveries(t.Context())
		if err != nil || len(all) != 1 || all[0].ID != id || all[0].Enabled != on {
			t.Errorf("on %v: %+v, %v", on, all, err)
		}
	}
	wantCode(t, "a sink that is not there", d.Enable(t.Context(), who, uuid.NewString(), true), domain.NotFound)
	wantCode(t, "a place that is none", d.Resend(t.Context(), who, id, "nonsense"), domain.Invalid)
	wantCode(t, "no event", d.Settle(t.Context(), who, id, "", true), domain.Invalid)
}

// Somebody else's session is ended only under the name of whose it is.
func TestConsoleEndsSessions(t *testing.T) {
	a, _ := newApp(t)
	a.load(t, leavers)
	a.sync(t)
	who, err := a.users.FindPerson(t.Context(), []string{"username"}, "leaver", false)
	if err != nil {
		t.Fatal(err)
	}
	stream := eventstore.Stream("session", uuid.NewString())
	now := time.Now()
	for _, c := range []domain.Command[session.State]{
		session.Begin{Kind: "browser", Now: now}, session.Authenticate{User: who.ID, Execution: uuid.NewString(), Now: now},
	} {
		if _, err := a.sessionHandler.Handle(t.Context(), stream, c, system("user:"+who.ID)); err != nil {
			t.Fatal(err)
		}
	}
	p, admin := &consolePersons{pageAccount{a}}, session.Caller{User: uuid.NewString(), Superuser: true}
	wantCode(t, "another user's", p.End(t.Context(), admin, admin.User, stream.ID()), domain.NotFound)
	if err := p.End(t.Context(), admin, who.ID, stream.ID()); err != nil {
		t.Fatal(err)
	}
	s, _, err := a.sessionHandler.Load(t.Context(), stream)
	if err != nil || s.Status == session.Alive {
		t.Errorf("the session is %v, %v", s.Status, err)
	}
	found, ok, err := p.Person(t.Context(), who.ID)
	if err != nil || !ok || found.Username != "leaver" {
		t.Errorf("got %+v, %v", found, err)
	}
}

// Whoever follows the ledger from the end that comes with the newest events
// misses none.
func TestConsoleTail(t *testing.T) {
	a, _ := newApp(t)
	a.load(t, leavers)
	trail := &consoleTrail{a}
	found, end, err := trail.Latest(t.Context(), projections.AuditFilter{}, 3)
	if err != nil || len(found) != 3 {
		t.Fatalf("%d events, %v", len(found), err)
	}
	if found[0].Position.Compare(end) != 0 || found[1].Position.Compare(end) >= 0 {
		t.Errorf("the newest are at %v and %v, the end is %v", found[0].Position, found[1].Position, end)
	}
	if types := trail.Types(); !slices.Contains(types, "UserLoggedIn") || !slices.IsSorted(types) {
		t.Errorf("types: %v", types)
	}
}
