package projections_test

import (
	"slices"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// What a month was found by goes with the month's key, and nothing else does.
func TestForgottenMonth(t *testing.T) {
	w := trail(t)
	month := func(class string) key.EpochKeyDestroyed {
		return key.EpochKeyDestroyed{Class: class, Epoch: "2026-11", First: "1", Last: w.last.String()}
	}
	found := func(f projections.AuditFilter) []string {
		t.Helper()
		w.settle()
		got, _ := heard(t, w, f, projections.Page{}, false)
		return got
	}
	ip, device := projections.AuditFilter{IP: "192.0.2.1"}, projections.AuditFilter{Device: "d1"}
	before, devices := found(ip), found(device)
	if len(before) == 0 || len(devices) == 0 {
		t.Fatalf("nothing to forget: %v and %v", before, devices)
	}
	old := month("N")
	old.First, old.Last = "", ""
	w.append(stream("key", "empty"), old)
	if got := found(ip); !slices.Equal(got, before) {
		t.Errorf("a month without events takes %v of %v", got, before)
	}
	w.append(stream("key", "t"), month("T"))
	if got := found(device); len(got) > 0 {
		t.Errorf("a device of a forgotten month: %v", got)
	}
	if got := found(ip); !slices.Equal(got, before) {
		t.Errorf("what else was said takes addresses along: %v of %v", got, before)
	}
	w.append(stream("key", "n"), month("N"))
	if got := found(ip); len(got) > 0 {
		t.Errorf("an address of a forgotten month: %v", got)
	}
}

// Sessions that went on stay where they are.
func TestForgottenMonthOfSessions(t *testing.T) {
	w := newWorld(t)
	from := codec.Meta{Client: "session:x", Network: session.Network{IP: "192.0.2.1", UserAgent: "agent"}}
	for name, begun := range map[string]time.Time{"old": start.AddDate(0, -1, 0), "new": start} {
		w.appendAs(from, stream("session", name), session.SessionBegun{Kind: "browser", Begun: begun, Expires: start.AddDate(1, 0, 0)})
	}
	w.append(stream("key", "t"), key.EpochKeyDestroyed{Class: "T", Epoch: "2026-11"})
	w.append(stream("key", "n"), key.EpochKeyDestroyed{Class: "N", Epoch: "2026-10"})
	w.run()
	w.settle()
	sessions, _, err := w.sessions.List(t.Context(), projections.SessionFilter{}, projections.Page{})
	if err != nil || len(sessions) != 2 {
		t.Fatal(sessions, err)
	}
	for _, s := range sessions {
		if want := map[bool]string{true: "192.0.2.1 agent", false: " "}[s.ID == id("new")]; s.IP+" "+s.UserAgent != want {
			t.Errorf("%s is from %q %q, want %q", s.ID, s.IP, s.UserAgent, want)
		}
	}
}

// Wherever a time falls, nothing that was recorded since is passed over.
func TestBefore(t *testing.T) {
	w := newWorld(t)
	for hour := range 7 {
		w.clock = start.Add(time.Duration(hour) * time.Hour)
		for range hour + 1 {
			w.append(stream("session", "x"), session.SessionSeen{At: w.clock})
		}
	}
	w.run()
	w.settle()
	for hour := -1; hour < 8; hour++ {
		at := start.Add(time.Duration(hour)*time.Hour - time.Minute)
		position, err := w.audit.Before(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for h := range 7 {
			if !start.Add(time.Duration(h) * time.Hour).Before(at) {
				want += h + 1
			}
		}
		if got := countAfter(t, w, position); got != want {
			t.Errorf("hour %d: %d events follow, want %d", hour, got, want)
		}
	}
}

func countAfter(t *testing.T, w *world, at eventstore.Position) (n int) {
	t.Helper()
	for _, err := range w.store.ReadAll(t.Context(), at) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// Where somebody tried a name and failed is forgotten with whose name it is.
func TestForgottenFailure(t *testing.T) {
	w := newWorld(t)
	from := codec.Meta{Client: "execution:" + id("x"), Network: session.Network{IP: "192.0.2.1", UserAgent: "agent"}}
	w.appendAs(from, stream("execution", "x"), started(), execution.LoginFailed{User: id("ada")}, execution.ExecutionExpired{})
	w.run()
	for _, known := range []bool{true, false} {
		w.settle()
		x, ok, err := w.executions.ByID(t.Context(), id("x"))
		if err != nil || !ok || x.Origin.IP.IsValid() != known {
			t.Errorf("the execution is from %+v, %t, %v; known: %t", x.Origin, ok, err, known)
		}
		w.append(stream("key", "ada"), key.SubjectKeyDestroyed{Kind: key.User, Classes: []string{"N"}, IndexedTo: w.last.String()})
	}
}
