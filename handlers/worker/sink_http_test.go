package worker_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/handlers/worker"
)

// A collector is an HTTP server that takes batches. What it does with the
// requests before that, the faults say, one for each.
type collector struct {
	receipts
	*httptest.Server

	faults chan func(w http.ResponseWriter, r *http.Request, c *collector)
	poison func(text []byte) bool

	keys struct {
		sync.Mutex
		headers []http.Header
	}
}

type fault func(w http.ResponseWriter, r *http.Request, c *collector)

func newCollector(t *testing.T, faults ...fault) *collector {
	t.Helper()
	c := &collector{faults: make(chan func(http.ResponseWriter, *http.Request, *collector), 10000)}
	c.plan(faults...)
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) plan(faults ...fault) {
	for _, f := range faults {
		c.faults <- f
	}
}

// ServeHTTP implements http.Handler.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.keys.Lock()
	c.keys.headers = append(c.keys.headers, r.Header.Clone())
	c.keys.Unlock()
	select {
	case f := <-c.faults:
		f(w, r, c)
	default:
		c.take(w, r)
	}
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	lines, ok := c.read(r)
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, l := range lines {
		if c.poison != nil && c.poison(l) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	for _, l := range lines {
		c.add(l)
	}
}

func (*collector) read(r *http.Request) (lines [][]byte, ok bool) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		zip, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, false
		}
		body = zip
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, false
	}
	for l := range bytes.Lines(text) {
		lines = append(lines, bytes.TrimSpace(l))
	}
	return lines, true
}

func (c *collector) headers(name string) (out []string) {
	c.keys.Lock()
	defer c.keys.Unlock()
	for _, h := range c.keys.headers {
		out = append(out, h.Get(name))
	}
	return out
}

// The faults.
func answers(status int) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ *collector) { w.WriteHeader(status) }
}

func hangsUp(w http.ResponseWriter, _ *http.Request, _ *collector) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// takesAndHangsUp has the batch, and nobody hears of it.
func takesAndHangsUp(w http.ResponseWriter, r *http.Request, c *collector) {
	c.take(httptest.NewRecorder(), r)
	hangsUp(w, r, c)
}

func closesWithinTheBody(w http.ResponseWriter, r *http.Request, c *collector) {
	_, _ = io.ReadFull(r.Body, make([]byte, 10))
	hangsUp(w, r, c)
}

func closesWithinTheAnswer(w http.ResponseWriter, r *http.Request, c *collector) {
	c.take(httptest.NewRecorder(), r)
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte("half"))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func redirects(w http.ResponseWriter, r *http.Request, c *collector) {
	http.Redirect(w, r, c.URL+"/elsewhere", http.StatusTemporaryRedirect)
}

func throttles(w http.ResponseWriter, _ *http.Request, _ *collector) {
	w.Header().Set("Retry-After", "7")
	w.WriteHeader(http.StatusTooManyRequests)
}

func slowly(w http.ResponseWriter, r *http.Request, c *collector) {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	c.take(w, r)
}

func (c *collector) target(lanes int) worker.Target {
	return worker.NewHTTPTarget(worker.HTTPTarget{
		URL: c.URL + "/in", Media: "application/x-ndjson", Header: "Authorization", Secret: domain.NewSecret("s3cret"),
	}, nil, lanes)
}

// Whatever the target does, nothing is lost, and the order of each execution
// holds.
func TestHTTPSinkLosesNothing(t *testing.T) {
	tests := map[string]struct {
		faults []fault
		told   []string // by the ledger
		rest   time.Duration
		repeat bool // some came twice
	}{
		"a target that takes all":                  {},
		"one that fails now and then":              {faults: []fault{answers(500), slowly, answers(503)}},
		"one that fails for long":                  {faults: slices.Repeat([]fault{answers(503)}, 50), told: []string{"failed: status 503", "recovered"}},
		"one that hangs up":                        {faults: slices.Repeat([]fault{hangsUp}, 20), told: []string{"failed: connection broken", "recovered"}},
		"one that takes a batch and hangs up":      {faults: []fault{takesAndHangsUp, slowly, takesAndHangsUp}, repeat: true},
		"one that closes within the body":          {faults: []fault{closesWithinTheBody, closesWithinTheBody}},
		"one that closes within its answer":        {faults: []fault{closesWithinTheAnswer}, repeat: true},
		"one that is slow":                         {faults: slices.Repeat([]fault{slowly}, 10)},
		"one that wants to be left alone":          {faults: []fault{throttles}, rest: 7 * time.Second},
		"one that does not know us":                {faults: slices.Repeat([]fault{answers(401)}, 5), told: []string{"failed: status 401", "recovered"}, rest: 15 * time.Second},
		"one that is not at the address":           {faults: slices.Repeat([]fault{answers(404)}, 5), told: []string{"failed: status 404, which says that the address is wrong", "recovered"}},
		"one that sends us somewhere else":         {faults: slices.Repeat([]fault{redirects}, 6), told: []string{"failed: status 307, which says that the address is wrong", "recovered"}},
		"one that refuses a batch for once":        {faults: []fault{answers(400)}},
		"one that wants smaller batches for a bit": {faults: []fault{answers(413), answers(413)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t, tt.faults...)
			y := newYard(t, c.target(2))
			y.Lanes = 2
			y.write(5, 20)
			y.begin()
			within(t, func() bool { return c.different() >= 100 })
			y.write(5, 10)
			within(t, func() bool { return c.different() >= 150 })
			within(t, func() bool { return y.Status().Untold >= 0 && y.Lag() == 0 })
			if err := y.stop(); err != nil {
				t.Fatal(err)
			}
			repeated := c.check(t, y.want)
			if (repeated > 0) != tt.repeat {
				t.Errorf("%d events came more than once", repeated)
			}
			if got := y.news(); !slices.Equal(got, tt.told) {
				t.Errorf("the ledger was told %q, want %q", got, tt.told)
			}
			if y.longest() < tt.rest {
				t.Errorf("the longest rest was %s, want %s", y.longest(), tt.rest)
			}
			if n := len(y.outcasts()); n > 0 {
				t.Errorf("%d events were parked", n)
			}
			if head, _ := y.ledger.Head(t.Context()); y.place() != head {
				t.Errorf("the checkpoint is %s, the ledger ends at %s", y.place(), head)
			}
			y.discreet()
		})
	}
}

// discreet looks for secrets in the log.
func (y *yard) discreet() {
	y.t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	if strings.Contains(y.log.String(), "s3cret") {
		y.t.Errorf("the secret is in the log:\n%s", &y.log)
	}
}

func TestDeadTarget(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // nobody is there
	y := newYard(t, worker.NewHTTPTarget(worker.HTTPTarget{URL: "http://" + address + "/s3cret", Header: "X-Key"}, nil, 1))
	y.write(5, 20)
	y.begin()
	within(t, func() bool { return len(y.news()) > 0 })
	y.write(5, 400) // more than there is room for in memory
	status := y.Status()
	if !status.Failing || status.LastError != "connection refused" || status.Lag == 0 || y.longest() > 30*time.Second {
		t.Errorf("got %+v, longest rest %s", status, y.longest())
	}
	c := &collector{faults: make(chan func(http.ResponseWriter, *http.Request, *collector), 1)}
	if listener, err = net.Listen("tcp", address); err != nil {
		t.Skipf("somebody else has the port: %v", err)
	}
	server := &http.Server{Handler: c}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	within(t, func() bool { return c.different() == y.all() })
	c.check(t, y.want)
	within(t, func() bool { return slices.Equal(y.news(), []string{"failed: connection refused", "recovered"}) })
	y.discreet()
}

// One event that the target refuses is found and parked; the others arrive. It
// goes out when somebody releases it.
func TestRefusedEvent(t *testing.T) {
	c := newCollector(t)
	y := newYard(t, c.target(1))
	y.write(3, 20)
	bad := y.append("execution-1", "StageEntered", "{}")
	y.write(3, 20)
	cured := false
	var mu sync.Mutex
	c.poison = func(text []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		return !cured && bytes.Contains(text, []byte(bad))
	}
	y.begin()
	within(t, func() bool { return c.different() == 120 && len(y.outcasts()) == 1 })
	c.check(t, y.want, bad)
	if got := y.outcasts(); got[0].ID.String() != bad {
		t.Errorf("%s was parked, want %s", got[0].ID, bad)
	}
	if got := y.news(); got != nil {
		t.Errorf("the ledger was told %q", got)
	}
	mu.Lock()
	cured = true
	mu.Unlock()
	y.append("worker-sink-1", "WorkerEventReleased", `{"event":"`+bad+`"}`)
	within(t, func() bool { return c.different() == 121 })
	if got := c.headers("Flowledger-Replay"); got[len(got)-1] != "true" {
		t.Error("a released event is not marked")
	}
}

// A target that refuses everything is at fault itself: few events are parked.
func TestTargetThatRefusesAll(t *testing.T) {
	c := newCollector(t, slices.Repeat([]fault{answers(422)}, 500)...)
	y := newYard(t, c.target(1))
	y.write(10, 20)
	y.begin()
	within(t, func() bool { return len(y.outcasts())+c.different() == 200 })
	if n := len(y.outcasts()); n != 10 {
		t.Errorf("%d events were parked", n)
	}
	var but []string
	for _, i := range y.outcasts() {
		but = append(but, i.ID.String())
	}
	c.check(t, y.want, but...)
	within(t, func() bool {
		return slices.Equal(y.news(), []string{"failed: refuses every event: status 422", "recovered"})
	})
}

// A process that dies repeats what came behind its last checkpoint.
func TestSinkAfterACrash(t *testing.T) {
	c := newCollector(t)
	y := newYard(t, c.target(1))
	y.write(5, 20)
	y.begin()
	within(t, func() bool { return c.different() == 100 })
	if err := y.stop(); err != nil {
		t.Fatal(err)
	}
	y.write(5, 20)
	y.mu.Lock()
	y.saved = worker.Position{} // the checkpoint was not written
	y.mu.Unlock()
	y.restart(c.target(1))
	within(t, func() bool { return c.different() == 200 })
	if repeated := c.check(t, y.want); repeated != 100 {
		t.Errorf("%d events came again, want 100", repeated)
	}
}

func TestWhatIsSentAgainIsMarked(t *testing.T) {
	c := newCollector(t)
	y := newYard(t, c.target(1))
	y.write(1, 20)
	y.Again, _ = y.ledger.Head(t.Context())
	y.write(1, 20)
	y.begin()
	within(t, func() bool { return c.different() == 40 })
	keys, marks := c.headers("Idempotency-Key"), c.headers("Flowledger-Replay")
	// However the events fall into batches, none has both kinds.
	fresh := slices.Index(marks, "")
	for i, key := range keys {
		if again := fresh < 0 || i < fresh; strings.HasSuffix(key, "-again") != again || (marks[i] == "true") != again {
			t.Errorf("batch %d: keys %q, marks %q", i, keys, marks)
		}
	}
	if fresh < 1 {
		t.Errorf("marks %q", marks)
	}
	if got := c.headers("Authorization"); got[0] != "Bearer s3cret" {
		t.Errorf("the credential is %q", got[0])
	}
}

// What the program says of itself waits for something else to go along with.
func TestLedgerEventsTriggerNothing(t *testing.T) {
	c := newCollector(t)
	y := newYard(t, c.target(1))
	for range 5 {
		y.append("ledger-1", "LedgerStarted", "{}")
	}
	y.begin()
	y.append("session-1", "SessionBegun", "{}") // nobody wants it
	within(t, func() bool { return y.Lag() == 0 })
	y.write(1, 1)
	within(t, func() bool { return c.different() == 6 })
	if keys := c.headers("Idempotency-Key"); len(keys) != 1 {
		t.Errorf("it was sent in %d batches", len(keys))
	}
}

func TestWebhooksAreSigned(t *testing.T) {
	for name, secret := range map[string]string{"a text": "a-long-secret", "as others write keys": "whsec_" + base64.StdEncoding.EncodeToString([]byte("a-long-secret"))} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var problems []string
			got := &receipts{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(bufio.NewReader(r.Body))
				// This is what a receiver does.
				mac := hmac.New(sha256.New, []byte("a-long-secret"))
				mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "."))
				mac.Write(body)
				want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
				var l line
				_ = json.Unmarshal(body, &l)
				mu.Lock()
				defer mu.Unlock()
				if r.Header.Get("webhook-signature") != want || r.Header.Get("webhook-id") != l.ID || r.Header.Get("webhook-timestamp") != "1795348860" {
					problems = append(problems, r.Header.Get("webhook-signature")+" "+r.Header.Get("webhook-timestamp"))
				}
				got.add(body)
			}))
			t.Cleanup(server.Close)
			y := newYard(t, worker.NewWebhookTarget(worker.WebhookTarget{
				URL: server.URL, Secret: domain.NewSecret(secret), Now: func() time.Time { return time.Unix(1795348860, 0) },
			}, nil, 8))
			y.Lanes, y.Batch, y.Linger = 8, 1, 0
			y.write(10, 20)
			y.begin()
			within(t, func() bool { return got.different() == 200 })
			got.check(t, y.want)
			mu.Lock()
			defer mu.Unlock()
			if len(problems) > 0 {
				t.Errorf("%d signatures are wrong, such as %s", len(problems), problems[0])
			}
		})
	}
}

// The example of the specification of Standard Webhooks.
func TestSignature(t *testing.T) {
	got := worker.Signature(domain.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSinkEndsWhileItsTargetHangs(t *testing.T) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hold) })
	y := newYard(t, worker.NewHTTPTarget(worker.HTTPTarget{URL: server.URL, Header: "X-Key"}, nil, 1))
	y.write(1, 100)
	y.begin()
	within(t, func() bool { return y.Lag() > 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- y.stop() }()
	select {
	case err := <-ended:
		if err != nil || y.place() != (worker.Position{}) {
			t.Errorf("ended with %v, at %s", err, y.place())
		}
	case <-ctx.Done():
		t.Fatal("it does not end")
	}
}
