package tests

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// follow opens a stream of the ledger.
func (s *server) follow(tb testing.TB, last string) (*bufio.Reader, io.Closer) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, s.base+"/api/v3/ledger/stream/?after=0", nil)
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil || a.StatusCode != http.StatusOK {
		tb.Fatal(a, err)
	}
	return bufio.NewReader(a.Body), a.Body
}

// nextPosition reads a stream up to the next event, and returns its position
// and type.
func nextPosition(in *bufio.Reader) (at, kind string, err error) {
	for data := false; ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return at, kind, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			at = value
		case "event":
			kind = value
		case "data":
			data = true
		case "":
			if data {
				return at, kind, nil
			}
		}
	}
}

// A stream has each event once, in order, while people log in and while the
// server ends and comes back; and no stream keeps it from ending.
func TestStreamOverARestart(t *testing.T) {
	s := startPlain(t)
	expected, logins := 0, 0
	read := func(in *bufio.Reader, until int) {
		t.Helper()
		for logins < until {
			at, kind, err := nextPosition(in)
			if expected++; err != nil || at != strconv.Itoa(expected) {
				t.Fatalf("event %d is %s at %s, %v", expected, kind, at, err)
			}
			if kind == "UserLoggedIn" {
				logins++
			}
		}
	}
	in, body := s.follow(t, "")
	defer body.Close()
	for round := 1; round <= 3; round++ {
		if _, err := s.browser().login("default-authentication-flow", "akadmin", adminPassword); err != nil {
			t.Fatal(err)
		}
		read(in, round)
	}
	begun := time.Now()
	if err := s.stop(); err != nil || time.Since(begun) > 6*time.Second {
		t.Errorf("with a stream open, the server took %v to end: %v", time.Since(begun), err)
	}
	for {
		// What happened last, such as the end of the program, may be on its way.
		at, kind, err := nextPosition(in)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Logf("the stream ended with %v", err)
			}
			break
		}
		if expected++; at != strconv.Itoa(expected) {
			t.Fatalf("event %d is %s at %s", expected, kind, at)
		}
	}
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	again, body := s.follow(t, fmt.Sprint(expected))
	defer body.Close()
	if _, err := s.browser().login("default-authentication-flow", "akadmin", adminPassword); err != nil {
		t.Fatal(err)
	}
	read(again, 4)
}
