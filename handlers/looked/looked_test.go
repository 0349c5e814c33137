package looked_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/command"
	"github.com/flowledger/flowledger/handlers/looked"
)

func init() {
	codec.Register[audit.AuditQueried](1)
	codec.Register[audit.AuditExported](1)
	codec.Register[audit.AuditExecutionInspected](1)
	codec.Register[audit.AuditAccessRefused](1)
}

// A desk is a recorder with a ledger of its own and a clock to turn.
type desk struct {
	t     *testing.T
	now   time.Time
	store eventstore.Store
	codec *codec.Codec
	vault *vault.Vault
	made  int
	*looked.Recorder
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	v, err := vault.Open(vault.Memory, [32]byte{1}, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	d.store, d.vault = memory.New(clock), v
	d.codec = &codec.Codec{Vault: v, Tenant: "t", Leak: func(event, key string) { t.Errorf("%s leaks %s", event, key) }}
	d.Recorder = &looked.Recorder{
		Audits: &command.Handler[audit.State]{Store: d.store, Codec: d.codec}, Now: clock,
		NewID: func() string { d.made++; return fmt.Sprintf("made-%d", d.made) },
	}
	return d
}

// events are what the ledger has.
func (d *desk) events() (out []codec.Decoded) {
	d.t.Helper()
	for recorded, err := range d.store.ReadAll(d.t.Context(), eventstore.Position{}) {
		if err != nil {
			d.t.Fatal(err)
		}
		e, err := d.codec.Decode(d.t.Context(), recorded)
		if err != nil {
			d.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// told are the events in words: who, what, and for how many requests.
func (d *desk) told() []string {
	out := []string{}
	for _, e := range d.events() {
		switch event := e.Event.(type) {
		case audit.AuditQueried:
			out = append(out, fmt.Sprint(event.By, " asked ", event.View, " ", event.Values, " x", event.Requests))
		case audit.AuditExecutionInspected:
			out = append(out, fmt.Sprint(event.By, " inspected ", event.Execution, " x", event.Requests))
		case audit.AuditAccessRefused:
			out = append(out, strings.TrimSpace(fmt.Sprint(event.By, " refused ", event.View, event.Event)))
		}
	}
	return out
}

func (d *desk) settle() {
	d.t.Helper()
	due, err := d.Due(d.t.Context(), d.now, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, id := range due {
		if err := d.Settle(d.t.Context(), id); err != nil {
			d.t.Fatal(err)
		}
	}
}

var requests int

func by(user string) session.Caller {
	requests++
	return session.Caller{
		User: user, Request: fmt.Sprintf("r%d", requests), Method: "GET", Route: "/x/", Network: session.Network{IP: "192.0.2.1"},
	}
}

func TestRecorder(t *testing.T) {
	all := looked.Look{View: "events", Count: 3}
	adas := looked.Look{View: "events", Count: 1, Filters: map[string]string{"username": "ada"}, Opened: []string{"N"}, About: "u-ada"}
	ask := func(who string, l looked.Look) func(*desk) error {
		return func(d *desk) error { return d.Queried(d.t.Context(), by(who), l) }
	}
	inspect := func(who, x string) func(*desk) error {
		return func(d *desk) error { return d.Inspected(d.t.Context(), by(who), x, true) }
	}
	refuse := func(who, event string) func(*desk) error {
		return func(d *desk) error {
			return d.Refused(d.t.Context(), by(who), looked.Refusal{View: "events", Event: event})
		}
	}
	pass := func(d time.Duration) func(*desk) error {
		return func(k *desk) error { k.now = k.now.Add(d); k.settle(); return nil }
	}
	tests := map[string]struct {
		steps []func(*desk) error
		want  []string
	}{
		"a look is recorded":                   {[]func(*desk) error{ask("a", adas)}, []string{"a asked events map[username:ada] x1"}},
		"asking the same again is counted":     {[]func(*desk) error{ask("a", all), ask("a", all), ask("a", all)}, []string{"a asked events map[] x1"}},
		"the number follows":                   {[]func(*desk) error{ask("a", all), ask("a", all), ask("a", all), pass(5 * time.Minute)}, []string{"a asked events map[] x1", "a asked events map[] x2"}},
		"or goes with the next look":           {[]func(*desk) error{ask("a", all), ask("a", all), func(d *desk) error { d.now = d.now.Add(5 * time.Minute); return nil }, ask("a", all)}, []string{"a asked events map[] x1", "a asked events map[] x2"}},
		"once is no number":                    {[]func(*desk) error{ask("a", all), pass(5 * time.Minute)}, []string{"a asked events map[] x1"}},
		"after the time it is recorded anew":   {[]func(*desk) error{ask("a", all), pass(5 * time.Minute), ask("a", all)}, []string{"a asked events map[] x1", "a asked events map[] x1"}},
		"before, it is not":                    {[]func(*desk) error{ask("a", all), pass(5*time.Minute - 1), ask("a", all)}, []string{"a asked events map[] x1"}},
		"another question is another look":     {[]func(*desk) error{ask("a", all), ask("a", adas)}, []string{"a asked events map[] x1", "a asked events map[username:ada] x1"}},
		"another person is another look":       {[]func(*desk) error{ask("a", all), ask("b", all)}, []string{"a asked events map[] x1", "b asked events map[] x1"}},
		"an inspector that refreshes itself":   {[]func(*desk) error{inspect("a", "x"), inspect("a", "x"), pass(5 * time.Minute)}, []string{"a inspected x x1", "a inspected x x1"}},
		"another execution":                    {[]func(*desk) error{inspect("a", "x"), inspect("a", "y")}, []string{"a inspected x x1", "a inspected y x1"}},
		"a refusal is recorded once a minute":  {[]func(*desk) error{refuse("a", ""), refuse("a", ""), pass(time.Minute), refuse("a", "")}, []string{"a refused events", "a refused events"}},
		"the refusal of each event":            {[]func(*desk) error{refuse("a", "1"), refuse("a", "2"), refuse("a", "1")}, []string{"a refused events1", "a refused events2"}},
		"strangers are one":                    {[]func(*desk) error{refuse("", ""), refuse("", "")}, []string{"refused events"}},
		"what filters say does not come twice": {[]func(*desk) error{ask("a", adas), ask("a", adas), pass(time.Hour)}, []string{"a asked events map[username:ada] x1", "a asked events map[] x1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			for _, step := range tt.steps {
				if err := step(d); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, d.told()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// What was asked for is sealed for who was asked for; the looker's address for
// the looker.
func TestSealed(t *testing.T) {
	d := newDesk(t)
	c := by("auditor")
	if err := d.Queried(t.Context(), c, looked.Look{View: "events", Filters: map[string]string{"username": "ada"}, About: "u-ada"}); err != nil {
		t.Fatal(err)
	}
	e := d.events()[0]
	if strings.Contains(string(e.Payload)+string(e.Recorded.Header), "ada") || strings.Contains(string(e.Payload)+string(e.Recorded.Header), "192.0.2.1") {
		t.Errorf("clear: %s %s", e.Recorded.Header, e.Payload)
	}
	for _, subject := range []string{"user:u-ada", "user:auditor"} {
		if !strings.Contains(string(e.Sealed), subject) {
			t.Errorf("nothing is sealed for %s", subject)
		}
	}
	if e.Stream != eventstore.Stream("audit", c.Request) || e.Header.Actor.ID != "auditor" || len(e.Network) == 0 {
		t.Errorf("stream %s, actor %+v, network %s", e.Stream, e.Header.Actor, e.Network)
	}
}

// A look that cannot be recorded is not answered, and the next one tries again.
func TestFailsClosed(t *testing.T) {
	d := newDesk(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := d.Queried(gone, by("a"), looked.Look{View: "events"}); err == nil {
			t.Error("a look that was not recorded is answered")
		}
	}
	if err := d.Queried(t.Context(), by("a"), looked.Look{View: "events"}); err != nil || len(d.events()) != 1 {
		t.Errorf("%v, %d events", err, len(d.events()))
	}
}

// Whoever may not look cannot fill the ledger by asking for ever more things.
func TestFloods(t *testing.T) {
	d := newDesk(t)
	const things = 5000
	for i := range things {
		if err := d.Refused(t.Context(), by("eve"), looked.Refusal{View: "events", Event: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.events()); n == 0 || n >= things {
		t.Errorf("%d refusals on record of %d", n, things)
	}
	if err := d.Queried(t.Context(), by("auditor"), looked.Look{View: "events"}); err != nil || !strings.HasPrefix(d.told()[len(d.told())-1], "auditor asked") {
		t.Errorf("a look in a flood: %v, %s", err, d.told()[len(d.told())-1])
	}
}

// Whoever looks for somebody who is erased is recorded all the same, and the
// question is the looker's own.
func TestLooksAtTheErased(t *testing.T) {
	d := newDesk(t)
	if err := d.vault.Forget(t.Context(), []string{"user:gone"}, 'P', 'T', 'N'); err != nil {
		t.Fatal(err)
	}
	c := session.Caller{User: "auditor", Request: "r"}
	look := looked.Look{View: "changes", Filters: map[string]string{"object": "gone"}, Count: 1, About: "gone"}
	if err := d.Queried(t.Context(), c, look); err != nil {
		t.Fatal(err)
	}
	all := d.events()
	if len(all) != 1 {
		t.Fatalf("%d events", len(all))
	}
	if event, ok := all[0].Event.(audit.AuditQueried); !ok || event.By != "auditor" || event.Values["object"] != "gone" {
		t.Errorf("recorded is %+v", all[0].Event)
	}
}

// Each export is on record by itself, under its own id, and what was asked for
// is sealed.
func TestExported(t *testing.T) {
	d := newDesk(t)
	c, id := by("ann"), uuid.NewString()
	if err := d.Queried(t.Context(), c, looked.Look{View: "export"}); err != nil {
		t.Fatal(err)
	}
	for _, export := range []string{id, uuid.NewString()} {
		e := audit.AuditExported{Export: export, Format: "csv", Count: 3, By: "ann", Filters: map[string]string{"user": "hidden-filter"}, Purpose: "hidden-purpose"}
		if err := d.Exported(t.Context(), c, e, "bob"); err != nil {
			t.Fatal(err)
		}
	}
	all := d.events()
	if len(all) != 3 || all[1].ID.String() != id || all[1].Stream == all[0].Stream || all[1].Stream == all[2].Stream {
		t.Fatalf("recorded %d events, %+v", len(all), all)
	}
	exported, ok := all[1].Event.(audit.AuditExported)
	if clear := string(all[1].Payload); !ok || exported.Purpose != "hidden-purpose" || exported.Count != 3 || strings.Contains(clear, "hidden") {
		t.Errorf("recorded %+v, %s", exported, all[1].Payload)
	}
}
