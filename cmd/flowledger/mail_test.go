package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/handlers/worker"
)

func TestParseSMTP(t *testing.T) {
	type server struct {
		Host, User, Password, From string
		Port                       int
		TLS                        worker.TLSMode
	}
	for text, want := range map[string]server{
		"smtp://mail.example.org?from=noreply@example.org": {"mail.example.org", "", "", "<noreply@example.org>", 587, worker.StartTLS},
		"smtp://u:p%40ss%2F@mail.example.org:2525/?tls=starttls&from=Ledger%20%3Cnoreply@example.org%3E": {
			"mail.example.org", "u", "p@ss/", `"Ledger" <noreply@example.org>`, 2525, worker.StartTLS,
		},
		"smtp://me%40example.org:pw@mail.example.org?tls=tls":       {"mail.example.org", "me@example.org", "pw", "<me@example.org>", 465, worker.Implicit},
		"smtp://relay.example.org?tls=none&from=a@example.org":      {"relay.example.org", "", "", "<a@example.org>", 25, worker.Clear},
		"smtp://u:pw@127.0.0.1:1025?tls=none&from=a@example.org":    {"127.0.0.1", "u", "pw", "<a@example.org>", 1025, worker.Clear},
		"smtp://u:pw@[2001:db8::1]:1025?tls=tls&from=a@example.org": {"2001:db8::1", "u", "pw", "<a@example.org>", 1025, worker.Implicit},
	} {
		s, err := parseSMTP(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, server{s.Host, s.User, s.Password.Reveal(), s.From.String(), s.Port, s.TLS}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// What is wrong is said, and the password is not.
func TestParseSMTPRefuses(t *testing.T) {
	const password = "hunter2-zq"
	for name, test := range map[string]struct{ text, says string }{
		"another scheme":            {"smtps://u:hunter2-zq@mail.example.org?from=a@example.org", smtpForm},
		"no scheme":                 {"mail.example.org:25", smtpForm},
		"no host":                   {"smtp://u:hunter2-zq@?from=a@example.org", smtpForm},
		"a path":                    {"smtp://u:hunter2-zq@mail.example.org/x?from=a@example.org", smtpForm},
		"a password that breaks it": {"smtp://u:hunter2-zq%zz@mail.example.org?from=a@example.org", "%XX"},
		"a sign in the password":    {"smtp://u:hunter2-zq#1@mail.example.org?from=a@example.org", smtpForm},
		"a slash in the password":   {"smtp://u:hunter2-zq/1@mail.example.org?from=a@example.org", smtpForm},
		"an unknown setting":        {"smtp://u:hunter2-zq@mail.example.org?form=a@example.org", "tls and from"},
		"a setting twice":           {"smtp://u:hunter2-zq@mail.example.org?from=a@example.org&from=b@example.org", "once each"},
		"an unknown encryption":     {"smtp://u:hunter2-zq@mail.example.org?tls=ssl&from=a@example.org", "starttls, tls or none"},
		"a port that is none":       {"smtp://u:hunter2-zq@mail.example.org:70000?from=a@example.org", "port"},
		"nobody to be from":         {"smtp://u:hunter2-zq@mail.example.org", "from=noreply@example.org"},
		"somebody with a header":    {"smtp://u:hunter2-zq@mail.example.org?from=a@example.org%0D%0ABcc:x@y.test", "from=noreply@example.org"},
		"a user without password":   {"smtp://u@mail.example.org?from=a@example.org", "needs a password"},
		"a password without user":   {"smtp://:hunter2-zq@mail.example.org?from=a@example.org", "needs a password"},
		"a password in the clear":   {"smtp://u:hunter2-zq@mail.example.org?tls=none&from=a@example.org", "in the clear"},
	} {
		_, err := parseSMTP(test.text)
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: got %v, want %q", name, err, test.says)
		}
	}
}

// Without a server mails are shown where nobody else can come, and nowhere
// else.
func TestTransport(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:9000": true, "localhost:9000": true, "[::1]:0": true, "127.8.8.8:1": true,
		"0.0.0.0:9000": false, ":9000": false, "[::]:9000": false, "192.0.2.1:9000": false, "login.example.org:9000": false, "127.0.0.1.example.org:1": false,
	} {
		got, err := (&config{listen: listen}).transport(nil)
		if err != nil || (got != nil) != want {
			t.Errorf("%s: %v, %v", listen, got, err)
		}
	}
	got, err := (&config{listen: "0.0.0.0:9000", smtp: "smtp://mail.example.org?from=a@example.org"}).transport(nil)
	if _, ok := got.(*worker.SMTP); !ok || err != nil {
		t.Errorf("with a server: %v, %v", got, err)
	}
}
