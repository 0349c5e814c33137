package tests

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	mailPassword = "zq-mail-p4ssw0rd-71"
	mailReader   = "zqreader@example.test"
	mailText     = "zqmessage for you"
	mailWithin   = 20 * time.Second
)

// mailing is a flow that mails somebody when it is planned.
const mailing = `version: 1
metadata: {name: mailing}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: mailing}
    attrs: {name: mailing, title: Mailing, designation: stage_configuration, authentication: none}
  - model: authentik_stages_dummy.dummystage
    id: stage
    identifiers: {name: mailing}
  - model: authentik_flows.flowstagebinding
    id: binding
    identifiers: {target: !KeyOf flow, stage: !KeyOf stage, order: 10}
    attrs: {evaluate_on_plan: true, re_evaluate_policies: false}
  - model: authentik_policies_expression.expressionpolicy
    id: policy
    identifiers: {name: mailing}
    attrs:
      expression: |
        return ak_send_email("` + mailReader + `", "zqsubject", body="<p>` + mailText + `</p>")
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf binding, policy: !KeyOf policy, order: 0}
`

// smtpFlag names a post office to the server.
func (o *postOffice) flag() string {
	return "smtp://ledger:" + mailPassword + "@" + o.listener.Addr().String() + "?tls=none&from=noreply@example.test"
}

func awaitTrue(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(mailWithin); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %v", what, mailWithin)
		}
	}
}

// enterMailing enters the flow as somebody new.
func (s *server) enterMailing(tb testing.TB) error {
	_, err := s.visitor(tb).challenge("mailing")
	return err
}

// TestMail sends a mail by a policy: it arrives once, is listed among the
// events, and nothing of it lies about.
func TestMail(t *testing.T) {
	office := newPostOffice(t)
	s := start(t, "--smtp", office.flag())
	admin := s.admin(t)
	admin.mustImport(t, mailing)
	if err := s.enterMailing(t); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "the mail arrives", func() bool { return len(office.letters()) == 1 })
	letter := office.letters()[0]
	for _, want := range []string{"Subject: zqsubject", "To: <" + mailReader + ">", "From: <noreply@example.test>", mailText, "Message-ID: <"} {
		if !strings.Contains(letter, want) {
			t.Errorf("the letter lacks %q:\n%s", want, letter)
		}
	}
	var listed any
	awaitTrue(t, "the event is listed", func() bool {
		list, err := admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/events/events/?action=email_sent", nil).object()
		if err != nil {
			t.Fatal(err)
		}
		listed = at(map[string]any(list), "results.0.context")
		return listed != nil
	})
	for path, want := range map[string]any{
		"message": "Email to " + mailReader + " sent", "subject": "zqsubject", "body": "", "from_email": "noreply@example.test", "to_email.0": mailReader,
	} {
		if got := at(listed, path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	// Another life sends nothing again.
	if err := errors.Join(s.stop(), s.run(), s.enterMailing(t)); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "the next mail arrives", func() bool { return len(office.letters()) == 2 })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if n := len(office.letters()); n != 2 {
		t.Errorf("%d letters for two mails", n)
	}
	events := s.events(t)
	if r, sent := tally(events, "MailRequested"), tally(events, "MailSent"); r != 2 || sent != 2 {
		t.Errorf("%d requests, %d sent", r, sent)
	}
	searchFor(t, s, mailPassword, mailReader, "zqsubject", mailText)
}

func tally(events []event, name string) (n int) {
	for _, e := range events {
		if e.Type == name {
			n++
		}
	}
	return n
}

// searchFor looks for what must not lie in the clear, in the data folder, the
// log and the list of events. The policy says it, so its own event may.
func searchFor(t *testing.T, s *server, words ...string) {
	t.Helper()
	out, _, _ := s.command("", "events", "--data", s.data)
	texts := map[string][]byte{"the log": []byte(s.log.String())}
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "ak_send_email") {
			texts["the list of events"] = append(texts["the list of events"], line...)
		}
	}
	for name, text := range texts {
		for _, word := range words {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s says %q", name, word)
			}
		}
	}
	err := filepath.WalkDir(s.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(words[0])) {
			t.Errorf("%s holds %q", entry.Name(), words[0])
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestMailWithoutServer: at a desk mails are shown, and where others can come
// they are given up.
func TestMailWithoutServer(t *testing.T) {
	for listen, want := range map[string]string{"127.0.0.1": "MailSent", "0.0.0.0": "MailGivenUp"} {
		t.Run(listen, func(t *testing.T) {
			s := newServer(t, "--bootstrap-password", adminPassword, "--bootstrap-token", adminToken)
			_, port, err := net.SplitHostPort(s.listen)
			if err != nil {
				t.Fatal(err)
			}
			s.listen = net.JoinHostPort(listen, port)
			s.seed(t, mailing)
			begin(t, s)
			if err := s.enterMailing(t); err != nil {
				t.Fatal(err)
			}
			shown := listen == "127.0.0.1"
			if shown {
				awaitTrue(t, "the mail is shown", func() bool { return strings.Contains(s.log.String(), "---- end of mail ----") })
			}
			awaitTrue(t, "it is over", func() bool {
				if err := s.stop(); err != nil {
					t.Fatal(err)
				}
				if tally(s.events(t), want) == 1 {
					return true
				}
				return s.run() != nil
			})
			if strings.Contains(s.log.String(), "To: <"+mailReader+">") != shown || !shown && strings.Contains(s.log.String(), mailReader) {
				t.Errorf("shown is not %t:\n%s", shown, s.log.String())
			}
		})
	}
}

// TestMailFlag: what is wrong with --smtp is said at once, without the
// password.
func TestMailFlag(t *testing.T) {
	s := newServer(t)
	for _, value := range []string{
		"smtp://ledger:" + mailPassword + "@mail.example.test?tls=none&from=a@example.test",
		"smtp://ledger:" + mailPassword + "@mail.example.test:x", "ledger:" + mailPassword + "@mail.example.test",
	} {
		out, errs, code := s.command("", "serve", "--listen", "127.0.0.1:0", "--data", s.data, "--smtp", value)
		if code != 2 || !strings.Contains(errs, "--smtp") || strings.Contains(out+errs, mailPassword) {
			t.Errorf("exit status %d: %s%s", code, out, errs)
		}
	}
}

// TestMailKilled kills the server again and again while it sends: every mail
// that was asked for arrives, and a second copy only of those that were on the
// line.
func TestMailKilled(t *testing.T) {
	kills := (amount(t, "FLOWLEDGER_TEST_KILLS", 20, 200) + 3) / 4 // each waits for the mails
	office := newPostOffice(t)
	s := startPlain(t, mailing)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.args = append(s.args, "--smtp", office.flag())
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	for range kills {
		for range 1 + rand.IntN(4) {
			if err := s.enterMailing(t); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(rand.N(15 * time.Millisecond)) // a crash has no schedule
		if err := errors.Join(s.kill(), s.run()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.enterMailing(t), s.stop()); err != nil {
		t.Fatal(err)
	}
	asked := tally(s.events(t), "MailRequested")
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, "all arrive", func() bool { return len(office.copies()) == asked })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	letters := office.letters()
	const onTheLine = 4 // at a time
	if sent := tally(s.events(t), "MailSent"); sent != asked || len(letters) > asked+onTheLine*kills {
		t.Errorf("%d mails, %d sent, %d letters", asked, sent, len(letters))
	}
	t.Logf("%d kills; %d mails, %d letters", kills, asked, len(letters))
	for id, n := range office.copies() {
		if n > 2 {
			t.Logf("%d copies of %s", n, id)
		}
	}
	if asked < kills {
		t.Error(fmt.Sprint("too few mails to show anything: ", asked))
	}
}
