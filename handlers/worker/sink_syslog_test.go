package worker_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowledger/flowledger/handlers/worker"
)

// A certificate that signs itself, and that as an authority.
func certificate(t *testing.T, until time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.Add(-48 * time.Hour), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"siem.example.org"},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// A logHost is a syslog server over TLS. How it treats each connection, the
// plan says; when that is over, it takes all.
type logHost struct {
	receipts
	t       *testing.T
	address string
	close   func()
	done    chan struct{} // closed with it

	mu    sync.Mutex
	plan  []func(conn net.Conn, h *logHost) // guarded by mu
	calls int                               // guarded by mu
}

func newLogHost(t *testing.T, c tls.Certificate, address string, plan ...func(net.Conn, *logHost)) *logHost {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	h := &logHost{t: t, address: listener.Addr().String(), plan: plan, done: make(chan struct{})}
	var group sync.WaitGroup
	done := h.done
	h.close = sync.OnceFunc(func() {
		close(done)
		_ = listener.Close()
		group.Wait()
	})
	t.Cleanup(h.close)
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			treat := (*logHost).takeAll
			if h.calls < len(h.plan) {
				planned := h.plan[h.calls]
				treat = func(h *logHost, conn net.Conn) { planned(conn, h) }
			}
			h.calls++
			h.mu.Unlock()
			group.Go(func() {
				defer conn.Close()
				stop := make(chan struct{})
				defer close(stop)
				go func() {
					select {
					case <-done:
					case <-stop:
					}
					_ = conn.Close()
				}()
				treat(h, tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{c}}))
			})
		}
	})
	return h
}

func (h *logHost) connections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

// take reads frames (RFC 5425, 4.3).
func (h *logHost) take(conn net.Conn, frames int) {
	r := bufio.NewReader(conn)
	for n := 0; frames < 0 || n < frames; n++ {
		length, err := r.ReadString(' ')
		if err != nil {
			return
		}
		size, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil {
			h.t.Errorf("a frame begins with %q", length)
			return
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(r, text); err != nil {
			return
		}
		h.add(text)
	}
}

func (h *logHost) takeAll(conn net.Conn) { h.take(conn, -1) }

// The ways to treat a connection.
func takes(frames int) func(net.Conn, *logHost) {
	return func(conn net.Conn, h *logHost) {
		h.take(conn, frames)
		_ = conn.Close() // it says so (close_notify), and leaves the rest unread
	}
}

// dies takes some frames and goes without a word, in the middle of the next.
func dies(frames int) func(net.Conn, *logHost) {
	return func(conn net.Conn, h *logHost) {
		h.take(conn, frames)
		_, _ = conn.Read(make([]byte, 5))
		inner := conn.(*tls.Conn).NetConn().(*net.TCPConn)
		_ = inner.SetLinger(0)
		_ = inner.Close()
	}
}

// hangs up before anything is agreed on.
func noHandshake(conn net.Conn, _ *logHost) { _ = conn.(*tls.Conn).NetConn().Close() }

func TestSyslogSinkLosesNothing(t *testing.T) {
	good, authority := certificate(t, time.Now().Add(time.Hour))
	tests := map[string][]func(net.Conn, *logHost){
		"a server that takes all":              {},
		"one that takes leave":                 {takes(30), takes(0), takes(55)},
		"one that dies within a frame":         {dies(10), dies(0), dies(1), dies(60)},
		"one that does not get to a handshake": {noHandshake, noHandshake, noHandshake},
	}
	for name, plan := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newLogHost(t, good, "127.0.0.1:0", plan...)
			encrypted, err := worker.TLSConfig(authority, "")
			if err != nil {
				t.Fatal(err)
			}
			y := newYard(t, worker.NewSyslogTarget(h.address, encrypted, 0))
			y.write(5, 20)
			y.begin()
			within(t, func() bool { return h.different() == 100 })
			y.write(5, 20)
			within(t, func() bool { return h.different() == 200 })
			h.check(t, y.want)
			if n := h.connections(); n <= len(plan) {
				t.Errorf("there were %d connections only", n)
			}
		})
	}
}

// What was written, acknowledged by the network and never read goes out again
// on the next connection.
func TestSyslogRepeatsWhatWasUnread(t *testing.T) {
	good, authority := certificate(t, time.Now().Add(time.Hour))
	release := make(chan struct{})
	h := newLogHost(t, good, "127.0.0.1:0", func(conn net.Conn, _ *logHost) {
		_ = conn.(*tls.Conn).Handshake()
		<-release // it reads nothing
		_ = conn.(*tls.Conn).NetConn().Close()
	})
	encrypted, err := worker.TLSConfig(authority, "")
	if err != nil {
		t.Fatal(err)
	}
	y := newYard(t, worker.NewSyslogTarget(h.address, encrypted, 0))
	y.write(5, 20)
	y.begin()
	within(t, func() bool { return y.Status().Untold >= 0 && y.Lag() == 0 })
	close(release)
	y.write(5, 1)
	within(t, func() bool { return h.different() == 105 })
	if repeated := h.check(t, y.want); repeated != 0 {
		t.Errorf("%d came more than once, and nobody had read them", repeated)
	}
}

// A server that is there and reads no more is given up after a while.
func TestSyslogServerThatHangs(t *testing.T) {
	good, authority := certificate(t, time.Now().Add(time.Hour))
	h := newLogHost(t, good, "127.0.0.1:0", func(conn net.Conn, h *logHost) {
		inner := conn.(*tls.Conn).NetConn().(*net.TCPConn)
		_ = inner.SetReadBuffer(4096)
		_ = conn.(*tls.Conn).Handshake()
		<-h.done
	})
	encrypted, err := worker.TLSConfig(authority, "")
	if err != nil {
		t.Fatal(err)
	}
	y := newYard(t, worker.NewSyslogTarget(h.address, encrypted, 100*time.Millisecond))
	y.Batch = 1000
	y.write(20, 100) // what the system takes is not what the server has
	y.begin()
	within(t, func() bool { return h.different() == 2000 })
	h.check(t, y.want)
}

func TestSyslogCertificates(t *testing.T) {
	expired, old := certificate(t, time.Now().Add(-time.Hour))
	good, authority := certificate(t, time.Now().Add(time.Hour))
	h := newLogHost(t, expired, "127.0.0.1:0")
	trusting := func(pem, name string) *tls.Config {
		c, err := worker.TLSConfig(pem, name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	encrypted := trusting(old+authority, "")
	y := newYard(t, worker.NewSyslogTarget(h.address, encrypted, 0))
	y.write(1, 10)
	y.begin()
	within(t, func() bool { return len(y.news()) > 0 })
	if got := y.news()[0]; got != "failed: certificate expired" {
		t.Errorf("the ledger was told %q", got)
	}
	h.close()
	h = newLogHost(t, good, h.address) // somebody has seen to it
	within(t, func() bool { return h.different() == 10 })
	for want, c := range map[string]*tls.Config{
		"certificate of an unknown authority": trusting(old, ""), "certificate of another host": trusting(authority, "other.example.org"),
	} {
		target := worker.NewSyslogTarget(h.address, c, 0)
		_, err := target.Send(t.Context(), []worker.Item{{Body: []byte(`{}`)}})
		if err == nil || worker.Explain(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	named := worker.NewSyslogTarget(h.address, trusting(authority, "siem.example.org"), 0)
	if _, err := named.Send(t.Context(), []worker.Item{{Body: []byte(`{"ID":"x"}`)}}); err != nil {
		t.Errorf("by the name that is expected: %v", err)
	}
	_ = named.Close()
}
