package esdb_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/esdb"
	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
)

// secret stands in passwords, and in no error.
const secret = "s3cr3t"

// TestConnectionStrings are refused with a reason, and without what may be a
// password, however wrong they are.
func TestConnectionStrings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ url, reason string }{
		"another scheme":      {"http://u:s3cr3t@h:1", "scheme"},
		"a port of letters":   {"esdb://u:s3cr3t@h:x", "port"},
		"no percent-encoding": {"esdb://u:s3cr3t/x@h:1?tls=false", "percent-encoded"},
		"two colons":          {"esdb://u:a:s3cr3t/@h:1", "percent-encoded"},
		"no host":             {"esdb://u:s3cr3t@", "host"},
		"a path":              {"esdb://u:s3cr3t@h:1/s3cr3t@/p", "path"},
		"no such preference":  {"esdb://u:s3cr3t@h:1?nodePreference=boss", "boss"},
		"no certificate":      {"esdb://u:s3cr3t@h:1?tlsCAFile=nowhere.pem", "nowhere.pem"},
		"no user":             {"esdb://:s3cr3t@h:1", "percent-encoded"},
		"half a certificate":  {"esdb://u:s3cr3t@127.0.0.1:1?userCertFile=x", "userKeyFile"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := esdb.Open(t.Context(), test.url)
			if err == nil || !strings.Contains(err.Error(), test.reason) || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v, want one that says %q", err, test.reason)
			}
		})
	}
}

func TestSecure(t *testing.T) {
	t.Parallel()
	server := esdbtest.StartSecure(t, "ledger", secret+"/?@:%")
	store := open(t, server.SecureURL("ledger", secret+"/?@:%"))
	mustAppend(t, store, "a-1", eventstore.NoStream, event("x"))
	if got := followN(t, store, 1); len(got) != 1 {
		t.Errorf("%d events, want 1", len(got))
	}
	good, err := url.Parse(server.SecureURL("ledger", secret))
	if err != nil {
		t.Fatal(err)
	}
	stranger := *good
	stranger.RawQuery = "tls=true" // whose authority nobody knows
	for name, test := range map[string]struct {
		url         string
		unavailable bool
	}{
		"wrong password": {good.String(), false},
		"no TLS":         {"esdb://ledger:" + secret + "@" + good.Host + "?tls=false", true},
		"not trusted":    {stranger.String(), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := esdb.OpenHurried(t.Context(), test.url, shortCall, shortWait, shortWatch)
			if err == nil || errors.Is(err, eventstore.ErrUnavailable) != test.unavailable || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v, unavailable: want %v", err, test.unavailable)
			}
			t.Log(err)
		})
	}
}
