package outside_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/handlers/outside"
)

// A clock stands still until it is set.
type clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func TestResolve(t *testing.T) {
	s := &nameserver{}
	s.set("both.test", "192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1")
	s.set("empty.test")
	w := outside.New(outside.Config{Resolver: s.start(t), Now: newClock().Now})
	tests := map[string]struct {
		host    string
		version int
		want    []string
	}{
		"version 4, each once":             {"both.test", 4, []string{"192.0.2.1", "192.0.2.2"}},
		"version 6":                        {"both.test", 6, []string{"2001:db8::1"}},
		"case is no difference":            {"BOTH.test", 6, []string{"2001:db8::1"}},
		"a name that nobody knows":         {"nowhere.test", 0, []string{}},
		"a name without addresses":         {"empty.test", 0, []string{}},
		"an address is its own":            {"192.0.2.9", 0, []string{"192.0.2.9"}},
		"an address of another version":    {"192.0.2.9", 6, []string{}},
		"a version that there is not":      {"both.test", 5, []string{}},
		"no name":                          {"", 0, []string{}},
		"a name with a line break":         {"both.test\n", 0, []string{}},
		"a name with a null character":     {"both\x00.test", 0, []string{}},
		"a name that is longer than names": {strings.Repeat("a.", 126) + "test", 0, []string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, w.Resolve(t.Context(), tt.host, tt.version)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := w.Resolve(t.Context(), "both.test", 0); len(got) != 3 {
		t.Errorf("both versions: got %q, want three addresses", got)
	}
}

func TestAnswersAreKept(t *testing.T) {
	s := &nameserver{names: map[string]string{"1.2.0.192.in-addr.arpa": "a.test"}}
	s.set("a.test", "192.0.2.1")
	c := newClock()
	w := outside.New(outside.Config{Resolver: s.start(t), Now: c.Now})
	questions := map[string]func(){
		"a.test":                 func() { w.Resolve(t.Context(), "a.test", 4) },
		"none.test":              func() { w.Resolve(t.Context(), "none.test", 4) },
		"1.2.0.192.in-addr.arpa": func() { w.Reverse(t.Context(), "192.0.2.1") },
		"2.2.0.192.in-addr.arpa": func() { w.Reverse(t.Context(), "192.0.2.2") },
	}
	for name, ask := range questions {
		ask()
		once := s.times(name)
		if c.pass(179 * time.Second); once == 0 {
			t.Errorf("%s: nobody was asked", name)
		}
		if ask(); s.times(name) != once {
			t.Errorf("%s: asked again before three minutes were over", name)
		}
		c.pass(time.Second)
		if ask(); s.times(name) != 2*once {
			t.Errorf("%s: not asked again after three minutes", name)
		}
	}
	w.Resolve(t.Context(), "a.test", 4)[0] = "changed"
	if got := w.Resolve(t.Context(), "a.test", 4); got[0] != "192.0.2.1" {
		t.Errorf("got %q: what is kept was changed from outside", got)
	}
}

func TestKeptAnswersAreBounded(t *testing.T) {
	s := &nameserver{}
	c := newClock()
	w := outside.New(outside.Config{Resolver: s.start(t), Now: c.Now})
	for i := range 33 {
		w.Resolve(t.Context(), fmt.Sprintf("n%d.test", i), 4)
		c.pass(time.Second)
	}
	first, last := s.times("n0.test"), s.times("n32.test")
	w.Resolve(t.Context(), "n32.test", 4)
	w.Resolve(t.Context(), "n0.test", 4)
	if s.times("n32.test") != last || s.times("n0.test") == first {
		t.Error("the oldest answer of 33 should have made room, and no other")
	}
}

func TestReverse(t *testing.T) {
	s := &nameserver{names: map[string]string{
		"1.2.0.192.in-addr.arpa": "host.test",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": "six.test",
	}}
	w := outside.New(outside.Config{Resolver: s.start(t), Now: newClock().Now})
	for ip, want := range map[string]string{
		"192.0.2.1": "host.test", "::ffff:192.0.2.1": "host.test", "2001:db8::1": "six.test",
		"192.0.2.3": "192.0.2.3", "no address": "no address", "": "", "fe80::1%eth0": "fe80::1%eth0",
	} {
		if got := w.Reverse(t.Context(), ip); got != want {
			t.Errorf("%q: got %q, want %q", ip, got, want)
		}
	}
}

// A policy that runs out of time says nothing about the name.
func TestAMuteServerIsNotRemembered(t *testing.T) {
	s := &nameserver{mute: true}
	s.set("a.test", "192.0.2.1")
	w := outside.New(outside.Config{Resolver: s.start(t), Now: newClock().Now})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got := w.Resolve(ctx, "a.test", 4); len(got) != 0 {
		t.Errorf("got %q of a server that says nothing", got)
	}
	if got := w.Reverse(ctx, "192.0.2.1"); got != "192.0.2.1" {
		t.Errorf("reverse: got %q, want the address", got)
	}
	s.mu.Lock()
	s.mute = false
	s.mu.Unlock()
	if got := w.Resolve(t.Context(), "a.test", 4); len(got) != 1 {
		t.Errorf("later: got %q, want the address", got)
	}
}
