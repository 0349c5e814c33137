package executor_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// page opens the page of a flow, as a browser does that was sent there.
func (b *browser) page(slug string) execution.Answer {
	b.w.t.Helper()
	return b.visit(execution.Visit{Slug: slug, Entry: "interface", Fresh: true})
}

func TestLaunch(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, dummy(), dummy())
	b := w.browser("s").as(w.user("ada"))
	b.get("f")
	over, err := w.Launch(t.Context(), "f", b.caller)
	if err != nil || over != "" {
		t.Fatalf("got %q, %v", over, err)
	}
	x := w.executions()[1]
	if s := w.state(x); s.Current != nil || len(s.Plan) != 2 || s.Subject.User != id("ada") || s.Entry != "execute" {
		t.Errorf("begun as %+v; want a plan about ada, and no stage yet", s)
	}
	for range 2 { // a reload, too
		if a := b.page("f"); a.Execution != x || said(a) != "ak-stage-dummy f/0" {
			t.Errorf("the page shows %s of %s, want %s", said(a), a.Execution, x)
		}
	}
	b.post("f", "{}")
	if got := said(b.post("f", "{}")); got != "xak-flow-redirect /" {
		t.Errorf("in the end: %s", got)
	}
	if w.state(x).Status != execution.Completed {
		t.Errorf("the launched execution is %s", w.state(x).Status)
	}
}

// A flow that has nothing to do is over at once: its page is told which
// execution that was, and does not begin another.
func TestLaunchEmptyFlow(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil)
	b := w.browser("s").as(w.user("ada"))
	over, err := w.Launch(t.Context(), "f", b.caller)
	if err != nil || over != w.executions()[0] {
		t.Fatalf("got %q, %v", over, err)
	}
	if a := b.visit(execution.Visit{Slug: "f", Execution: over}); said(a) != "xak-flow-redirect /" || len(w.executions()) != 1 {
		t.Errorf("the page shows %s, after %d executions", said(a), len(w.executions()))
	}
}

func TestLaunchRefused(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	closed := w.flow("closed", nil, dummy())
	w.rules(closed, "closed", []rule{{source: `ak_message("not for you")` + "\nreturn False"}})
	b := w.browser("s").as(w.user("ada"))
	for slug, want := range map[string]string{
		"signin": "Flow not applicable to current user/request: Flow does not apply to current user.",
		"closed": "Flow not applicable to current user/request: not for you",
		"none":   "No Flow matches the given query.",
	} {
		code, text := domain.Explain(func() error { _, err := w.Launch(t.Context(), slug, b.caller); return err }())
		if text != want || (code == domain.NotFound) != (slug == "none") {
			t.Errorf("%s: %s %q", slug, code, text)
		}
	}
	if s := w.state(w.executions()[0]); s.Status != execution.Denied {
		t.Errorf("what was refused is recorded as %s", s.Status)
	}
}
