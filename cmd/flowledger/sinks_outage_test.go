package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// outageVariable says for how long the targets of the outgoing trail are dead,
// with people logging in meanwhile; without it, for a moment.
const outageVariable = "FLOWLEDGER_TEST_OUTAGE"

// An arrival is an event as a target got it.
type arrival struct {
	ID     string          `json:"id"`
	Stream string          `json:"stream"`
	Header json.RawMessage `json:"header"`
}

// order is what keeps its order: the execution, else the stream.
func (a arrival) order() string {
	var h struct {
		Execution string `json:"execution"`
	}
	_ = json.Unmarshal(a.Header, &h) // every header can be read
	if h.Execution != "" {
		return "execution-" + h.Execution
	}
	return a.Stream
}

// A gate is a target that is dead until it is opened.
type gate struct {
	t       *testing.T
	address string

	mu   sync.Mutex
	got  []arrival       // guarded by mu
	seen map[string]bool // guarded by mu
}

// newGate finds a place where nobody listens.
func newGate(t *testing.T) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &gate{t: t, address: l.Addr().String(), seen: map[string]bool{}}
}

func (g *gate) listen() net.Listener {
	g.t.Helper()
	l, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = l.Close() })
	return l
}

func (g *gate) add(text []byte) {
	var a arrival
	if err := json.Unmarshal(text, &a); err != nil {
		g.t.Errorf("a record came torn: %.200q", text)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got, g.seen[a.ID] = append(g.got, a), true
}

func (g *gate) has(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen[id]
}

// ServeHTTP takes batches and webhooks.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		zip, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = zip
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return // it was cut short, and comes again
	}
	for line := range bytes.Lines(text) {
		g.add(line)
	}
}

func (g *gate) serveHTTP() {
	server := &http.Server{Handler: g}
	l := g.listen()
	go func() { _ = server.Serve(l) }()
	g.t.Cleanup(func() { _ = server.Close() })
}

// serveSyslog takes frames over TLS. The first connections end within one.
func (g *gate) serveSyslog(c tls.Certificate, torn int) {
	l := tls.NewListener(g.listen(), &tls.Config{Certificates: []tls.Certificate{c}})
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			most := -1
			if n < torn {
				most = 50
			}
			go g.frames(conn, most)
		}
	}()
}

func (g *gate) frames(conn net.Conn, most int) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for n := 0; n != most; n++ {
		length, err := r.ReadString(' ')
		if err != nil {
			return
		}
		size, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil {
			g.t.Errorf("a frame begins with %q", length)
			return
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(r, text); err != nil {
			return
		}
		_, message, _ := bytes.Cut(text, []byte("\xef\xbb\xbf"))
		g.add(message)
	}
}

// check compares what came with the ledger, and returns how many came again.
func (g *gate) check(name string, ledger []arrival) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	want, got, seen, again := map[string][]string{}, map[string][]string{}, map[string]bool{}, 0
	known := map[string]bool{}
	for _, a := range ledger {
		want[a.order()] = append(want[a.order()], a.ID)
		known[a.ID] = true
	}
	for _, a := range g.got {
		switch {
		case seen[a.ID]:
			again++
		case known[a.ID]: // what came later than the ledger was read does not count
			seen[a.ID] = true
			got[a.order()] = append(got[a.order()], a.ID)
		}
	}
	bad := 0
	for order, ids := range want {
		if !slices.Equal(ids, got[order]) {
			if bad++; bad < 4 {
				g.t.Errorf("%s: %s: %d events were written, %d came, or in another order", name, order, len(ids), len(got[order]))
			}
		}
	}
	g.t.Logf("%s: %d events, in %d executions and streams, %d lost or out of order; %d came again", name, len(ledger), len(want), bad, again)
}

// wanted reads the ledger: all that goes out by itself.
func (p *process) wanted() (all []arrival) {
	p.t.Helper()
	after := ""
	for {
		status, page := p.call(http.MethodGet, "ledger/events/?limit=1000&after="+after, nil)
		if status != http.StatusOK {
			p.t.Fatalf("read the ledger: %d %v", status, page)
		}
		text, _ := json.Marshal(page["results"])
		var part []arrival
		if err := json.Unmarshal(text, &part); err != nil {
			p.t.Fatal(err)
		}
		for _, a := range part {
			switch category, _, _ := strings.Cut(a.Stream, "-"); category {
			case "ledger", "worker", "export":
			default:
				all = append(all, a)
			}
		}
		next, _ := page["next"].(string)
		if len(part) == 0 || next == after {
			return all
		}
		after = next
	}
}

// A pace is how long steps took that check no password.
type pace struct {
	steps []time.Duration
	cpu   time.Duration
}

func (c *pace) login(p *process, who int) {
	before := p.busy()
	c.steps = append(c.steps, p.login(who)[:2]...)
	c.cpu += p.busy() - before
}

// busily logs people in for a while, here and at a server without sinks in
// turn, so that what else happens on the machine meets both.
func (p *process) busily(d time.Duration, other *process, with, without *pace) {
	p.t.Helper()
	for begun, n := time.Now(), 0; time.Since(begun) < d || n < 5; n++ {
		with.login(p, 1+n%40)
		without.login(other, 1+n%40)
	}
}

func (c *pace) part(share float64) time.Duration {
	slices.Sort(c.steps)
	return c.steps[int(float64(len(c.steps)-1)*share)]
}

// selfSigned makes a certificate for this machine, and that as an authority.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// The targets of all kinds of sinks are dead while people log in, the server is
// killed, and the targets come back: every event arrives, in the order of its
// execution, and nobody waited for it.
func TestOutageOfSinks(t *testing.T) {
	outage := 2 * time.Second
	if text := os.Getenv(outageVariable); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		outage = d
	} else if testing.Short() {
		t.Skip("starts a server on a filled folder")
	}
	p := compile(t, filepath.Join(t.TempDir(), "data"))
	other := &process{t: t, binary: p.binary, data: filepath.Join(t.TempDir(), "other"), client: p.client}
	t.Cleanup(other.stop)
	for _, one := range []*process{p, other} {
		if err := os.MkdirAll(one.data, 0o700); err != nil {
			t.Fatal(err)
		}
		fill(t, one.data, filling{flows: 20, users: 100, events: 500})
		one.start()
	}

	certificate, authority := selfSigned(t)
	batches, hooks, logs := newGate(t), newGate(t), newGate(t)
	for _, sink := range []map[string]any{
		{"name": "batches", "kind": "https", "target": "http://" + batches.address + "/in", "secret": "s3cret-of-sinks", "linger": "milliseconds=100"},
		{"name": "hooks", "kind": "webhook", "target": "http://" + hooks.address + "/hook", "secret": "s3cret-of-sinks"},
		{"name": "logs", "kind": "syslog", "target": logs.address, "ca": authority, "linger": "milliseconds=100"},
		{"name": "file", "kind": "file", "target": "siem/events.log", "linger": "milliseconds=100"},
	} {
		sink["format"], sink["start"] = "json", "beginning"
		if status, answer := p.call(http.MethodPost, "ledger/sinks/", sink); status != http.StatusCreated {
			t.Fatalf("%d %v", status, answer)
		}
	}
	var with, without pace
	p.busily(outage/2, other, &with, &without)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.exited
	p.start()
	p.busily(outage/2, other, &with, &without)
	resident, most := p.resident()
	t.Logf("%d logins in the outage; memory %d MiB, at most %d", len(with.steps)/2, resident, most)
	for _, share := range []float64{0.5, 0.95, 0.99} {
		is, was := with.part(share), without.part(share)
		t.Logf("steps that check no password, quantile %.2f: %s with dead sinks, %s without any, ratio %.2f", share, is, was, float64(is)/float64(was))
	}
	t.Logf("processor time of all logins: %s with dead sinks, %s without any", with.cpu, without.cpu)
	batches.serveHTTP()
	hooks.serveHTTP()
	logs.serveSyslog(certificate, 3)
	last := p.login(3) // with the targets back
	t.Logf("a login with the targets back: %s", last)

	ledger := p.wanted()
	end := ledger[len(ledger)-1].ID
	deadline, tick := time.After(time.Minute+outage), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for name, g := range map[string]*gate{"batches": batches, "hooks": hooks, "logs": logs} {
		for !g.all(ledger) {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%s: not all has come; the ledger ends with %s", name, end)
			}
		}
		g.check(name, ledger)
	}
	file := &gate{t: t, seen: map[string]bool{}}
	text, err := os.ReadFile(filepath.Join(p.data, "trail", "siem", "events.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		file.add(line)
	}
	file.check("file", ledger)
	p.stop()
	if log := p.log.String(); strings.Contains(log, "s3cret-of-sinks") || strings.Contains(log, "/hook") {
		t.Error("a secret, or the address of a webhook, is in the log")
	}
}

// all tells whether all of a ledger has come.
func (g *gate) all(ledger []arrival) bool {
	return !slices.ContainsFunc(ledger, func(a arrival) bool { return !g.has(a.ID) })
}
