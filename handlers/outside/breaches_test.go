package outside_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/handlers/outside"
)

const (
	one   = "0018A45C4D1DEF81644B54AB7F969B88D65"
	two   = "00D4F6E8FA6EECAD2A3AA415EEC418D38EC"
	empty = "011053FD0102E94D6AE2F8B83D76FAF94F6"
)

func TestBreaches(t *testing.T) {
	var asked atomic.Int32
	s := serving(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/range/21BD1" || r.Header.Get("Add-Padding") != "true" || r.UserAgent() != "flowledger/test" {
			t.Errorf("asked for %s with %v", r.URL, r.Header)
		}
		fmt.Fprintf(w, "%s:1\r\n%s:22\r\n%s:0\r\n", one, strings.ToLower(two), empty)
	})
	for _, base := range []string{"/range", "/range/"} {
		asked.Store(0)
		c := newClock()
		w := outside.New(outside.Config{
			Private: ranges("127.0.0.1/32"), Breaches: s.URL + base, Agent: "flowledger/test", Now: c.Now,
		})
		want := map[string]int{one: 1, two: 22}
		for _, prefix := range []string{"21BD1", "21bd1"} {
			got, err := w.Breaches(t.Context(), prefix)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			clear(got)
		}
		if asked.Load() != 1 {
			t.Errorf("the service was asked %d times, want once", asked.Load())
		}
		c.pass(time.Hour)
		if _, err := w.Breaches(t.Context(), "21BD1"); err != nil || asked.Load() != 2 {
			t.Errorf("an hour later: asked %d times, %v", asked.Load(), err)
		}
	}
}

func TestNoAnswerAboutBreaches(t *testing.T) {
	says := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}
	}
	tests := map[string]struct {
		prefix  string
		answers http.HandlerFunc
	}{
		"too short a prefix":       {"21BD", says(200, one+":1")},
		"too much of a hash":       {"21BD10", says(200, one+":1")},
		"no hex digits":            {"21BDG", says(200, one+":1")},
		"a way out of the path":    {"../..", says(200, one+":1")},
		"a server's error":         {"21BD1", says(503, one+":1")},
		"not found":                {"21BD1", says(404, "")},
		"nothing new":              {"21BD1", says(206, one+":1")},
		"a page":                   {"21BD1", says(200, "<html>Log in to the network</html>")},
		"a line without a count":   {"21BD1", says(200, one)},
		"a negative count":         {"21BD1", says(200, one+":-1")},
		"a count beyond counting":  {"21BD1", says(200, one+":99999999999999999999")},
		"a whole hash":             {"21BD1", says(200, "21BD1"+one+":1")},
		"an answer without end":    {"21BD1", says(200, strings.Repeat(one+":1\n", 40_000))},
		"a redirect to the inside": {"21BD1", http.RedirectHandler("http://10.0.0.1/", http.StatusFound).ServeHTTP},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serving(t, tt.answers)
			w := outside.New(outside.Config{Private: ranges("127.0.0.1/32"), Breaches: s.URL, Now: newClock().Now})
			got, err := w.Breaches(t.Context(), tt.prefix)
			if err == nil {
				t.Fatalf("got %v", got)
			}
			if strings.Contains(err.Error(), tt.prefix) {
				t.Errorf("%q tells the prefix", err)
			}
		})
	}
	s := serving(t, says(200, one+":1"))
	w := outside.New(outside.Config{Breaches: s.URL, Now: newClock().Now})
	_, err := w.Breaches(t.Context(), "21BD1")
	if e, ok := errors.AsType[*policy.FetchError](err); !ok || e.Kind != policy.FetchRefused {
		t.Errorf("a private address that is not listed: got %v", err)
	}
	s.Close()
	w = outside.New(outside.Config{Private: ranges("127.0.0.1/32"), Breaches: s.URL, Now: newClock().Now})
	if _, err := w.Breaches(t.Context(), "21BD1"); err == nil {
		t.Error("a server that is down: got an answer")
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	dns := &nameserver{names: map[string]string{"1.2.0.192.in-addr.arpa": "a.test"}}
	dns.set("a.test", "192.0.2.1")
	s := serving(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%s:1\n", one) })
	w := outside.New(outside.Config{
		Requests: true, Private: ranges("127.0.0.1/32"), Breaches: s.URL, Resolver: dns.start(t), Now: newClock().Now,
	})
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			if got := w.Resolve(t.Context(), "a.test", 4); len(got) != 1 {
				t.Errorf("resolve: got %q", got)
			}
			if got := w.Reverse(t.Context(), "192.0.2.1"); got != "a.test" {
				t.Errorf("reverse: got %q", got)
			}
			if got, err := w.Breaches(t.Context(), fmt.Sprintf("%05X", i%8)); err != nil || got[one] != 1 {
				t.Errorf("breaches: got %v, %v", got, err)
			}
			_, err := w.Fetch(t.Context(), policy.Fetch{Method: "GET", URL: s.URL})
			if err != nil && !strings.Contains(err.Error(), "under way") {
				t.Errorf("fetch: %v", err)
			}
		})
	}
	group.Wait()
}

func FuzzParseRange(f *testing.F) {
	for _, seed := range []string{"", one + ":1\r\n" + two + ":0\n", one + ":", ":1", "\r\n", one + ":1:2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := outside.ParseRange(text)
		if err != nil && found != nil {
			t.Errorf("got %v beside an error", found)
		}
		for suffix, count := range found {
			if len(suffix) != 35 || suffix != strings.ToUpper(suffix) || count < 1 {
				t.Errorf("got %q: %d", suffix, count)
			}
		}
	})
}
