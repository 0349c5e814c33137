package tests

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// A postOffice is a mail server on a loopback port that takes every letter of
// who knows [mailPassword].
type postOffice struct {
	listener net.Listener

	mu    sync.Mutex
	taken []string // guarded by mu
}

func newPostOffice(tb testing.TB) *postOffice {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	o := &postOffice{listener: listener}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer c.Close()
				o.serve(c)
			})
		}
	})
	tb.Cleanup(func() { // after the server has ended
		_ = listener.Close()
		open.Wait()
	})
	return o
}

// serve leads one conversation.
func (o *postOffice) serve(c net.Conn) {
	say := func(line string) { fmt.Fprint(c, line+"\r\n") }
	known := false
	var letter strings.Builder
	inside := false
	say("220 post office")
	for lines := bufio.NewScanner(c); lines.Scan(); {
		line := lines.Text()
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case inside && line == ".":
			inside = false
			o.take(letter.String())
			say("250 2.0.0 taken")
		case inside:
			letter.WriteString(strings.TrimPrefix(line, ".") + "\n")
		case verb == "EHLO":
			say("250-post office\r\n250 AUTH PLAIN")
		case verb == "AUTH":
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			known = string(raw) == "\x00ledger\x00"+mailPassword
			say(map[bool]string{true: "235 welcome", false: "535 no"}[known])
		case verb == "MAIL" && !known:
			say("530 who are you")
		case verb == "DATA":
			inside = true
			letter.Reset()
			say("354 go on")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (o *postOffice) take(letter string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken = append(o.taken, letter)
}

func (o *postOffice) letters() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.taken...)
}

var messageID = regexp.MustCompile(`(?m)^Message-ID: (<.*>)$`)

// copies counts the letters by their Message-ID.
func (o *postOffice) copies() map[string]int {
	out := map[string]int{}
	for _, letter := range o.letters() {
		if m := messageID.FindStringSubmatch(letter); m != nil {
			out[m[1]]++
		}
	}
	return out
}
