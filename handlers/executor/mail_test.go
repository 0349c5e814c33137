package executor_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
)

// mailing makes a flow whose only stage is there if a policy sends a mail.
func (w *world) mailing(source string) {
	w.t.Helper()
	w.put(object.BrandModel, "brand", fields{"domain": "example.test", "default": true, "branding_title": "Example Inc."})
	w.flow("mailing", nil, step{
		name: "dummy", kind: "dummy.dummystage",
		binding: fields{"evaluate_on_plan": true, "re_evaluate_policies": false}, policies: []rule{{source: source}},
	})
}

// mails are the requests in the ledger.
func (w *world) mails() (all []mail.MailRequested) {
	w.t.Helper()
	for _, d := range w.told(eventstore.Position{}) {
		if e, ok := d.Event.(mail.MailRequested); ok {
			if d.Stream != eventstore.Stream("mail", e.Mail) {
				w.t.Errorf("mail %s is in %s", e.Mail, d.Stream)
			}
			all = append(all, e)
		}
	}
	return all
}

// A policy asks for a mail; it is asked for in the ledger, once, however often
// the execution is settled.
func TestSendsMail(t *testing.T) {
	w := newWorld(t)
	w.mailing(`return ak_send_email(["ada@example.test"], "Hello", body="<p>You</p>", bcc="eve@example.test")`)
	b := w.browser("s")
	b.get("mailing")
	x := w.executions()[0]
	for range 2 {
		if err := w.Settle(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	all := w.mails()
	if len(all) != 1 {
		t.Fatalf("%d mails", len(all))
	}
	want := mail.MailRequested{
		Mail: all[0].Mail, Purpose: "notice", Brand: "Example Inc.", Execution: x,
		Message: mail.Message{To: []string{"ada@example.test"}, BCC: []string{"eve@example.test"}, Subject: "Hello", Body: "<p>You</p>"},
	}
	if diff := cmp.Diff(want, all[0], cmp.Comparer(domain.Secret.Equal)); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

// A crash before the mail is asked for leaves it owed.
func TestSendsMailLater(t *testing.T) {
	w := newWorld(t)
	w.mailing(`return ak_send_email("ada@example.test", "Hello", template="email/event_notification.html", context={"title": "T"})`)
	w.ledger.only(func(s eventstore.StreamID) bool { return s.Category() == "mail" })
	b := w.browser("s")
	if _, err := b.try(execution.Visit{Slug: "mailing"}); !errors.Is(err, errRefused) {
		t.Fatalf("got %v", err)
	}
	if all := w.mails(); len(all) > 0 {
		t.Fatalf("mails %+v", all)
	}
	w.ledger.only(nil)
	x := w.executions()[0]
	if err := w.Settle(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	all := w.mails()
	if len(all) != 1 || all[0].Template != "email/event_notification.html" || all[0].Variables["title"] != "T" {
		t.Errorf("mails %+v", all)
	}
}

// A mail that cannot be sent ends in its own stream, and not the execution.
func TestSendsNoMail(t *testing.T) {
	w := newWorld(t)
	w.mailing(`return ak_send_email("ada@example.test", "Hello", template="email/none.html")`)
	b := w.browser("s")
	b.get("mailing")
	all := w.mails()
	if len(all) != 1 {
		t.Fatalf("%d mails", len(all))
	}
	if got := w.story(eventstore.Stream("mail", all[0].Mail)); !slices.Equal(got, []string{"MailRequested", "MailGivenUp"}) {
		t.Errorf("the mail: %v", got)
	}
	if s := w.state(w.executions()[0]); s.Status != execution.Running {
		t.Errorf("the execution is %s", s.Status)
	}
}
