package trail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/trail"
)

func kind(t *testing.T) catalog.Kind {
	t.Helper()
	k, ok := catalog.Lookup(trail.Model)
	if !ok {
		t.Fatal("there is no such kind")
	}
	return k
}

// authority makes a certificate in PEM.
func authority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), zeros{})
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(zeros{}, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// zeros is as good as chance for a certificate that nobody trusts.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}

func TestSinkIsChecked(t *testing.T) {
	tests := map[string]struct {
		set   map[string]any
		fault string // the field; empty for none
	}{
		"an address over TLS":               {map[string]any{"target": "https://siem.example.org:8088/in?index=main"}, ""},
		"this machine over http":            {map[string]any{"target": "http://127.0.0.1:8088/"}, ""},
		"this machine by its name":          {map[string]any{"target": "http://localhost/"}, ""},
		"this machine in IPv6":              {map[string]any{"target": "http://[::1]:80/"}, ""},
		"another machine over http":         {map[string]any{"target": "http://siem.example.org/"}, "target"},
		"a name that only begins like it":   {map[string]any{"target": "http://localhost.example.org/"}, "target"},
		"an address with a password":        {map[string]any{"target": "https://fl:s3cret@siem.example.org/"}, "target"},
		"an address with a fragment":        {map[string]any{"target": "https://siem.example.org/#x"}, "target"},
		"another scheme":                    {map[string]any{"target": "ftp://siem.example.org/"}, "target"},
		"no address":                        {map[string]any{"target": "siem"}, "target"},
		"a syslog server":                   {map[string]any{"kind": "syslog", "target": "siem.example.org:6514"}, ""},
		"a syslog server in IPv6":           {map[string]any{"kind": "syslog", "target": "[2001:db8::1]:6514"}, ""},
		"a syslog server without a port":    {map[string]any{"kind": "syslog", "target": "siem.example.org"}, "target"},
		"a syslog server with a large port": {map[string]any{"kind": "syslog", "target": "siem.example.org:65536"}, "target"},
		"a file":                            {map[string]any{"kind": "file", "target": "siem/events.log"}, ""},
		"a file elsewhere":                  {map[string]any{"kind": "file", "target": "/etc/passwd"}, "target"},
		"a file above":                      {map[string]any{"kind": "file", "target": "../events.db"}, "target"},
		"a file above, on a detour":         {map[string]any{"kind": "file", "target": "a/../../events.db"}, "target"},
		"a hidden file":                     {map[string]any{"kind": "file", "target": "a/.ssh"}, "target"},
		"a type of events":                  {map[string]any{"events": []any{"UserLoggedIn", "audit"}}, ""},
		"neither type nor category":         {map[string]any{"events": []any{"logins"}}, "events"},
		"a header":                          {map[string]any{"secret_header": "X-Api-Key"}, ""},
		"a header that is two":              {map[string]any{"secret_header": "X: 1\r\nY"}, "secret_header"},
		"a secret of two lines":             {map[string]any{"secret": "s3cret\r\nX: 1"}, "secret"},
		"a name of a host":                  {map[string]any{"server_name": "siem.example.org"}, ""},
		"a name of no host":                 {map[string]any{"server_name": "a b"}, "server_name"},
		"certificates":                      {map[string]any{"ca": authority(t) + authority(t)}, ""},
		"no certificates":                   {map[string]any{"ca": "hello"}, "ca"},
		"certificates and more":             {map[string]any{"ca": authority(t) + "hello"}, "ca"},
		"something else in PEM":             {map[string]any{"ca": strings.ReplaceAll(authority(t), "CERTIFICATE", "PRIVATE KEY")}, "ca"},
		"a batch that waits for too long":   {map[string]any{"linger": "hours=1"}, "linger"},
		"a webhook of JSON":                 {map[string]any{"kind": "webhook", "format": "json"}, ""},
		"a webhook of another format":       {map[string]any{"kind": "webhook", "format": "cef"}, "format"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := kind(t)
			fields := k.Defaults()
			fields["name"], fields["target"] = "n", "https://siem.example.org/"
			for name, v := range tt.set {
				fields[name] = v
			}
			problems := k.Validate(fields)
			switch {
			case tt.fault == "" && len(problems) > 0, tt.fault != "" && (len(problems) != 1 || len(problems[tt.fault]) != 1):
				t.Errorf("got %v", problems)
			case strings.Contains(fmt.Sprint(problems), "s3cret"):
				t.Errorf("a secret is in %v", problems)
			}
		})
	}
}

func TestSecretIsNeverLoaded(t *testing.T) {
	f, ok := kind(t).Field("secret")
	if !ok || !f.Secret {
		t.Errorf("the secret is an ordinary field: %+v", f)
	}
}

func TestHostTellsNoPath(t *testing.T) {
	for want, s := range map[string]trail.Sink{
		"hooks.example.org":     {Kind: trail.Webhook, Target: "https://hooks.example.org/T0/s3cret?key=s3cret"},
		"siem.example.org:6514": {Kind: trail.Syslog, Target: "siem.example.org:6514"},
		"siem/events.log":       {Kind: trail.File, Target: "siem/events.log"},
	} {
		if got := s.Host(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLinger(t *testing.T) {
	for text, want := range map[string]time.Duration{"seconds=2": 2 * time.Second, "soon": time.Second, "hours=1": time.Minute, "seconds=-1": 0} {
		if got := (&trail.Sink{Linger: text}).LingerFor(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
