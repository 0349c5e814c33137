package outside_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/handlers/outside"
)

// serving starts a server on a loopback address.
func serving(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func ranges(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

// open is a world in which the first loopback address may be asked.
func open() *outside.World {
	return outside.New(outside.Config{
		Requests: true, Private: ranges("127.0.0.1/32"), Agent: "flowledger/test", Now: newClock().Now,
	})
}

// port makes a URL of another host with the same port.
func port(s *httptest.Server, host, path string) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		panic(err)
	}
	return "http://" + host + ":" + u.Port() + path
}

// fails asks for what must have no answer, and returns the error.
func fails(t *testing.T, w *outside.World, q policy.Fetch, kind, says string) {
	t.Helper()
	got, err := w.Fetch(t.Context(), q)
	e, ok := errors.AsType[*policy.FetchError](err)
	if !ok {
		t.Fatalf("got %d and the error %v, want one of the kind %q", got.Status, err, kind)
	}
	if e.Kind != kind || !strings.Contains(e.Message, says) {
		t.Errorf("got %q, %q, want %q, %q", e.Kind, e.Message, kind, says)
	}
	if strings.Contains(e.Message, "secret") || strings.Contains(e.Message, "127.0.0.") && !strings.Contains(q.URL, "127.0.0.") {
		t.Errorf("%q tells too much", e.Message)
	}
}

func TestFetch(t *testing.T) {
	s := serving(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		http.SetCookie(w, &http.Cookie{Name: "c", Value: "v"})
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s %s %q", r.Method, r.URL, body, r.UserAgent(), r.Header.Get("X-Key"), r.Header.Get("Cookie"))
	})
	w := open()
	for range 2 { // the second time no cookie of the first is there
		got, err := w.Fetch(t.Context(), policy.Fetch{
			Method: "post", URL: s.URL + "/path?q=1#fragment", Header: map[string]string{"x-key": "k"}, Body: []byte("body"),
		})
		if err != nil {
			t.Fatal(err)
		}
		delete(got.Header, "Date")
		want := policy.Fetched{
			Status: 418, Reason: "I'm a teapot", URL: s.URL + "/path?q=1#fragment",
			Header: map[string]string{
				"Content-Length": "45", "Content-Type": "text/plain; charset=utf-8", "Set-Cookie": "c=v", "X-Two": "a, b",
			},
			Body: []byte(`POST /path?q=1 body flowledger/test k ""`),
		}
		want.Header["Content-Length"] = fmt.Sprint(len(want.Body))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	s := serving(t, func(w http.ResponseWriter, r *http.Request) { t.Errorf("somebody asked for %s", r.URL) })
	many := map[string]string{}
	for i := range 65 {
		many[fmt.Sprintf("X-%d", i)] = "v"
	}
	with := func(name, value string) policy.Fetch {
		return policy.Fetch{Method: "GET", URL: s.URL, Header: map[string]string{name: value}}
	}
	at := func(url string) policy.Fetch { return policy.Fetch{Method: "GET", URL: url} }
	tests := map[string]struct {
		ask  policy.Fetch
		says string
	}{
		"another scheme":                  {at("file:///etc/passwd?secret"), "http://"},
		"no scheme":                       {at("example.org/secret"), "http://"},
		"an opaque URL":                   {at("http:secret"), "no host"},
		"no host":                         {at("http:///secret"), "no host"},
		"a port without a host":           {at("http://:80/secret"), "no host"},
		"credentials":                     {at("http://user:secret@example.org/"), "credentials"},
		"a line break":                    {at(s.URL + "/\r\nsecret: 1"), "malformed"},
		"a long URL":                      {at(s.URL + "/" + strings.Repeat("secret", 2000)), "longer"},
		"a method for tunnels":            {policy.Fetch{Method: "CONNECT", URL: s.URL}, "methods"},
		"a method with a line break":      {policy.Fetch{Method: "GET / HTTP/1.1\r\n", URL: s.URL}, "methods"},
		"a large body":                    {policy.Fetch{Method: "PUT", URL: s.URL, Body: make([]byte, 256<<10+1)}, "body"},
		"many headers":                    {policy.Fetch{Method: "GET", URL: s.URL, Header: many}, "more than 64"},
		"large headers":                   {with("X-Large", strings.Repeat("secret", 3000)), "larger"},
		"a header's value with a break":   {with("X-Key", "a\r\nX-Secret: secret"), "cannot be sent"},
		"a header's value with a null":    {with("X-Key", "a\x00"), "cannot be sent"},
		"a header's name with a break":    {with("X-Key: a\r\nX-Secret", "secret"), "cannot be sent"},
		"a header without a name":         {with("", "secret"), "cannot be sent"},
		"a header of the connection":      {with("transfer-encoding", "chunked"), "Transfer-Encoding"},
		"another host in the header":      {with("HOST", "inside.example.org"), "Host"},
		"a private address":               {at(port(s, "127.0.0.2", "/secret?secret")), "--policy-private"},
		"a private address, version 6":    {at(port(s, "[::1]", "/secret")), "not at a public address"},
		"a private address, mapped":       {at(port(s, "[::ffff:127.0.0.2]", "/secret")), "not at a public address"},
		"a private address, behind NAT64": {at(port(s, "[64:ff9b::7f00:2]", "/secret")), "not at a public address"},
		"the metadata of clouds":          {at("http://169.254.169.254/latest/secret"), "not at a public address"},
		"the unspecified address":         {at(port(s, "0.0.0.0", "/secret")), "not at a public address"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fails(t, open(), tt.ask, policy.FetchRefused, tt.says)
		})
	}
	off := outside.New(outside.Config{Private: ranges("127.0.0.0/8"), Now: newClock().Now})
	fails(t, off, at(s.URL), policy.FetchRefused, "--policy-requests")
}

// A name that leads elsewhere the next time is judged the next time.
func TestRebinding(t *testing.T) {
	dns := &nameserver{}
	dns.set("rebind.test", "127.0.0.1")
	s := serving(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Connection", "close") })
	w := outside.New(outside.Config{
		Requests: true, Private: ranges("127.0.0.1/32"), Resolver: dns.start(t), Now: newClock().Now,
	})
	q := policy.Fetch{Method: "GET", URL: port(s, "rebind.test", "/")}
	if _, err := w.Fetch(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	for _, inside := range []string{"127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.2"} {
		dns.set("rebind.test", inside)
		fails(t, w, q, policy.FetchRefused, "not at a public address")
	}
	dns.set("rebind.test")
	fails(t, w, q, policy.FetchConnection, "not found")
}

func TestRedirects(t *testing.T) {
	dns := &nameserver{}
	dns.set("first.test", "127.0.0.1")
	dns.set("sub.first.test", "127.0.0.1")
	dns.set("inside.test", "127.0.0.2")
	s := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			return
		}
		for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Accept", "Referer", "Content-Type", "User-Agent"} {
			if r.Header.Get(name) != "" {
				fmt.Fprintf(w, "%s ", name)
			}
		}
	})
	w := outside.New(outside.Config{
		Requests: true, Private: ranges("127.0.0.1/32"), Agent: "a", Resolver: dns.start(t), Now: newClock().Now,
	})
	through := func(hops ...string) policy.Fetch {
		to := hops[len(hops)-1]
		for i := len(hops) - 2; i >= 0; i-- {
			to = hops[i] + "?to=" + url.QueryEscape(to)
		}
		return policy.Fetch{Method: "POST", URL: to, Body: []byte("{}"), Header: map[string]string{
			"Authorization": "Bearer secret", "Cookie": "a=secret", "X-Api-Key": "secret", "Accept": "*/*", "Content-Type": "application/json",
		}}
	}
	first, below := port(s, "first.test", "/"), port(s, "sub.first.test", "/")
	all, some := "Authorization Cookie X-Api-Key Accept Content-Type User-Agent ", "Accept Content-Type User-Agent "
	for name, tt := range map[string]struct {
		hops []string
		want string
	}{
		"the same host":                      {[]string{first, first}, all},
		"a host below the first":             {[]string{first, below}, some},
		"another port on the way":            {[]string{first, below, first}, some},
		"five times":                         {[]string{first, first, first, first, first, first}, all},
		"an address instead of the name":     {[]string{first, s.URL}, some},
		"a path only":                        {[]string{first, "/elsewhere"}, all},
		"without a scheme, but another host": {[]string{first, strings.TrimPrefix(below, "http:")}, some},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := w.Fetch(t.Context(), through(tt.hops...))
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Body) != tt.want {
				t.Errorf("the last host got %q, want %q", got.Body, tt.want)
			}
		})
	}
	for name, tt := range map[string]struct {
		to   string
		says string
	}{
		"a private address":     {"http://10.1.2.3/secret", "http://10.1.2.3 is not at a public address"},
		"a name for the inside": {port(s, "inside.test", "/secret"), "not at a public address"},
		"another scheme":        {"file:///etc/secret", "http://"},
		"credentials":           {port(s, "user:secret@first.test", "/"), "credentials"},
	} {
		t.Run(name, func(t *testing.T) { fails(t, w, through(first, tt.to), policy.FetchRefused, tt.says) })
	}
	six := through(first, first, first, first, first, first, first)
	t.Run("six times", func(t *testing.T) { fails(t, w, six, policy.FetchRefused, "too often") })
}

func TestNoWayBackFromEncryption(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	s.StartTLS()
	t.Cleanup(s.Close)
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	before := httptest.NewRequest(http.MethodGet, s.URL, nil)
	if err := outside.Redirect(r, []*http.Request{before}); err == nil || !strings.Contains(err.Error(), "encryption") {
		t.Errorf("got %v", err)
	}
	fails(t, open(), policy.Fetch{Method: "GET", URL: s.URL}, policy.FetchConnection, "not trusted")
}

func TestLimitsOfAnswers(t *testing.T) {
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/just", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) })
	mux.HandleFunc("/huge", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20+1)) })
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, r *http.Request) {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write(make([]byte, 8<<20))
		z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 128<<10))
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/slowly", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("begun"))
		http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		conn.Close()
	})
	s := serving(t, mux.ServeHTTP)
	t.Cleanup(func() { close(release) })
	w := open()
	at := func(path string) policy.Fetch {
		return policy.Fetch{Method: "GET", URL: s.URL + path + "?secret", Timeout: time.Minute}
	}
	brief := func(path string) policy.Fetch {
		q := at(path)
		q.Timeout = 30 * time.Millisecond
		return q
	}
	if got, err := w.Fetch(t.Context(), at("/just")); err != nil || len(got.Body) != 1<<20 {
		t.Errorf("the largest answer: got %d bytes, %v", len(got.Body), err)
	}
	fails(t, w, at("/huge"), policy.FetchRefused, "larger than 1048576 bytes")
	fails(t, w, at("/bomb"), policy.FetchRefused, "larger than 1048576 bytes")
	fails(t, w, at("/headers"), policy.FetchConnection, "no valid answer")
	fails(t, w, at("/broken"), policy.FetchConnection, "no valid answer")
	fails(t, w, brief("/slow"), policy.FetchTimeout, "in time")
	fails(t, w, brief("/slowly"), policy.FetchTimeout, "in time")

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := w.Fetch(ctx, at("/slow")); err == nil || err.(*policy.FetchError).Kind != policy.FetchTimeout {
		t.Errorf("a policy without time: got %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := w.Fetch(ctx, at("/slow")); err == nil || !strings.Contains(err.Error(), "given up") {
		t.Errorf("a policy that was given up: got %v", err)
	}
	s.Close()
	fails(t, w, at("/just"), policy.FetchConnection, "accepts no connection")
}

func TestRequestsUnderWay(t *testing.T) {
	arrived, release := make(chan struct{}, 64), make(chan struct{})
	s := serving(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	w := open()
	q := policy.Fetch{Method: "GET", URL: s.URL}
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := w.Fetch(t.Context(), q); err != nil {
				t.Errorf("one of 16: %v", err)
			}
		})
	}
	for range 16 {
		<-arrived
	}
	fails(t, w, q, policy.FetchConnection, "16 requests")
	close(release)
	group.Wait()
	if _, err := w.Fetch(t.Context(), q); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
