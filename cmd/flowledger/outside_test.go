package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/policy"
)

func outsideOf(args ...string) (outsideFlags, error) {
	var f outsideFlags
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	f.flags(fs)
	return f, fs.Parse(args)
}

func TestOutsideFlags(t *testing.T) {
	f, err := outsideOf()
	if err != nil || f.requests || f.private != nil || f.breaches != "https://api.pwnedpasswords.com/range/" {
		t.Errorf("without flags: got %+v, %v", f, err)
	}
	f, err = outsideOf("--policy-requests", "--policy-private", "10.0.0.0/8, fd00::/8", "--breaches-url", "http://range.example.org/")
	if err != nil || !f.requests || len(f.private) != 2 || f.private[1] != netip.MustParsePrefix("fd00::/8") || f.breaches != "http://range.example.org/" {
		t.Errorf("with all flags: got %+v, %v", f, err)
	}
	for name, args := range map[string][]string{
		"an address that is no range":  {"--policy-private", "10.0.0.1"},
		"a word for a range":           {"--policy-private", "10.0.0.0/8,everything"},
		"no URL":                       {"--breaches-url", "range"},
		"a file":                       {"--breaches-url", "file:///range"},
		"credentials":                  {"--breaches-url", "https://a:b@range.example.org/"},
		"a query, which would be lost": {"--breaches-url", "https://range.example.org/?key=1"},
		"nothing":                      {"--breaches-url", ""},
	} {
		if f, err := outsideOf(args...); err == nil {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

// TestWhatPoliciesMayAsk is about the wiring: what an app asks, by default and
// with flags.
func TestWhatPoliciesMayAsk(t *testing.T) {
	const rest = "0018A45C4D1DEF81644B54AB7F969B88D65"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/range/21BD1" && strings.HasPrefix(r.UserAgent(), "flowledger/") {
			fmt.Fprintf(w, "%s:7\r\n", rest)
		}
	}))
	t.Cleanup(s.Close)
	a, err := open(storage{store: "memory:"}, discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close() })
	q := policy.Fetch{Method: "GET", URL: s.URL}
	asked := func(args ...string) string {
		t.Helper()
		if len(args) > 0 {
			f, err := outsideOf(args...)
			if err != nil {
				t.Fatal(err)
			}
			a.ask(f)
		}
		_, err := a.executor.Policies.Outside.Fetch(t.Context(), q)
		if e, ok := errors.AsType[*policy.FetchError](err); ok {
			return e.Message
		}
		return fmt.Sprint(err)
	}
	if got := asked(); !strings.Contains(got, "--policy-requests") {
		t.Errorf("by default: got %s", got)
	}
	if got := asked("--policy-requests"); !strings.Contains(got, "--policy-private") {
		t.Errorf("a private address: got %s", got)
	}
	if got := asked("--policy-requests", "--policy-private", "127.0.0.0/8", "--breaches-url", s.URL+"/range/"); got != "<nil>" {
		t.Errorf("a listed address: got %s", got)
	}
	found, err := a.executor.Policies.Outside.Breaches(t.Context(), "21BD1")
	if err != nil || found[rest] != 7 {
		t.Errorf("stolen passwords: got %v, %v", found, err)
	}
}

func TestADeskIsWhereNobodyElseComes(t *testing.T) {
	tests := map[string]struct {
		args []string
		want bool
	}{
		"by default":                      {nil, true},
		"at an address of this machine":   {[]string{"--listen", "localhost:0"}, true},
		"at one that others reach":        {[]string{"--listen", "0.0.0.0:9000"}, false},
		"behind a proxy, at a public URL": {[]string{"--base-url", "https://login.example.org"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var c config
			fs := flag.NewFlagSet("serve", flag.ContinueOnError)
			c.flags(fs)
			if err := fs.Parse(tt.args); err != nil {
				t.Fatal(err)
			}
			if got := c.outside().desk; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
