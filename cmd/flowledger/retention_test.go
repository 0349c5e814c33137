package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// legible counts the sealed parts of the whole ledger that can be opened, by class.
func (a *app) legible(t *testing.T) map[domain.Sealed]int {
	t.Helper()
	shut, all := map[domain.Sealed]int{}, map[domain.Sealed]int{}
	for e, err := range a.store.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		d, err := a.codec.Decode(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range d.Forgotten {
			shut[f.Class]++
		}
		for _, class := range []domain.Sealed{domain.Trace, domain.Network} {
			in, err := codec.SealedIn(e, class, retention.Epoch(time.Now()))
			if err != nil {
				t.Fatal(err)
			}
			if in {
				all[class]++
			}
		}
	}
	for class := range all {
		all[class] -= shut[class]
	}
	return all
}

// aged is an app with something of each class in this month.
func aged(t *testing.T) (*app, *faulty) {
	t.Helper()
	a, f := newApp(t)
	a.load(t, leavers)
	meta := system("session:s")
	meta.Network = session.Network{IP: "192.0.2.1"}
	_, err := a.sessionHandler.Handle(t.Context(), eventstore.Stream("session", "s"), session.Begin{Kind: "browser", Now: time.Now()}, meta)
	if err != nil {
		t.Fatal(err)
	}
	invite := invitation.Write{Via: "api", Fields: invitation.Fields{"name": "guest", "fixed_data": map[string]any{"email": "guest@example.org"}}}
	if _, err := a.invitationHandler.Handle(t.Context(), eventstore.Stream("invitation", "i"), invite, system("invitation:i")); err != nil {
		t.Fatal(err)
	}
	a.sync(t)
	f.failAt(0)
	return a, f
}

func TestOldMonthsLapse(t *testing.T) {
	a, _ := aged(t)
	l := &lapse{app: a, done: map[string]bool{}}
	epoch := retention.Epoch(time.Now())
	trace, network := key.EpochID(domain.Trace, epoch), key.EpochID(domain.Network, epoch)
	due := func(months int) []string {
		t.Helper()
		ids, err := l.due(t.Context(), time.Now().AddDate(0, months, 1-time.Now().Day()), 500)
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(ids, func(id string) bool { return id != trace && id != network })
	}
	if ids := due(13); len(ids) > 0 {
		t.Errorf("after 13 months, %v is due", ids)
	}
	if ids := due(14); !slices.Equal(ids, []string{trace, network}) {
		t.Fatalf("after 14 months, %v is due", ids)
	}
	before := a.legible(t)
	if before[domain.Trace] == 0 || before[domain.Network] == 0 {
		t.Fatalf("nothing to forget: %v", before)
	}
	if err := l.end(t.Context(), network); err != nil {
		t.Fatal(err)
	}
	if now := a.legible(t); now[domain.Trace] != before[domain.Trace] || now[domain.Network] != 0 {
		t.Errorf("networks are gone: %v of %v is left", now, before)
	}
	if err := l.end(t.Context(), trace); err != nil {
		t.Fatal(err)
	}
	if now := a.legible(t); now[domain.Trace] != 0 {
		t.Errorf("traces are gone: %v of %v is left", now, before)
	}
	if ids := due(14); len(ids) > 0 {
		t.Errorf("%v is due again", ids)
	}
	a.sync(t)
	who, err := a.users.FindPerson(t.Context(), []string{"username"}, "leaver", false)
	if err != nil || !who.Exists() {
		t.Errorf("who lives on: %v, %v", who, err)
	}
	if s, _, err := a.invitationHandler.Load(t.Context(), eventstore.Stream("invitation", "i")); err != nil || s.Status != invitation.Removed {
		t.Errorf("an invitation that nobody knows the guest of is %s, %v", s.Status, err)
	}
	a.wantRecords(t, epoch, before)
}

// wantRecords checks that each month is recorded once, with all that was in it.
func (a *app) wantRecords(t *testing.T, epoch string, sealed map[domain.Sealed]int) {
	t.Helper()
	got := map[string]int64{}
	for e, err := range a.store.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		d, err := a.codec.Decode(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if gone, ok := d.Event.(key.EpochKeyDestroyed); ok {
			got[fmt.Sprintf("%s %s %t", gone.Class, gone.Epoch, gone.First != "" && gone.Last != "")] += gone.Events
		}
	}
	for class, n := range sealed {
		if name := fmt.Sprintf("%c %s true", class, epoch); got[name] != int64(n) {
			t.Errorf("recorded is %v, want %d of %s", got, n, name)
		}
	}
}

// A month whose record is refused is due again, and is recorded then.
func TestLapseSurvivesACrash(t *testing.T) {
	a, f := aged(t)
	l := &lapse{app: a, done: map[string]bool{}}
	id := key.EpochID(domain.Network, retention.Epoch(time.Now()))
	before := a.legible(t)
	f.failAt(1)
	if err := l.end(t.Context(), id); !errors.Is(err, errRefused) {
		t.Fatalf("the record is refused: %v", err)
	}
	f.failAt(0)
	if left := a.legible(t)[domain.Network]; left > 0 {
		t.Errorf("%d networks can be read without a record", left)
	}
	due, err := l.due(t.Context(), time.Now().AddDate(0, 14, 1-time.Now().Day()), 500)
	if err != nil || !slices.Contains(due, id) {
		t.Fatalf("due is %v, %v", due, err)
	}
	if err := l.end(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	delete(before, domain.Trace)
	a.wantRecords(t, retention.Epoch(time.Now()), before)
}

// A longer rule keeps what the default would not.
func TestLapseFollowsTheRule(t *testing.T) {
	a, _ := aged(t)
	l := &lapse{app: a, done: map[string]bool{}}
	longer := retention.Change{Rule: retention.Rule{Profile: "hipaa"}, Now: time.Now()}
	if _, err := a.retentionHandler.Handle(t.Context(), retentionStream, longer, system("tenant")); err != nil {
		t.Fatal(err)
	}
	for months, want := range map[int]int{14: 0, 73: 0, 75: 2} {
		due, err := l.due(t.Context(), time.Now().AddDate(0, months, 1-time.Now().Day()), 500)
		if due = slices.DeleteFunc(due, func(id string) bool { return id[2:] != retention.Epoch(time.Now()) }); err != nil || len(due) != want {
			t.Errorf("after %d months, %v is due, %v", months, due, err)
		}
	}
}

// The rule is set and shown where no server runs.
func TestRetentionCommand(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "leavers.yaml")
	if err := os.WriteFile(file, []byte(leavers), 0o600); err != nil {
		t.Fatal(err)
	}
	does(t, "", "import", "--data", data, file)
	for _, c := range []struct {
		args []string
		says []string
	}{
		{nil, []string{"default: traces 13, networks 13, rows of executions 13 months\n", "traces of " + retention.Epoch(time.Now()) + " can be opened until "}},
		{[]string{"set", "hipaa"}, []string{"hipaa: traces 73,", "by the command line to hipaa"}},
		{[]string{"set", "custom", "--traces", "6", "--networks", "2", "--rows", "13"}, []string{"hipaa: traces 73,", " on custom: traces 6, networks 2, rows of executions 13 months\n"}},
		{[]string{"show"}, []string{"hipaa: traces 73,", " on custom: traces 6,"}},
		{[]string{"set", "hipaa"}, []string{"hipaa: traces 73,"}},
	} {
		got := does(t, "", append([]string{"retention", "--data", data}, c.args...)...)
		for _, want := range c.says {
			if !strings.Contains(got, want) {
				t.Errorf("retention %q says\n%swithout %q", c.args, got, want)
			}
		}
	}
	for _, args := range [][]string{{"set"}, {"forget"}, {"set", "forever"}, {"set", "custom", "--traces", "0", "--networks", "1", "--rows", "1"}} {
		if out, stderr, status := flowledger(t, "", append([]string{"retention", "--data", data}, args...)...); status != exitUsage {
			t.Errorf("retention %q: status %d, %s%s", args, status, out, stderr)
		}
	}
}
