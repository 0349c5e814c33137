package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/mail"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// asked is a request for a mail to Ada, changed by edits.
func asked(edits ...func(*mail.MailRequested)) mail.MailRequested {
	e := mail.MailRequested{
		Mail: "m", Purpose: "notice", User: "u", Execution: "x",
		Message: mail.Message{To: []string{"Ada <ada@example.test>"}, Subject: "Hello", Body: "<p>Hello</p>"},
	}
	for _, edit := range edits {
		edit(&e)
	}
	return e
}

func to(list ...string) func(*mail.MailRequested) { return func(e *mail.MailRequested) { e.To = list } }

func template(name string) func(*mail.MailRequested) {
	return func(e *mail.MailRequested) { e.Template, e.Body = name, "" }
}

func bare(e *mail.MailRequested) { e.Message = mail.Message{} }

type spec = domaintest.Spec[mail.State]

func events(list ...mail.Event) []mail.Event { return list }

func TestRequest(t *testing.T) {
	refused := func(code string, e mail.MailRequested, kept mail.MailRequested) spec {
		return spec{When: mail.Request{e}, Then: events(kept, mail.MailGivenUp{Code: code})}
	}
	same := func(code string, edits ...func(*mail.MailRequested)) spec {
		return refused(code, asked(edits...), asked(edits...))
	}
	subject := func(text string) func(*mail.MailRequested) { return func(e *mail.MailRequested) { e.Subject = text } }
	long := func(e *mail.MailRequested) { e.Body = strings.Repeat("<", 22<<10) }
	deep := func(e *mail.MailRequested) {
		template("email/event_notification.html")(e)
		e.Variables = map[string]any{"list": []any{map[string]any{"text": strings.Repeat("x", 129<<10)}}}
	}
	domaintest.Run(t, map[string]spec{
		"a mail with a body is asked for":        {When: mail.Request{asked()}, Then: events(asked())},
		"a mail with a template is asked for":    {When: mail.Request{asked(template("email/email_otp.html"))}, Then: events(asked(template("email/email_otp.html")))},
		"asking again changes nothing":           {Given: events(asked()), When: mail.Request{asked(to("eve@example.test"))}},
		"asking again for a sent one is nothing": {Given: events(asked(), mail.MailSent{}), When: mail.Request{asked()}},
		"nobody to send it to":                   same(mail.NoRecipient, to()),
		"a copy alone is not enough":             same(mail.NoRecipient, to(), func(e *mail.MailRequested) { e.CC = []string{"ada@example.test"} }),
		"an address that is none":                same(mail.BadAddress, to("ada@example.test", "not an address")),
		"an address that brings headers along":   same(mail.BadAddress, to("ada@example.test\r\nBcc: eve@example.test")),
		"a name that brings headers along":       same(mail.BadAddress, to("\"Ada\nBcc: eve@example.test\" <ada@example.test>")),
		"a name that hides a line in encoding":   same(mail.BadAddress, to("=?utf-8?q?Ada=0D=0AEve?= <ada@example.test>")),
		"a name that hides one as a separator":   same(mail.BadAddress, to("\"Ada\u2028Eve\" <ada@example.test>")),
		"an address with a tab":                  same(mail.BadAddress, to("Ada\t<ada@example.test>")),
		"a name that hides them in an encoding":  same(mail.BadAddress, to("=?utf-8?q?Ada=0D=0ABcc:_eve?= <ada@example.test>")),
		"two addresses in one":                   same(mail.BadAddress, to("ada@example.test, eve@example.test")),
		"an address that is too long":            same(mail.BadAddress, to(strings.Repeat("a", 260)+"@example.test")),
		"a blind copy that is none":              same(mail.BadAddress, func(e *mail.MailRequested) { e.BCC = []string{"@"} }),
		"a subject that brings headers along":    same(mail.BadSubject, subject("Hello\r\nBcc: eve@example.test")),
		"a subject with a null":                  same(mail.BadSubject, subject("Hello\x00")),
		"a template that does not exist":         same(mail.UnknownTemplate, template("email/../../etc/passwd")),
		"neither body nor template":              same(mail.NoContent, template("")),
		"both body and template":                 same(mail.NoContent, func(e *mail.MailRequested) { e.Template = "email/email_otp.html" }),
		"a body that no event has room for":      refused(mail.TooLong, asked(long), asked(bare)),
		"variables that no event has room for":   refused(mail.TooLong, asked(deep), asked(deep, bare)),
		"a subject that is too long":             refused(mail.TooLong, asked(subject(strings.Repeat("x", 501))), asked(bare)),
		"more recipients than a letter has":      refused(mail.TooMany, asked(to(make([]string, 51)...)), asked(bare)),
	})
}

func TestResults(t *testing.T) {
	failed := func(n int) mail.Event {
		return mail.MailFailed{Attempt: n, Code: "smtp_450", Transient: true, RetryAt: now.Add(mail.Backoff(n)), Detail: "later"}
	}
	story := events(asked())
	for n := range mail.MaxAttempts - 1 {
		story = append(story, failed(n+1))
	}
	again := func(n int) mail.Fail {
		return mail.Fail{Attempt: n, Code: "smtp_450", Transient: true, Detail: "later", Now: now}
	}
	last := mail.MailFailed{Attempt: mail.MaxAttempts, Code: "smtp_450", Transient: true, Detail: "later"}
	taken := mail.Deliver{Provider: "smtp", ProviderID: "q1", From: "a@b.test", Took: 20 * time.Millisecond}
	sent := mail.MailSent{
		Provider: "smtp", ProviderID: "q1", Milliseconds: 20, Attempt: 2, User: "u", From: "a@b.test",
		To: []string{"Ada <ada@example.test>"}, Subject: "Hello",
	}
	domaintest.Run(t, map[string]spec{
		"a server takes it at the second attempt": {Given: story[:2], When: taken, Then: events(sent)},
		"it is taken once":                        {Given: events(asked(), mail.MailSent{}), When: taken},
		"one that was given up is not sent":       {Given: events(asked(), mail.MailGivenUp{}), When: taken},
		"one that nobody asked for is not sent":   {When: taken},
		"what may go better is tried again":       {Given: story[:1], When: again(1), Then: events(failed(1))},
		"the same failure counts once":            {Given: story[:2], When: again(1)},
		"a failure after success is none":         {Given: events(asked(), mail.MailSent{}), When: again(1)},
		"the last failure ends it":                {Given: story, When: again(mail.MaxAttempts), Then: events(last, mail.MailGivenUp{Code: "smtp_450", Attempts: mail.MaxAttempts})},
		"what will not go better ends it": {
			Given: story[:1], When: mail.Fail{Attempt: 1, Code: "smtp_550", Now: now},
			Then: events(mail.MailFailed{Attempt: 1, Code: "smtp_550"}, mail.MailGivenUp{Code: "smtp_550", Attempts: 1}),
		},
		"it is given up untried":            {Given: story[:1], When: mail.GiveUp{"no_smtp"}, Then: events(mail.MailGivenUp{Code: "no_smtp"})},
		"one that was sent is not given up": {Given: events(asked(), mail.MailSent{}), When: mail.GiveUp{"no_smtp"}},
	})
}

func TestState(t *testing.T) {
	failed := mail.MailFailed{Attempt: 1, Transient: true, RetryAt: now}
	var s mail.State
	s = domain.Fold(s, events(asked(), failed)...)
	if s.Status != mail.Pending || s.Attempts != 1 || s.RetryAt != now || s.Request.To == nil {
		t.Errorf("after a failure: %+v", s)
	}
	if got := domain.Fold(s, mail.Event(mail.MailSent{})); got.Status != mail.Sent {
		t.Errorf("after it was sent: %+v", got)
	}
	if got := domain.Fold(s, mail.Event(mail.MailGivenUp{})); got.Status != mail.GivenUp {
		t.Errorf("after it was given up: %+v", got)
	}
}

// The waits grow, and all together are no longer than two hours.
func TestBackoff(t *testing.T) {
	var total, before time.Duration
	for n := 1; n < mail.MaxAttempts; n++ {
		wait := mail.Backoff(n)
		if wait < before || wait > 30*time.Minute {
			t.Errorf("after failure %d: %s, after %s", n, wait, before)
		}
		total, before = total+wait, wait
	}
	if mail.Backoff(1) != 2*time.Second || total < 45*time.Minute || total > 2*time.Hour {
		t.Errorf("first %s, all %s", mail.Backoff(1), total)
	}
}
