package executor_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/eventstore"
)

// invite makes an invitation, and returns the query of its link.
func (w *world) invite(f invitation.Fields) (string, url.Values) {
	w.t.Helper()
	id := uuid.NewString()
	f["name"] = "guest"
	_, err := w.Invitations.Handle(w.t.Context(), eventstore.Stream("invitation", id), invitation.Write{Fields: f, Via: "api"}, w.meta())
	if err != nil {
		w.t.Fatal(err)
	}
	return id, url.Values{"itoken": {id}}
}

// invited makes a flow in which guests make their own user.
func (w *world) invited() {
	w.t.Helper()
	name := w.put("authentik_stages_prompt.prompt", "username", fields{
		"name": "username", "field_key": "username", "label": "Name", "type": "text", "required": true,
	})
	w.flow("join", fields{"designation": "enrollment"},
		step{kind: "invitation.invitationstage"},
		step{kind: "prompt.promptstage", stage: fields{"fields": []any{name}}},
		step{kind: "user_write.userwritestage", stage: fields{"user_creation_mode": "always_create"}}, login())
}

const uninvited = "ak-stage-access-denied Invalid invite/invite not found"

// Sixteen browsers have one link that works once: one gets in, all others are
// told.
func TestOneInvitationSixteenBrowsers(t *testing.T) {
	w := newWorld(t)
	w.invited()
	for round := range 3 {
		id, link := w.invite(invitation.Fields{"single_use": true, "fixed_data": map[string]any{"attributes": map[string]any{"team": "blue"}}})
		before := w.count("UserCreated")
		browsers := make([]*browser, 16)
		for i := range browsers {
			browsers[i] = w.browser(fmt.Sprint(round, "/", i))
			if got := said(browsers[i].visit(execution.Visit{Slug: "join", Query: link})); got != "ak-stage-prompt" {
				t.Fatalf("opening the link: %s", got)
			}
		}
		told := race(t, len(browsers), func(i int) (execution.Answer, error) {
			return browsers[i].try(execution.Visit{Slug: "join", Query: link, Response: fmt.Appendf(nil, `{"username":"guest%d-%d"}`, round, i)})
		})
		won := tally(told, "xak-flow-redirect /")
		if lost := tally(told, uninvited); won != 1 || lost != len(browsers)-1 {
			t.Fatalf("they are told %q", told)
		}
		if got := w.count("UserCreated") - before; got != 1 {
			t.Errorf("%d users came of it", got)
		}
		story := strings.Join(w.story(eventstore.Stream("invitation", id)), " ")
		if story != "InvitationCreated InvitationUsed" {
			t.Errorf("the invitation: %s", story)
		}
		if got := said(w.browser(fmt.Sprint(round, "late")).visit(execution.Visit{Slug: "join", Query: link})); got != uninvited {
			t.Errorf("who comes late is told %s", got)
		}
	}
}

// What opens links, as programs that look through mail do, spoils nothing; a
// guest who gives up half-way may come again.
func TestLookingAtAnInvitation(t *testing.T) {
	w := newWorld(t)
	w.invited()
	id, link := w.invite(invitation.Fields{"single_use": true})
	for i := range 3 {
		w.browser(fmt.Sprint("scanner", i)).visit(execution.Visit{Slug: "join", Query: link})
	}
	b := w.browser("guest")
	b.visit(execution.Visit{Slug: "join", Query: link})
	if got := w.story(eventstore.Stream("invitation", id)); len(got) != 1 {
		t.Errorf("the invitation: %q", got)
	}
	if got := said(b.visit(execution.Visit{Slug: "join", Query: link, Response: []byte(`{"username":"guest"}`)})); got != "xak-flow-redirect /" {
		t.Errorf("the guest is told %s", got)
	}
}

// Where nobody has to answer anything, an invitation is used at the end; one
// that works more than once, once by each.
func TestInvitationWithoutQuestions(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, step{kind: "invitation.invitationstage"})
	for _, test := range []struct {
		once bool
		want []string
		uses int
	}{
		{true, []string{"xak-flow-redirect /", uninvited}, 1},
		{false, []string{"xak-flow-redirect /", "xak-flow-redirect /"}, 2},
	} {
		id, link := w.invite(invitation.Fields{"single_use": test.once})
		for i, want := range test.want {
			if got := said(w.browser(fmt.Sprint(id, i)).visit(execution.Visit{Slug: "f", Query: link})); got != want {
				t.Errorf("once %t, browser %d is told %s", test.once, i, got)
			}
		}
		if got := tally(w.story(eventstore.Stream("invitation", id)), "InvitationUsed"); got != test.uses {
			t.Errorf("once %t: used %d times", test.once, got)
		}
	}
}

// An invitation whose time ends between the link and the answer lets nobody
// in.
func TestInvitationExpiresMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.invited()
	_, link := w.invite(invitation.Fields{"expires": w.clock().Add(time.Minute).Format(time.RFC3339)})
	b := w.browser("guest")
	b.visit(execution.Visit{Slug: "join", Query: link})
	w.now = w.now.Add(time.Minute)
	if got := said(b.visit(execution.Visit{Slug: "join", Query: link, Response: []byte(`{"username":"guest"}`)})); got != uninvited {
		t.Errorf("the guest is told %s", got)
	}
}

// Whichever append is refused: asking again lets the guest in, and the
// invitation is used once.
func TestInvitationSurvivesARefusedAppend(t *testing.T) {
	w := newWorld(t)
	w.invited()
	for n := 1; ; n++ {
		id, link := w.invite(invitation.Fields{"single_use": true})
		b := w.browser(fmt.Sprint("guest", n))
		b.visit(execution.Visit{Slug: "join", Query: link})
		answer := execution.Visit{Slug: "join", Query: link, Response: fmt.Appendf(nil, `{"username":"guest%d"}`, n)}
		w.ledger.failAt(n)
		a, err := b.try(answer)
		refused := err != nil
		w.ledger.failAt(0)
		for range 3 {
			if err == nil && a.Final {
				break
			}
			a, err = b.try(answer)
		}
		if err != nil || said(a) != "xak-flow-redirect /" {
			t.Fatalf("append %d is refused: %s, %v", n, said(a), err)
		}
		if got := tally(w.story(eventstore.Stream("invitation", id)), "InvitationUsed"); got != 1 {
			t.Errorf("append %d is refused: used %d times", n, got)
		}
		if !refused {
			return
		}
	}
}

// An execution whose first append failed never came to be: what it took is
// free again after a minute.
func TestInvitationOfWhoNeverCame(t *testing.T) {
	w := newWorld(t)
	w.flow("f", nil, step{kind: "invitation.invitationstage"})
	_, link := w.invite(invitation.Fields{"single_use": true})
	b := w.browser("guest")
	w.ledger.failAt(2) // the use, the execution
	if _, err := b.try(execution.Visit{Slug: "f", Query: link}); err == nil {
		t.Fatal("the append was to fail")
	}
	w.ledger.failAt(0)
	if got := said(b.visit(execution.Visit{Slug: "f", Query: link})); got != uninvited {
		t.Errorf("at once: %s", got)
	}
	w.now = w.now.Add(time.Minute + time.Second)
	if got := said(w.browser("other").visit(execution.Visit{Slug: "f", Query: link})); got != "xak-flow-redirect /" {
		t.Errorf("after a minute: %s", got)
	}
}
