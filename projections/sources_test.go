package projections_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// come appends to execution x, from an address; its last byte is the number of
// its autonomous system.
func (w *world) come(x, ip string, events ...codec.Event) {
	w.t.Helper()
	network := session.Network{IP: ip, UserAgent: "agent", Place: &session.Place{Country: "NL"}}
	if addr, err := netip.ParseAddr(ip); err == nil {
		last := addr.AsSlice()
		network.System = &session.System{Number: int(last[len(last)-1]), Name: fmt.Sprint("AS", last[len(last)-1])}
	}
	w.appendAs(codec.Meta{Network: network, Subject: "execution:" + id(x)}, stream("execution", x), events...)
}

func mistaken(user string) execution.LoginFailed {
	e := execution.LoginFailed{Stage: asks, Method: "password", Cause: "bad_credential"}
	if user != "" {
		e.User = id(user)
	}
	return e
}

func identified(user string) execution.SubjectIdentified {
	return execution.SubjectIdentified{User: id(user), By: "identification"}
}

func loggedIn(user string) execution.UserLoggedIn {
	return execution.UserLoggedIn{User: id(user), Session: id("s")}
}

// worst describes the sources of a time, the worst first.
func worst(w *world, by string, from, until time.Time) string {
	w.t.Helper()
	w.settle()
	list, total, err := w.sources.Top(w.t.Context(), by, from, until, projections.Page{})
	if err != nil || total != len(list) {
		w.t.Fatal(total, len(list), err)
	}
	var out []string
	for _, s := range list {
		name := s.Key
		for _, letter := range []string{"ada", "bob", "eve"} {
			if name == id(letter) {
				name = letter
			}
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %d/%d/%d of %d %s%s", name, s.Failures, s.Denials, s.Successes, s.Targets, s.Country, s.Label)))
	}
	return strings.Join(out, ", ")
}

// attacked is a world in which 192.0.2.1 tries three people and a name that
// nobody has, ada fails once at home and then succeeds, and bob is denied.
func attacked(t testing.TB) *world {
	w := newWorld(t)
	w.come("a", "192.0.2.1", started(), identified("ada"), mistaken("ada"), mistaken("ada"))
	w.come("a", "192.0.2.1", identified("bob"), mistaken("bob"))
	w.come("b", "192.0.2.1", started(), execution.IdentificationFailed{Fields: []string{"username"}, Identifier: "a-typed-password"}, mistaken(""))
	w.clock = start.Add(3 * time.Hour)
	w.come("c", "198.51.100.7", started(), identified("ada"), mistaken("ada"))
	w.come("c", "198.51.100.7", loggedIn("ada"), execution.ExecutionCompleted{User: id("ada")})
	w.clock = start.Add(50 * time.Hour)
	w.come("d", "2001:db8::9", started(), identified("bob"), execution.ExecutionDenied{Cause: "policy"})
	w.run()
	return w
}

func TestSources(t *testing.T) {
	w := attacked(t)
	end := start.Add(51 * time.Hour)
	for name, tt := range map[string]struct {
		by          string
		from, until time.Time
		want        string
	}{
		"addresses": {projections.ByIP, start, end, "192.0.2.1 5/0/0 of 2 NL, 2001:db8::9 0/1/0 of 1 NL, 198.51.100.7 1/0/1 of 1 NL"},
		"users":     {projections.ByUser, start, end, "ada 3/0/1 of 2, bob 1/1/0 of 2"},
		"systems": {
			projections.ByASN, start, end,
			"1 5/0/0 of 2 AS1, 9 0/1/0 of 1 AS9, 7 1/0/1 of 1 AS7",
		},
		"the first hour":                     {projections.ByIP, start, start.Add(time.Hour), "192.0.2.1 5/0/0 of 2 NL"},
		"the day after":                      {projections.ByIP, start.Add(24 * time.Hour), end, "2001:db8::9 0/1/0 of 1 NL"},
		"a time begins with the hour of it":  {projections.ByIP, start.Add(30 * time.Minute), start.Add(31 * time.Minute), "192.0.2.1 5/0/0 of 2 NL"},
		"whole days and the hours around":    {projections.ByUser, start.Add(2 * time.Hour), end, "bob 0/1/0 of 1, ada 1/0/1 of 1"},
		"who only succeeded is no source":    {projections.ByUser, start.Add(4 * time.Hour), end, "bob 0/1/0 of 1"},
		"nothing":                            {projections.ByIP, end.Add(time.Hour), end.Add(2 * time.Hour), ""},
		"a time that ends before it begins":  {projections.ByIP, end, start, ""},
		"targets are those of the same time": {projections.ByUser, start, start.Add(time.Hour), "ada 2/0/0 of 1, bob 1/0/0 of 1"},
	} {
		if got := worst(w, tt.by, tt.from, tt.until); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, tt.want)
		}
	}
	list, total, err := w.sources.Top(t.Context(), projections.ByIP, start, end, projections.Page{Offset: 1, Limit: 1})
	if err != nil || total != 3 || len(list) != 1 || list[0].Key != "2001:db8::9" || !list[0].First.Equal(w.clock) || !list[0].Last.Equal(w.clock) {
		t.Errorf("second: %+v of %d, %v", list, total, err)
	}
	if _, _, err := w.sources.Top(t.Context(), "shoe size", start, end, projections.Page{}); err == nil {
		t.Error("any way to tell sources apart will do")
	}
}

// Whose keys are gone takes along where all the executions came from that that
// user was met in, and stays as a number.
func TestForgottenSources(t *testing.T) {
	end := start.Add(51 * time.Hour)
	for name, tt := range map[string]struct {
		gone  codec.Event
		of    string
		want  string // addresses
		users string
	}{
		"of a user all executions": {
			key.SubjectKeyDestroyed{Kind: key.User, IndexedTo: "0"}, "ada", "192.0.2.1 2/0/0 of 0 NL, 2001:db8::9 0/1/0 of 1 NL",
			"ada 3/0/1 of 0, bob 1/1/0 of 1",
		},
		"of a user who was denied": {
			key.SubjectKeyDestroyed{Kind: key.User, IndexedTo: "0"}, "bob", "192.0.2.1 2/0/0 of 0 NL, 198.51.100.7 1/0/1 of 1 NL",
			"ada 3/0/1 of 1, bob 1/1/0 of 0",
		},
		"of one execution": {
			key.SubjectKeyDestroyed{Kind: key.Execution}, "b", "192.0.2.1 3/0/0 of 2 NL, 2001:db8::9 0/1/0 of 1 NL, 198.51.100.7 1/0/1 of 1 NL",
			"ada 3/0/1 of 2, bob 1/1/0 of 2",
		},
		"of a session nothing": {
			key.SubjectKeyDestroyed{Kind: key.Session}, "a", "192.0.2.1 5/0/0 of 2 NL, 2001:db8::9 0/1/0 of 1 NL, 198.51.100.7 1/0/1 of 1 NL",
			"ada 3/0/1 of 2, bob 1/1/0 of 2",
		},
		"of a month all addresses": {key.EpochKeyDestroyed{Class: "N", Epoch: "2026-11", First: "1", Last: "99"}, "n", "", "ada 3/0/1 of 0, bob 1/1/0 of 0"},
		"of what was said in a month nothing": {
			key.EpochKeyDestroyed{Class: "T", Epoch: "2026-11", First: "1", Last: "99"}, "t",
			"192.0.2.1 5/0/0 of 2 NL, 2001:db8::9 0/1/0 of 1 NL, 198.51.100.7 1/0/1 of 1 NL", "ada 3/0/1 of 2, bob 1/1/0 of 2",
		},
	} {
		w := attacked(t)
		w.settle()
		w.append(stream("key", tt.of), tt.gone)
		if got := worst(w, projections.ByIP, start, end); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, tt.want)
		}
		if got := worst(w, projections.ByUser, start, end); got != tt.users {
			t.Errorf("%s, users:\ngot  %s\nwant %s", name, got, tt.users)
		}
	}
}

// Where a user was met in front of an attempt of somebody else, and went away
// again, it was that user's address, too.
func TestForgottenAmongOthers(t *testing.T) {
	for name, attempts := range map[string]func(w *world){
		"identified, and another tried": func(w *world) {
			w.come("x", "192.0.2.1", started(), identified("eve"), identified("bob"), mistaken("bob"), execution.ExecutionCancelled{})
		},
		"identified in a batch before": func(w *world) {
			w.come("x", "192.0.2.1", started(), identified("eve"))
			w.settle()
			w.come("x", "192.0.2.1", identified("bob"), mistaken("bob"))
			w.settle()
			w.come("x", "192.0.2.1", execution.ExecutionExpired{})
		},
		"behind a name that nobody has": func(w *world) {
			w.come("x", "192.0.2.1", started(), execution.IdentificationFailed{}, identified("eve"), execution.ExecutionCancelled{})
		},
		"logged in when it began": func(w *world) {
			s := started()
			s.User = id("eve")
			w.come("x", "192.0.2.1", s, identified("bob"), mistaken("bob"))
		},
	} {
		w := newWorld(t)
		w.run()
		attempts(w)
		w.settle()
		if got := worst(w, projections.ByIP, start, start.Add(time.Hour)); got == "" {
			t.Fatalf("%s: nothing to forget", name)
		}
		w.append(stream("key", "eve"), key.SubjectKeyDestroyed{Kind: key.User, IndexedTo: "0"})
		if got := worst(w, projections.ByIP, start, start.Add(time.Hour)); got != "" {
			t.Errorf("%s: left %s", name, got)
		}
	}
}

// After somebody is erased, the file has no byte of where they came from, and
// it never has what was typed.
func TestNoAddressIsLeft(t *testing.T) {
	w := attacked(t)
	w.settle()
	w.append(stream("key", "ada"), key.SubjectKeyDestroyed{Kind: key.User, IndexedTo: "0"})
	w.settle()
	home := netip.MustParseAddr("198.51.100.7").As16()
	marks := map[string][]byte{"the address": home[:], "the address in words": []byte("198.51.100.7"), "what was typed": []byte("a-typed-password")}
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(w.path + suffix)
		if err != nil && suffix == "" {
			t.Fatal(err)
		}
		for name, mark := range marks {
			if bytes.Contains(text, mark) {
				t.Errorf("views.db%s has %s", suffix, name)
			}
		}
	}
}

// A rebuild gives the same, erased users included.
func TestSourcesRebuilt(t *testing.T) {
	w := attacked(t)
	w.settle()
	if err := w.vault.Forget(t.Context(), []string{"execution:" + id("c")}, 'T', 'N'); err != nil {
		t.Fatal(err)
	}
	w.append(stream("key", "c"), key.SubjectKeyDestroyed{Kind: key.Execution})
	end := start.Add(51 * time.Hour)
	want := worst(w, projections.ByIP, start, end) + worst(w, projections.ByUser, start, end)
	w2 := *w
	w2.path = w.path + "2"
	w2.open()
	w2.run()
	if got := worst(&w2, projections.ByIP, start, end) + worst(&w2, projections.ByUser, start, end); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOldSources(t *testing.T) {
	w := attacked(t)
	for _, later := range []int{1, 93} {
		w.settle() // who reads the clock is done
		w.clock = w.clock.AddDate(0, 0, later)
		w.come(fmt.Sprint(later), "192.0.2.2", started(), mistaken(""))
	}
	if got := worst(w, projections.ByIP, start, w.clock.Add(time.Hour)); got != "192.0.2.2 1/0/0 of 0 NL" {
		t.Errorf("after three months: %s", got)
	}
	if rows := dump(t, w.path)["sources"]; len(rows) != 1 {
		t.Errorf("rows: %v", rows)
	}
	if rows := dump(t, w.path)["sources_users"]; len(rows) != 0 {
		t.Errorf("users: %v", rows)
	}
}

func TestOldSourcesByRule(t *testing.T) {
	w := attacked(t)
	w.settle()
	w.clock = start.AddDate(0, 2, 0)
	w.append(stream("ledger", "l"), retention.LedgerRetentionChanged{Rows: 1, From: w.clock})
	if got := worst(w, projections.ByIP, start, w.clock); got != "" {
		t.Errorf("older than the rule: %s", got)
	}
}

// The worst are found among very many that are not.
func TestWorstAmongMany(t *testing.T) {
	w := newWorld(t)
	for hour := range 48 {
		w.clock = start.Add(time.Duration(hour) * time.Hour)
		for i := range 40 {
			var four [4]byte
			binary.BigEndian.PutUint32(four[:], 0x0a000000+uint32(hour*1000+i))
			w.come(uuid.NewString(), netip.AddrFrom4(four).String(), started(), mistaken(fmt.Sprint(i)))
		}
		if hour%12 == 0 {
			for range 3 {
				w.come(uuid.NewString(), "192.0.2.1", started(), mistaken("eve"))
			}
		}
	}
	w.run()
	got := worst(w, projections.ByIP, start, start.Add(48*time.Hour))
	if first, _, _ := strings.Cut(got, ","); first != "192.0.2.1 12/0/0 of 1 NL" {
		t.Errorf("the worst is %s", first)
	}
}
