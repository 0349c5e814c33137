package executor_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

// What browsers are told of links.
const (
	linkUsed    = "ak-stage-access-denied Link was already used, please request a new link."
	linkExpired = "ak-stage-access-denied This link has expired. Please request a new one."
)

// posting is a stage that sends mail.
func posting(f fields) step {
	return step{name: "email", kind: "email.emailstage", stage: f}
}

// recovery is a flow that asks for a password before it sends a mail, so that
// the link has a secret to keep.
func (w *world) recovery(more ...step) {
	w.t.Helper()
	w.user("ada")
	prompt := w.put("authentik_stages_prompt.prompt", "password", fields{
		"name": "password", "field_key": "password", "label": "New", "type": "password", "required": true,
	})
	w.flow("recover", fields{"designation": "recovery"}, append([]step{
		identification(), {kind: "prompt.promptstage", stage: fields{"fields": []any{prompt}}},
		posting(fields{"activate_user_on_success": true}),
		{kind: "user_write.userwritestage", stage: fields{"user_creation_mode": "never_create"}}, login(),
	}, more...)...)
}

// asks sends the mail of the flow, and returns the query of the link in it.
func (b *browser) asks(t testing.TB, password string) url.Values {
	t.Helper()
	b.get("recover")
	b.post("recover", `{"uid_field":"ada"}`)
	if got := said(b.post("recover", `{"password":"`+password+`"}`)); got != "ak-stage-email" {
		t.Fatalf("at the mail: %s", got)
	}
	all := b.w.mails()
	return linkIn(t, all[len(all)-1])
}

func linkIn(t testing.TB, m mail.MailRequested) url.Values {
	t.Helper()
	u, err := url.Parse(m.Link.Reveal())
	if err != nil || !strings.HasPrefix(m.Link.Reveal(), "http://test/if/flow/recover/?") {
		t.Fatalf("the link %q: %v", m.Link.Reveal(), err)
	}
	return u.Query()
}

// opens opens a link.
func (b *browser) opens(link url.Values) execution.Answer {
	b.w.t.Helper()
	return b.visit(execution.Visit{Slug: "recover", Query: link})
}

// confirm answers the question that a link asks.
func confirm(a execution.Answer) []byte {
	return fmt.Appendf(nil, `{"token":%q}`, a.Challenge["token"])
}

// Somebody who cannot log in asks for a mail in one browser, opens the link in
// another, and is in: with the password typed in the first.
func TestRecoveryInAnotherBrowser(t *testing.T) {
	w := newWorld(t)
	w.recovery()
	inactive := false
	if _, err := w.accounts.Write(t.Context(), id("ada"), user.Fields{Active: &inactive}, account.Writer{Via: "api", Meta: w.meta()}); err != nil {
		t.Fatal(err)
	}
	w.sync()
	first, second := w.browser("first"), w.browser("second")
	link := first.asks(t, "zqsecret1!")
	first.get("recover")
	if n := len(w.mails()); n != 1 {
		t.Fatalf("%d mails for looking twice", n)
	}
	origin := w.executions()[0]
	// The first execution is over, and so are its secrets, before the link is
	// opened.
	w.pass(29 * time.Minute)
	first.get("recover")
	w.pass(2 * time.Minute)
	if err := w.Expire(t.Context(), origin); err != nil {
		t.Fatal(err)
	}
	w.pass(-2 * time.Minute)
	a := second.opens(link)
	if said(a) != "ak-stage-consent" || a.Challenge["header_text"] != "Continue to confirm this email address." {
		t.Fatalf("opening the link: %v", a.Challenge)
	}
	if s := w.state(a.Execution); len(s.Secrets()) > 0 || s.Subject.User != id("ada") || s.Entry != "token" {
		t.Errorf("before the answer: %v, about %q, by %q", s.Secrets(), s.Subject.User, s.Entry)
	}
	end := second.visit(execution.Visit{Slug: "recover", Query: link, Response: confirm(a)})
	if got := said(end); got != "xak-flow-redirect /" {
		t.Fatalf("after the answer: %s", got)
	}
	if second.caller.User != id("ada") {
		t.Errorf("logged in is %q", second.caller.User)
	}
	s, _, err := w.Users.Load(t.Context(), eventstore.Stream("user", id("ada")))
	if ok, _ := user.Verify(s.Password, domain.NewSecret("zqsecret1!")); err != nil || !ok || !s.Active {
		t.Errorf("the new password is right: %v, active %v, %v", ok, s.Active, err)
	}
	story := w.story(eventstore.Stream("execution", a.Execution))
	if !slices.Equal(story[:3], []string{"ExecutionStarted", "ExecutionResumed", "SubjectIdentified"}) {
		t.Errorf("it began with %v", story)
	}
	// Nothing is left of what the link kept.
	id := w.state(origin).Owed[0].SendMail.Link.Token
	state, _, err := w.Tokens.Load(t.Context(), eventstore.Stream("token", id))
	if err != nil || state.Status != token.Used || len(state.Resumption.Secrets) > 0 {
		t.Errorf("the token is %s, keeps %d secrets, %v", state.Status, len(state.Resumption.Secrets), err)
	}
	if got := said(w.browser("third").opens(link)); got != linkExpired {
		t.Errorf("opening it again: %s", got)
	}
}

// What was proved before the mail was sent counts in the other browser, too;
// in the browser that asked, what was learned since is known.
func TestLinkBringsProofs(t *testing.T) {
	w := newWorld(t)
	w.user("ada")
	w.flow("recover", fields{"designation": "authentication"}, identification(), password(), posting(nil), login())
	first, second := w.browser("first"), w.browser("second")
	first.get("recover")
	first.post("recover", `{"uid_field":"ada"}`)
	first.post("recover", `{"password":"ada!"}`)
	link := linkIn(t, w.mails()[0])
	if a := first.opens(link); !slices.Contains(resumed(w, a).Merged, "email_sent") {
		t.Errorf("in the same browser: %+v", resumed(w, a))
	}
	a := second.opens(link)
	if r := resumed(w, a); len(r.Merged) > 0 || len(r.Factors) != 1 || r.Factors[0].Method != "password" || r.From != w.executions()[0] {
		t.Errorf("in another browser: %+v", r)
	}
	if s := w.state(a.Execution); s.Subject.Backend == "" || s.Context["auth_method"] != "password" {
		t.Errorf("it knows of %q, %v", s.Subject.Backend, s.Context)
	}
	if got := said(second.post("recover", string(confirm(a)))); got != "xak-flow-redirect /" || second.caller.User != id("ada") {
		t.Errorf("with the link: %s", got)
	}
}

// resumed is how an execution went on.
func resumed(w *world, a execution.Answer) (r execution.ExecutionResumed) {
	w.t.Helper()
	for _, d := range w.told(eventstore.Position{}) {
		if e, ok := d.Event.(execution.ExecutionResumed); ok && d.Stream == eventstore.Stream("execution", a.Execution) {
			r = e
		}
	}
	return r
}

// What looks through mail opens each link, again and again: nothing is used up.
func TestScanners(t *testing.T) {
	w := newWorld(t)
	w.recovery()
	link := w.browser("first").asks(t, "zqsecret1!")
	for i := range 3 {
		if got := said(w.browser(fmt.Sprint("scanner", i)).opens(link)); got != "ak-stage-consent" {
			t.Fatalf("scanner %d: %s", i, got)
		}
	}
	b := w.browser("reader")
	a := b.opens(link)
	if again := b.opens(link); again.Execution != a.Execution {
		t.Error("opening it twice began twice")
	}
	if got := said(b.visit(execution.Visit{Slug: "recover", Response: []byte(`{"token":"wrong"}`)})); got != "ak-stage-consent map[]" {
		t.Errorf("a wrong answer: %s", got)
	}
	if got := said(b.visit(execution.Visit{Slug: "recover", Response: confirm(a)})); got != "xak-flow-redirect /" {
		t.Errorf("the reader: %s", got)
	}
	if n := w.count("TokenUsed"); n != 1 {
		t.Errorf("used %d times", n)
	}
}

// Two browsers answer with one link at the same instant: one wins, and the
// other is told.
func TestOneLinkTwoBrowsers(t *testing.T) {
	w := newWorld(t)
	w.recovery()
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		link := w.browser(fmt.Sprint("asking", round)).asks(t, fmt.Sprint("zqsecret!", round))
		browsers := []*browser{w.browser(fmt.Sprint("a", round)), w.browser(fmt.Sprint("b", round))}
		opened := []execution.Answer{browsers[0].opens(link), browsers[1].opens(link)}
		told := race(t, 2, func(i int) (execution.Answer, error) {
			return browsers[i].try(execution.Visit{Slug: "recover", Response: confirm(opened[i])})
		})
		if tally(told, "xak-flow-redirect /") != 1 || tally(told, linkUsed) != 1 {
			t.Fatalf("round %d: they are told %q", round, told)
		}
	}
	if n := w.count("TokenUsed"); n != rounds {
		t.Errorf("%d links were used in %d rounds", n, rounds)
	}
}

// A link stops working after its time, when somebody revokes it, and where it
// does not belong.
func TestDeadLinks(t *testing.T) {
	w := newWorld(t)
	w.recovery()
	w.flow("other", nil, dummy())
	link := w.browser("first").asks(t, "zqsecret1!")
	b := w.browser("second")
	if got := said(w.browser("lost").visit(execution.Visit{Slug: "other", Query: link})); got != linkExpired {
		t.Errorf("at another flow: %s", got)
	}
	if got := said(w.browser("typo").opens(url.Values{"flow_token": {link.Get("flow_token") + "x"}})); got != linkExpired {
		t.Errorf("with a typing error: %s", got)
	}
	onward := url.Values{"flow_token": {"x"}, "next": {"/if/user/"}}
	if got := said(w.browser("onward").opens(onward)); got != linkExpired {
		t.Errorf("on the way to somewhere else: %s", got)
	}
	w.pass(20 * time.Minute)
	a := b.opens(link)
	w.pass(12 * time.Minute)
	if got := said(b.visit(execution.Visit{Slug: "recover", Response: confirm(a)})); got != linkExpired {
		t.Errorf("answering too late: %s", got)
	}
	if got := said(w.browser("late").opens(link)); got != linkExpired {
		t.Errorf("opening too late: %s", got)
	}
}

// A crash after the decision leaves the mail owed, and paying late or twice
// makes one token and one mail with the same link.
func TestLinkIsMadeOnce(t *testing.T) {
	for _, category := range []string{"token", "mail"} {
		t.Run(category, func(t *testing.T) {
			w := newWorld(t)
			w.recovery()
			b := w.browser("first")
			b.get("recover")
			b.post("recover", `{"uid_field":"ada"}`)
			w.ledger.only(func(s eventstore.StreamID) bool { return s.Category() == category })
			if _, err := b.try(execution.Visit{Slug: "recover", Response: []byte(`{"password":"zqsecret1!"}`)}); !errors.Is(err, errRefused) {
				t.Fatalf("got %v", err)
			}
			w.ledger.only(nil)
			for range 2 {
				if err := w.Settle(t.Context(), w.executions()[0]); err != nil {
					t.Fatal(err)
				}
			}
			b.get("recover")
			if made, asked := w.count("TokenCreated"), len(w.mails()); made != 1 || asked != 1 {
				t.Fatalf("%d tokens, %d mails", made, asked)
			}
			second := w.browser("second")
			a := second.opens(linkIn(t, w.mails()[0]))
			if got := said(second.visit(execution.Visit{Slug: "recover", Response: confirm(a)})); got != "xak-flow-redirect /" {
				t.Errorf("with the link: %s", got)
			}
		})
	}
}

// Another mail has another link, both work until one is used; after so many
// nobody gets more, in whichever browser, until the window has moved on.
func TestResends(t *testing.T) {
	w := newWorld(t)
	w.user("ada")
	w.flow("recover", fields{"designation": "recovery"},
		step{name: "identification", kind: "identification.identificationstage", stage: fields{"user_fields": []any{"username"}, "pretend_user_exists": true}},
		posting(fields{"recovery_max_attempts": 2, "recovery_cache_timeout": "minutes=5"}), dummy())
	const sent = "ak-stage-email map[non_field_errors:[map[code:email-sent string:email-sent]]]"
	const full = "ak-stage-email map[non_field_errors:[map[code:email-sent string:email-sent] " +
		"map[code:throttled string:Too many account verification attempts. Please try again after 4 minutes.]]]"
	for name, letters := range map[string]int{"ada": 4, "nobody": 0} {
		before := len(w.mails())
		first, second := w.browser("1"+name), w.browser("2"+name)
		for _, b := range []*browser{first, second} {
			b.get("recover")
			b.post("recover", `{"uid_field":"`+name+`"}`)
		}
		for i, step := range []struct {
			b    *browser
			want string
		}{{first, sent}, {second, sent}, {first, full}, {second, full}} {
			if got := said(step.b.post("recover", "{}")); got != step.want {
				t.Errorf("%s, answer %d: %s", name, i, got)
			}
			w.pass(30 * time.Second)
		}
		if n := len(w.mails()) - before; n != letters {
			t.Errorf("%d mails to %s, want %d", n, name, letters)
		}
		w.pass(4 * time.Minute)
		if got := said(first.post("recover", "{}")); got != sent {
			t.Errorf("%s, after the window: %s", name, got)
		}
	}
	links := map[string]bool{}
	for _, m := range w.mails() {
		links[m.Link.Reveal()] = true
	}
	if len(links) != 5 {
		t.Errorf("%d links in 5 mails", len(links))
	}
}
