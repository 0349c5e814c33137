package executor_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/executor"
)

// An administrator's link leads into the flow for the user whom it is for; one
// in a mail asks first.
func TestRecover(t *testing.T) {
	w := newWorld(t)
	w.user("ada")
	flow := w.flow("recover", fields{"designation": "recovery", "authentication": "require_unauthenticated"},
		posting(nil), dummy())
	thing, _ := w.definitions.Thing(flow)
	mails, _ := w.definitions.Thing(id("email"))
	admin := w.browser("admin").as(w.user("root")).caller
	wish := executor.Recovery{Flow: thing, User: id("ada"), Life: time.Hour}
	link, err := w.Recover(t.Context(), wish, admin)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil || u.Path != "/if/flow/recover/" {
		t.Fatalf("the link: %v", err)
	}
	b := w.browser("ada's")
	a := b.opens(u.Query())
	if got := said(a); got != "ak-stage-dummy recover/1" || w.state(a.Execution).Subject.User != id("ada") {
		t.Errorf("opening it: %s", got)
	}
	// Looking does not use it up; the end of the flow does.
	if got := said(w.browser("again").opens(u.Query())); got != "ak-stage-dummy recover/1" {
		t.Errorf("opening it elsewhere: %s", got)
	}
	if got := said(b.post("recover", "{}")); got != "xak-flow-redirect /" {
		t.Errorf("at the end: %s", got)
	}
	if got := said(w.browser("late").opens(u.Query())); got != linkExpired {
		t.Errorf("after the end: %s", got)
	}

	wish.Via = &mails
	if link, err := w.Recover(t.Context(), wish, admin); link != "" || err != nil {
		t.Fatalf("a mailed link: %q, %v", link, err)
	}
	m := w.mails()[0]
	if m.To[0] != `"ada" <ada@example.org>` || m.User != id("ada") || m.Purpose != "recovery" || m.Stage == nil || m.Stage.ID != id("email") {
		t.Errorf("the mail: %+v", m)
	}
	c := w.browser("mailed")
	a = c.opens(linkIn(t, m))
	if got := said(a); got != "ak-stage-consent" {
		t.Fatalf("opening the mailed link: %s", got)
	}
	if got := said(c.visit(execution.Visit{Slug: "recover", Response: confirm(a)})); got != "302" {
		t.Errorf("going on: %s", got)
	}
	madeByRoot(t, w, 2)
}

// madeByRoot requires that all tokens are an administrator's for Ada.
func madeByRoot(t *testing.T, w *world, want int) {
	t.Helper()
	made := 0
	for _, d := range w.told(eventstore.Position{}) {
		if e, ok := d.Event.(token.TokenCreated); ok {
			made++
			if e.By != id("root") || e.Producer != "admin_recovery" || e.User != id("ada") {
				t.Errorf("the token: %+v", e)
			}
		}
	}
	if made != want {
		t.Errorf("%d tokens", made)
	}
}

// A flow that is not for the user makes no link.
func TestRecoverWhomItIsNotFor(t *testing.T) {
	w := newWorld(t)
	w.user("ada")
	flow := w.flow("recover", fields{"designation": "recovery"}, dummy())
	w.rules(flow, "recover", []rule{{source: `return request.user.username != "ada"`}})
	thing, _ := w.definitions.Thing(flow)
	admin := w.browser("admin").as(w.user("root")).caller
	_, err := w.Recover(t.Context(), executor.Recovery{Flow: thing, User: id("ada"), Life: time.Hour}, admin)
	if code, _ := domain.Explain(err); code != domain.Invalid || w.count("TokenCreated") != 0 {
		t.Errorf("got %v, %d tokens", err, w.count("TokenCreated"))
	}
	if _, err := w.Recover(t.Context(), executor.Recovery{Flow: thing, User: id("root"), Life: time.Hour}, admin); err != nil {
		t.Errorf("for somebody else: %v", err)
	}
	w.put(object.FlowModel, "recover", fields{"authentication": "require_authenticated"})
	w.sync()
	thing, _ = w.definitions.Thing(flow)
	if _, err := w.Recover(t.Context(), executor.Recovery{Flow: thing, User: id("root"), Life: time.Hour}, admin); err == nil {
		t.Error("a flow for those who are logged in makes a link")
	}
}
