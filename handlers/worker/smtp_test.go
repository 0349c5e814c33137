package worker_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/handlers/worker"
)

const password = "p4ss-w0rd-zq/9+x"

func letter() worker.Letter {
	return worker.Letter{
		ID: "6f1c8b1e-0000-4000-8000-000000000001", Date: start, To: []*netmail.Address{{Name: "Ada Løvelace", Address: "ada@example.test"}},
		CC: []*netmail.Address{{Address: "cc@example.test"}}, BCC: []*netmail.Address{{Address: "bcc@example.test"}},
		Rendered: mail.Rendered{Subject: "Grüße", HTML: "<p>Hé</p>", Text: "Hé\n.\n"},
	}
}

// certified is a certificate for 127.0.0.1, and who trusts it.
func certified(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}, &tls.Config{RootCAs: roots}
}

// TestSMTP sends a letter in each of the ways that a server can want it.
func TestSMTP(t *testing.T) {
	theirs, ours := certified(t)
	for name, test := range map[string]struct {
		mode   worker.TLSMode
		secret string
	}{
		"in the clear":         {worker.Clear, ""},
		"to who must be known": {worker.Clear, "ledger\x00" + password},
		"starttls":             {worker.StartTLS, ""},
		"starttls, known":      {worker.StartTLS, "ledger\x00" + password},
		"implicit, known":      {worker.Implicit, "ledger\x00" + password},
	} {
		t.Run(name, func(t *testing.T) {
			o := newPostOffice(t, func(o *postOffice) {
				o.secret, o.implicit = test.secret, test.mode == worker.Implicit
				if test.mode != worker.Clear {
					o.secure = theirs
				}
			})
			s := o.server()
			s.TLS, s.Trust = test.mode, ours
			receipt, err := s.Send(t.Context(), letter())
			if err != nil {
				t.Fatal(err)
			}
			want := worker.Receipt{Provider: "smtp", ID: "2.0.0 queued as Q1", From: `"Ledger" <noreply@example.test>`}
			if diff := cmp.Diff(want, receipt); diff != "" {
				t.Errorf("receipt (-want +got):\n%s", diff)
			}
			judgeLetter(t, o.letters())
		})
	}
}

func judgeLetter(t *testing.T, all []post) {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("%d letters arrived", len(all))
	}
	p := all[0]
	if diff := cmp.Diff([]string{"ada@example.test", "cc@example.test", "bcc@example.test"}, p.to); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	if strings.Contains(p.text, "bcc@example.test") {
		t.Errorf("the letter tells of the blind copy:\n%s", p.text)
	}
	m, err := netmail.ReadMessage(strings.NewReader(p.text))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Grüße" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<6f1c8b1e-0000-4000-8000-000000000001@example.test>", "Date": "Sun, 22 Nov 2026 12:00:00 +0000",
		"From": `"Ledger" <noreply@example.test>`, "Auto-Submitted": "auto-generated", "X-Mailer": "",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"Hé\n.\n", "<p>Hé</p>"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(part)
		if strings.ReplaceAll(string(got), "\r\n", "\n") != want || err != nil {
			t.Errorf("part %q, %v, want %q", got, err, want)
		}
	}
}

// secret is the password of who says who they are.
func secret(user string) domain.Secret {
	if user == "" {
		return domain.Secret{}
	}
	return domain.NewSecret(password)
}

// TestSMTPRefusals judges what goes wrong: what is worth another attempt, and
// that nothing tells the password.
func TestSMTPRefusals(t *testing.T) {
	theirs, ours := certified(t)
	for name, test := range map[string]struct {
		manners   manners
		secret    string // of the server
		user      string // of the client
		mode      worker.TLSMode
		trust     *tls.Config
		code      string
		permanent bool
	}{
		"a mailbox that is full":                 {manners: manners{rcpt: "452 4.2.2 full"}, code: "smtp_452"},
		"a mailbox that does not exist":          {manners: manners{rcpt: "550 5.1.1 nobody"}, code: "smtp_550", permanent: true},
		"a letter that nobody wants":             {manners: manners{done: "554 5.7.1 spam"}, code: "smtp_554", permanent: true},
		"a letter that must wait":                {manners: manners{done: "451 4.3.0 later"}, code: "smtp_451"},
		"data that is not wanted now":            {manners: manners{data: "421 busy"}, code: "smtp_421"},
		"a sender that may be repaired":          {manners: manners{from: "550 5.7.1 not from you"}, code: "smtp_550"},
		"a server that is closed":                {manners: manners{greeting: "554 closed"}, code: "smtp_554"},
		"a server that hangs up with the letter": {manners: manners{hangUp: true}, code: "connection"},
		"a wrong password":                       {secret: "ledger\x00other", user: "ledger", code: "smtp_535"},
		"no password where one is needed":        {secret: "ledger\x00other", code: "smtp_530"},
		"no encryption where it is demanded":     {mode: worker.StartTLS, code: "connection"},
		"a certificate of somebody else":         {mode: worker.Implicit, trust: &tls.Config{RootCAs: x509.NewCertPool()}, code: "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newPostOffice(t, func(o *postOffice) {
				o.secret, o.implicit, o.treat = test.secret, test.mode == worker.Implicit, func(int, string) manners { return test.manners }
				if o.implicit {
					o.secure = theirs
				}
			})
			s := o.server()
			s.User, s.Password, s.Trust = test.user, secret(test.user), ours
			if test.trust != nil {
				s.Trust = test.trust
			}
			if test.mode != "" {
				s.TLS = test.mode
			}
			_, err := s.Send(t.Context(), letter())
			refusal, ok := errors.AsType[*worker.Refusal](err)
			if !ok || refusal.Code != test.code || refusal.Permanent != test.permanent {
				t.Errorf("got %+v, want code %s, permanent %t", err, test.code, test.permanent)
			}
			if err != nil && (strings.Contains(err.Error(), password) || strings.Contains(err.Error(), base64.StdEncoding.EncodeToString([]byte("\x00ledger\x00"+password)))) {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

// A password is not shown to a server that is elsewhere and in the clear.
func TestSMTPKeepsThePassword(t *testing.T) {
	o := newPostOffice(t, func(o *postOffice) { o.secret = "ledger\x00" + password })
	s := o.server()
	s.Host = "0.0.0.0" // reaches this machine, and is none of its own names
	if _, err := s.Send(t.Context(), letter()); err == nil || len(o.letters()) > 0 {
		t.Errorf("sent in the clear: %v", err)
	}
}

// A server that hangs up after it has taken a letter, and has said so, has
// taken it. Two copies can be told from two letters.
func TestSMTPAfterAcceptance(t *testing.T) {
	o := newPostOffice(t, func(o *postOffice) { o.treat = func(int, string) manners { return manners{leave: true} } })
	s := o.server()
	for range 2 {
		if _, err := s.Send(t.Context(), letter()); err != nil {
			t.Fatal(err)
		}
	}
	all := o.letters()
	if len(all) != 2 || all[0].header(t, "Message-Id") != all[1].header(t, "Message-Id") {
		t.Errorf("%d letters, which do not look like copies", len(all))
	}
}

// Nobody listens.
func TestSMTPWithoutServer(t *testing.T) {
	o := newPostOffice(t)
	s := o.server()
	_ = o.listener.Close()
	_, err := s.Send(t.Context(), letter())
	if refusal, ok := errors.AsType[*worker.Refusal](err); !ok || refusal.Code != "connection" || refusal.Permanent {
		t.Errorf("got %v", err)
	}
}

func TestConsole(t *testing.T) {
	var out bytes.Buffer
	c := &worker.Console{W: &out, From: &netmail.Address{Address: "noreply@localhost"}}
	l := letter()
	l.Text = "Hello\x1b[2J\n"
	receipt, err := c.Send(context.Background(), l)
	if err != nil || receipt.Provider != "console" || receipt.From != "<noreply@localhost>" {
		t.Errorf("got %+v, %v", receipt, err)
	}
	want := `---- mail 6f1c8b1e-0000-4000-8000-000000000001, not sent: no --smtp ----
To: =?utf-8?q?Ada_L=C3=B8velace?= <ada@example.test>
Cc: <cc@example.test>
Bcc: <bcc@example.test>
Subject: Grüße

Hello[2J
---- end of mail ----
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}
