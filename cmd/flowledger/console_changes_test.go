package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/console"
	"github.com/flowledger/flowledger/projections"
)

// changeAt asks what a revision of a stream was about.
func (a *app) changeAt(t *testing.T, stream eventstore.StreamID, revision int64) console.ChangeContent {
	t.Helper()
	got, err := (&consoleChanges{a.changes, a}).Content(t.Context(), a.changeOf(t, stream, revision))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// changeOf finds a change by its place.
func (a *app) changeOf(t *testing.T, stream eventstore.StreamID, revision int64) projections.ConfigurationChange {
	t.Helper()
	a.sync(t)
	all, _, err := a.changes.List(t.Context(), projections.ChangeFilter{Object: stream.ID()}, projections.Page{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c projections.ConfigurationChange) bool { return c.Stream == stream && c.Revision == revision })
	if i < 0 {
		t.Fatalf("revision %d of %s is no change: %+v", revision, stream, all)
	}
	return all[i]
}

func TestChangeContents(t *testing.T) {
	a, _ := newApp(t)
	stream := eventstore.Stream("object", uuid.NewString())
	do := func(c domain.Command[object.State]) {
		t.Helper()
		if _, err := a.objectHandler.Handle(t.Context(), stream, c, system("object:"+stream.ID())); err != nil {
			t.Fatal(err)
		}
	}
	const model = "authentik_policies_expression.expressionpolicy"
	do(object.Put{Kind: model, Fields: map[string]any{"name": "p", "expression": "return True"}, Via: "api"})
	do(object.Put{Kind: model, Fields: map[string]any{"expression": "return False"}, Via: "api"})
	do(object.Remove{Via: "api"})
	if made := a.changeAt(t, stream, 0); len(made.Before) > 0 || made.After["expression"] != "return True" {
		t.Errorf("made: %+v", made)
	}
	want := console.ChangeContent{Before: map[string]any{"expression": "return True"}, After: map[string]any{"expression": "return False"}}
	if d := cmp.Diff(want, a.changeAt(t, stream, 1)); d != "" {
		t.Errorf("changed (-want +got)\n%s", d)
	}
	if gone := a.changeAt(t, stream, 2); len(gone.After) > 0 || gone.Before["expression"] != "return False" {
		t.Errorf("removed: %+v", gone)
	}
}

// A change of a person shows what it was until they are erased.
func TestChangeContentsOfPeople(t *testing.T) {
	a, _ := newApp(t)
	a.load(t, leavers)
	a.sync(t)
	who, err := a.users.FindPerson(t.Context(), []string{"username"}, "leaver", false)
	if err != nil {
		t.Fatal(err)
	}
	stream := eventstore.Stream("user", who.ID)
	address := "new@example.org"
	write := user.Write{Fields: user.Fields{Email: &address}, Via: "admin"}
	if _, err := a.userHandler.Handle(t.Context(), stream, write, system("user:"+who.ID)); err != nil {
		t.Fatal(err)
	}
	_, at, err := a.userHandler.Load(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	got := a.changeAt(t, stream, int64(at))
	if got.After["email"] != address || got.Person != who.ID || !cmp.Equal(got.Opened, []string{"P", "T"}) {
		t.Errorf("changed: %+v", got)
	}
	if err := a.vault.Forget(t.Context(), []string{"user:" + who.ID}, byte(domain.Profile), byte(domain.Trace)); err != nil {
		t.Fatal(err)
	}
	if got := a.changeAt(t, stream, int64(at)); len(got.After) > 0 || got.Opened != nil || !cmp.Equal(got.Sealed, []string{"email"}) {
		t.Errorf("forgotten: %+v", got)
	}
}

// Whatever an import brings says which blueprint it was.
func TestChangeContentsOfImports(t *testing.T) {
	a, _ := newApp(t)
	a.load(t, "version: 1\nentries:\n- model: authentik_policies_dummy.dummypolicy\n  identifiers: {name: d}\n  attrs: {wait_min: 1, wait_max: 2}\n")
	a.sync(t)
	entries, err := a.audit.Newest(t.Context(), projections.AuditFilter{Types: []string{object.ObjectCreated{}.EventType()}}, 1)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d objects, %v", len(entries), err)
	}
	if got := a.changeAt(t, entries[0].Stream, int64(entries[0].Revision)); got.File != "test.yaml" || len(got.Digest) != 64 {
		t.Errorf("came with %q, %q", got.File, got.Digest)
	}
}
