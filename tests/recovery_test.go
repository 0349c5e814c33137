package tests

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

const (
	recovered   = "zq-Recovered-p4ssw0rd-5"
	recoverer   = "zqrecoverer"
	recoverMail = "zqrecoverer@example.test"
)

// recovery is a flow that mails a link over a connection of its own, and asks
// for a new password behind it.
func recovery(host, port string) string {
	return fmt.Sprintf(`version: 1
metadata: {name: recovery}
entries:
  - model: authentik_core.user
    identifiers: {username: %[3]s}
    attrs: {name: Zq Recoverer, email: %[4]s, password: zq-Forgotten-p4ss-1}
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: recover}
    attrs: {name: recover, title: Recover, designation: recovery, authentication: require_unauthenticated}
  - model: authentik_stages_identification.identificationstage
    id: who
    identifiers: {name: recover-who}
    attrs: {user_fields: [username]}
  - model: authentik_stages_email.emailstage
    id: mail
    identifiers: {name: recover-mail}
    attrs: {host: %[1]s, port: %[2]s, username: ledger, password: %[5]s, from_address: help@example.test, subject: zqsubject, recovery_max_attempts: 1}
  - model: authentik_stages_prompt.prompt
    id: password
    identifiers: {name: recover-password}
    attrs: {field_key: password, label: New password, type: password, required: true}
  - model: authentik_stages_prompt.promptstage
    id: change
    identifiers: {name: recover-change}
    attrs: {fields: [!KeyOf password]}
  - model: authentik_stages_user_write.userwritestage
    id: write
    identifiers: {name: recover-write}
    attrs: {user_creation_mode: never_create}
  - model: authentik_stages_user_login.userloginstage
    id: login
    identifiers: {name: recover-login}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf who, order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf mail, order: 20}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf change, order: 30}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf write, order: 40}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 50}
`, host, port, recoverer, recoverMail, mailPassword)
}

// textOf is the plain text of a letter, as its reader sees it.
func textOf(t *testing.T, letter string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Fatal(err)
	}
	_, boundary, _ := strings.Cut(m.Header.Get("Content-Type"), "boundary=")
	parts := multipart.NewReader(m.Body, strings.Trim(boundary, "\" \r\n"))
	part, err := parts.NextRawPart()
	if err != nil || !strings.HasPrefix(part.Header.Get("Content-Type"), "text/plain") {
		t.Fatalf("the first part is %v, %v", part, err)
	}
	var from io.Reader = part
	if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		from = quotedprintable.NewReader(part)
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var anyLink = regexp.MustCompile(`http://\S+/if/flow/\S+\?\S+`)

// askForLink asks for two mails and no more, and returns the link in the last.
func askForLink(t *testing.T, s *server, office *postOffice) *url.URL {
	t.Helper()
	first := s.browser()
	at, err := first.open("/if/flow/recover/?next=%2Fif%2Fuser%2F%23zq")
	if err == nil {
		at, err = first.hand(at, map[string]string{"uid_field": recoverer})
	}
	if err != nil || at.component() != "ak-stage-email" {
		t.Fatalf("asking for the mail: %v, %s", err, at.text())
	}
	for _, want := range []string{"on its way again", "Please try again after 5 minutes."} {
		if at, err = first.hand(at, nil); err != nil || !strings.Contains(at.text(), want) {
			t.Fatalf("asking again: %v, %s", err, at.text())
		}
	}
	awaitTrue(t, "both mails arrive", func() bool { return len(office.letters()) == 2 })
	letter := office.letters()[1]
	for _, want := range []string{"Subject: zqsubject", "From: <help@example.test>", `To: "Zq Recoverer" <` + recoverMail + ">"} {
		if !strings.Contains(letter, want) {
			t.Errorf("the letter lacks %q:\n%s", want, letter)
		}
	}
	link, err := url.Parse(anyLink.FindString(textOf(t, letter)))
	if err != nil || link.Query().Get("next") != "/if/user/#zq" || len(link.Query().Get("flow_token")) < 26 {
		t.Fatalf("the link is %v, %v, in\n%s", link, err, textOf(t, letter))
	}
	return link
}

// TestRecoveryOnAnotherBrowser recovers a lost password by the pages: the mail
// is asked for in one browser, and its link opened in another, after programs
// that look through mail have opened it, and a restart.
func TestRecoveryOnAnotherBrowser(t *testing.T) {
	office := newPostOffice(t)
	host, port, _ := strings.Cut(office.listener.Addr().String(), ":")
	s := start(t)
	s.admin(t).mustImport(t, recovery(host, port))
	link := askForLink(t, s, office)
	second, third := s.browser(), s.browser()
	address := link.RequestURI()
	for range 3 {
		if at, err := s.browser().open(address); err != nil || at.component() != "ak-stage-consent" {
			t.Fatalf("looking at the link: %v, %s", err, at.text())
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	at, err := second.open(address)
	if err != nil || !strings.Contains(at.text(), "Continue to confirm this email address.") {
		t.Fatalf("opening the link: %v, %s", err, at.text())
	}
	late, err := third.open(address)
	if err != nil || late.component() != "ak-stage-consent" {
		t.Fatalf("opening it twice: %v", err)
	}
	if at, err = second.hand(at, nil); err != nil || at.component() != "ak-stage-prompt" {
		t.Fatalf("going on: %v, %s", err, at.text())
	}
	if late, err = third.hand(late, nil); err != nil || !strings.Contains(late.text(), "Link was already used, please request a new link.") {
		t.Errorf("who is late reads %v, %s", err, late.text())
	}
	typed := map[string]string{}
	for name, kind := range at.inputs() {
		if kind == "password" {
			typed[name] = recovered
		}
	}
	if at, err = second.hand(at, typed); err != nil || !at.loggedIn() {
		t.Fatalf("with a new password: %v, %s at %s", err, at.text(), at.address)
	}
	if at, err = s.browser().open(address); err != nil || !strings.Contains(at.text(), "This link has expired.") {
		t.Errorf("opening it later: %v, %s", err, at.text())
	}
	who, err := s.browser().login("default-authentication-flow", recoverer, recovered)
	if err != nil || who["component"] != "xak-flow-redirect" {
		t.Errorf("logging in with the new password: %v, %v", err, who)
	}
	listed := s.admin(t).must(t, http.StatusOK, http.MethodGet, "/api/v3/stages/email/", nil)
	if bytes.Contains(listed.body, []byte(mailPassword)) {
		t.Error("the stage shows its password")
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	searchFor(t, s, link.Query().Get("flow_token"), mailPassword, recoverMail, recovered)
}

// TestPublishedRecovery runs the published blueprint of a recovery as it is,
// with the server's own connection to a mail server.
func TestPublishedRecovery(t *testing.T) {
	text, err := os.ReadFile("../../shared/blueprints/flows-recovery-email-verification.yaml")
	if err != nil {
		t.Skip("there is no ../shared")
	}
	office := newPostOffice(t)
	s := start(t, "--smtp", office.flag())
	host, port, _ := strings.Cut(office.listener.Addr().String(), ":")
	admin := s.admin(t)
	admin.mustImport(t, recovery(host, port)) // for its user
	admin.mustImport(t, string(text))
	first, second := s.visitor(t), s.visitor(t)
	const flow = "default-recovery-flow"
	ch, err := first.respond(flow, object{"component": "ak-stage-identification", "uid_field": recoverMail})
	if err != nil || ch["component"] != "ak-stage-email" {
		t.Fatalf("asking for the mail: %v, %v", err, ch)
	}
	awaitTrue(t, "the mail arrives", func() bool { return len(office.letters()) == 1 })
	link := anyLink.FindString(textOf(t, office.letters()[0]))
	_, query, _ := strings.Cut(link, "?")
	a, err := second.send(http.MethodGet, "/api/v3/flows/executor/"+flow+"/?query="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	if ch, err = a.object(); err != nil || ch["component"] != "ak-stage-consent" {
		t.Fatalf("opening the link: %v, %v", err, ch)
	}
	if ch, err = second.respond(flow, object{"component": "ak-stage-consent", "token": ch["token"]}); err != nil || ch["component"] != "ak-stage-prompt" {
		t.Fatalf("going on: %v, %v", err, ch)
	}
	ch, err = second.respond(flow, object{"component": "ak-stage-prompt", "password": recovered, "password_repeat": recovered})
	if err != nil || ch["component"] != "xak-flow-redirect" {
		t.Errorf("with a new password: %v, %v", err, ch)
	}
}
