package worker_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/handlers/worker"
)

// A post is a letter that a server took.
type post struct {
	from string
	to   []string
	text string
}

// header is one of a letter's headers.
func (p post) header(t *testing.T, name string) string {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(p.text))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header.Get(name)
}

// manners are how a server treats one connection. What is empty goes well.
type manners struct {
	greeting, from, rcpt, data, done string        // answers instead of the usual
	hangUp                           bool          // after it has taken the letter, before it says so
	leave                            bool          // after it has said so
	hold                             chan struct{} // it says nothing before this is closed
}

// A postOffice is a mail server on a loopback port.
type postOffice struct {
	t        *testing.T
	listener net.Listener
	secret   string      // user NUL password that it wants to hear; empty for nobody's
	secure   *tls.Config // for STARTTLS; nil for none
	implicit bool

	mu    sync.Mutex
	treat func(n int, to string) manners // the n-th connection; guarded by mu
	count int                            // of connections; guarded by mu
	taken []post                         // guarded by mu
}

func newPostOffice(t *testing.T, edits ...func(*postOffice)) *postOffice {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &postOffice{t: t, listener: listener}
	for _, edit := range edits {
		edit(o)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			o.mu.Lock()
			o.count++
			n := o.count
			o.mu.Unlock()
			open.Go(func() { o.serve(c, n) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return o
}

// server is how a client reaches it.
func (o *postOffice) server() *worker.SMTP {
	port := o.listener.Addr().(*net.TCPAddr).Port
	s := &worker.SMTP{Host: "127.0.0.1", Port: port, TLS: worker.Clear, From: &netmail.Address{Name: "Ledger", Address: "noreply@example.test"}}
	if user, password, ok := strings.Cut(o.secret, "\x00"); ok {
		s.User, s.Password = user, domain.NewSecret(password)
	}
	return s
}

func (o *postOffice) letters() []post {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]post(nil), o.taken...)
}

func (o *postOffice) connections() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count
}

// A desk is one conversation.
type desk struct {
	*postOffice
	c  net.Conn
	in *bufio.Reader
	m  manners
	p  post
	n  int
	ok bool // the client has said who it is
}

func (o *postOffice) serve(c net.Conn, n int) {
	if o.implicit {
		c = tls.Server(c, o.secure)
	}
	d := &desk{postOffice: o, c: c, in: bufio.NewReader(c), n: n, ok: o.secret == ""}
	defer func() { _ = d.c.Close() }()
	d.judge("")
	d.say(or(d.m.greeting, "220 post office"))
	for {
		line, err := d.in.ReadString('\n')
		if err != nil || !d.answer(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

// judge asks how to treat this conversation.
func (d *desk) judge(to string) {
	d.mu.Lock()
	treat := d.treat
	d.mu.Unlock()
	if treat != nil {
		d.m = treat(d.n, to)
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (d *desk) say(line string) { _, _ = io.WriteString(d.c, line+"\r\n") }

// answer answers one line, and tells whether the conversation goes on.
func (d *desk) answer(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		d.say("250-post office")
		if d.secure != nil && !d.implicit {
			d.say("250-STARTTLS")
		}
		d.say("250-AUTH PLAIN LOGIN")
		d.say("250 8BITMIME")
	case "STARTTLS":
		d.say("220 go ahead")
		d.c = tls.Server(d.c, d.secure)
		d.in = bufio.NewReader(d.c)
	case "AUTH":
		_, said, _ := strings.Cut(rest, " ")
		raw, _ := base64.StdEncoding.DecodeString(said)
		if d.ok = string(raw) == "\x00"+d.secret; d.ok {
			d.say("235 welcome")
		} else {
			d.say("535 5.7.8 no, not with " + said + " which is " + string(raw[max(0, len(raw)-8):]))
		}
	case "MAIL":
		if !d.ok {
			d.say("530 who are you")
			return true
		}
		d.p = post{from: rest}
		d.say(or(d.m.from, "250 ok"))
	case "RCPT":
		d.judge(rest)
		d.p.to = append(d.p.to, strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>"))
		d.say(or(d.m.rcpt, "250 ok"))
	case "DATA":
		if d.m.data != "" {
			d.say(d.m.data)
			return true
		}
		d.say("354 go on")
		return d.take()
	case "QUIT":
		d.say("221 bye")
		return false
	default:
		d.say("250 ok")
	}
	return true
}

// take reads a letter up to the dot.
func (d *desk) take() bool {
	var text strings.Builder
	for {
		line, err := d.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	if d.m.hold != nil {
		<-d.m.hold
	}
	if d.m.done != "" {
		d.say(d.m.done)
		return true
	}
	d.p.text = text.String()
	d.mu.Lock()
	d.taken = append(d.taken, d.p)
	n := len(d.taken)
	d.mu.Unlock()
	if d.m.hangUp {
		return false
	}
	d.say(fmt.Sprintf("250 2.0.0 queued as Q%d", n))
	return !d.m.leave
}
