package projections_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// from says of an append who acts, and from where.
func from(actor, ip string) codec.Meta {
	m := codec.Meta{Subject: "user:" + actor, Client: "user:" + actor, Network: session.Network{IP: ip}}
	m.Actor = codec.Actor{Kind: "admin", ID: actor}
	m.Brand = id("brand of " + actor)
	return m
}

// trail is a ledger of a few listed events, one an hour.
func trail(t *testing.T) *world {
	w := newWorld(t)
	ann, bob := id("ann"), id("bob")
	hour := func() { w.clock = w.clock.Add(time.Hour) }
	w.appendAs(from(ann, "192.0.2.1"), stream("object", "f"), created(object.FlowModel, "f", map[string]any{"slug": "f"}))
	hour()
	w.appendAs(from(bob, "2001:db8::1"), stream("object", "f"), object.ObjectChanged{Kind: object.FlowModel, Name: "f"})
	hour()
	w.appendAs(from(ann, "192.0.2.1"), stream("user", "eve"), ada())
	hour()
	w.appendAs(from(bob, "192.0.2.1"), stream("group", "g"), group.GroupCreated{Name: "g"})
	hour()
	w.appendAs(from(ann, "192.0.2.7"), stream("audit", "1"), audit.AuditCustomRecorded{Action: "custom_x", App: "a", By: ann, Context: map[string]any{
		"device": map[string]any{"pk": "d1"}, "authorized_application": map[string]any{"pk": "a1"}, "model": map[string]any{"app": "Other", "model_name": "Thing", "pk": "7"},
	}})
	hour()
	w.appendAs(from(bob, "192.0.2.7"), stream("audit", "2"), audit.AuditCustomRecorded{Action: "custom_x", App: "a", By: bob, Context: map[string]any{
		"authorized_application": map[string]any{"pk": "a1"},
	}})
	hour()
	in := codec.Meta{Subject: "execution:" + id("x"), Network: session.Network{IP: "198.51.100.1"}}
	in.Execution = id("x")
	w.appendAs(in, stream("execution", "x"), started(), execution.SubjectIdentified{User: ann}, execution.LoginFailed{User: ann})
	w.run()
	w.settle()
	return w
}

// heard is what a filter finds: the actions, and the hours they were in.
func heard(t *testing.T, w *world, f projections.AuditFilter, p projections.Page, oldest bool) ([]string, int) {
	t.Helper()
	f.AnyAction = true
	found, total, exact, err := w.audit.List(t.Context(), f, oldest, p)
	if err != nil || !exact {
		t.Fatal(exact, err)
	}
	out := []string{}
	for _, e := range found {
		out = append(out, fmt.Sprintf("%s@%d", e.Action, e.At.Sub(start)/time.Hour))
	}
	return out, total
}

func TestAuditFilters(t *testing.T) {
	w := trail(t)
	ann, bob, at := id("ann"), id("bob"), func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour) }
	type f = projections.AuditFilter
	for name, tt := range map[string]struct {
		f
		want []string
	}{
		"all":                         {f{}, []string{"login_failed@6", "custom_x@5", "custom_x@4", "model_created@3", "model_created@2", "model_updated@1", "model_created@0"}},
		"a user's":                    {f{Users: []string{bob}}, []string{"custom_x@5", "model_created@3", "model_updated@1"}},
		"an action of a user":         {f{Users: []string{bob}, Actions: []string{"model_created"}}, []string{"model_created@3"}},
		"an address":                  {f{IP: "192.0.2.1"}, []string{"model_created@3", "model_created@2", "model_created@0"}},
		"an address of six":           {f{IP: "2001:db8::1"}, []string{"model_updated@1"}},
		"the address of an execution": {f{IP: "198.51.100.1"}, []string{"login_failed@6"}},
		"no such address":             {f{IP: "192.0.2.2"}, []string{}},
		"an app":                      {f{App: "authentik_flows"}, []string{"model_updated@1", "model_created@0"}},
		"a model":                     {f{Model: "USER"}, []string{"model_created@2"}},
		"a model of a note":           {f{App: "other", Model: "thing"}, []string{"custom_x@4"}},
		"a thing":                     {f{About: []string{id("f")}}, []string{"model_updated@1", "model_created@0"}},
		"a thing without dashes":      {f{About: []string{strings.ReplaceAll(id("f"), "-", "")}}, []string{"model_updated@1", "model_created@0"}},
		"a thing with a number":       {f{About: []string{"7"}}, []string{"custom_x@4"}},
		"a device":                    {f{Device: "d1"}, []string{"custom_x@4"}},
		"an application":              {f{Application: "a1"}, []string{"custom_x@5", "custom_x@4"}},
		"a brand":                     {f{Brands: []string{id("brand of " + ann)}}, []string{"custom_x@4", "model_created@2", "model_created@0"}},
		"since":                       {f{From: at(5)}, []string{"login_failed@6", "custom_x@5"}},
		"until":                       {f{Until: at(1)}, []string{"model_created@0"}},
		"between":                     {f{From: at(1), Until: at(3)}, []string{"model_created@2", "model_updated@1"}},
		"in the future":               {f{From: at(99)}, []string{}},
		"in the past":                 {f{Until: at(-1)}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, total := heard(t, w, tt.f, projections.Page{}, false)
			if diff := cmp.Diff(tt.want, got); diff != "" || total != len(tt.want) {
				t.Errorf("%d (-want +got):\n%s", total, diff)
			}
			if len(tt.want) > 1 {
				got, total := heard(t, w, tt.f, projections.Page{Offset: 1, Limit: 1}, true)
				if !slices.Equal(got, []string{tt.want[len(tt.want)-2]}) || total != len(tt.want) {
					t.Errorf("second of the oldest: %v of %d", got, total)
				}
			}
		})
	}
}

func TestAuditSearch(t *testing.T) {
	w := trail(t)
	ann, bob := id("ann"), id("bob")
	type word = projections.AuditWord
	of := func(words ...word) projections.AuditFilter { return projections.AuditFilter{Words: words} }
	for name, tt := range map[string]struct {
		f    projections.AuditFilter
		want []string
	}{
		"a word for a user":           {of(word{Users: []string{ann}, About: []string{ann}}), []string{"login_failed@6", "custom_x@4", "model_created@2", "model_created@0"}},
		"a word for actions":          {of(word{Actions: []string{"model_created", "model_updated"}}), []string{"model_created@3", "model_created@2", "model_updated@1", "model_created@0"}},
		"an address":                  {of(word{IP: "192.0.2.7"}), []string{"custom_x@5", "custom_x@4"}},
		"two words":                   {of(word{Actions: []string{"custom_x"}}, word{Users: []string{bob}}), []string{"custom_x@5"}},
		"two words the other way":     {of(word{Users: []string{bob}}, word{Actions: []string{"custom_x"}}), []string{"custom_x@5"}},
		"one that finds nothing":      {of(word{Users: []string{bob}}, word{}), []string{}},
		"an execution":                {of(word{IDs: []string{id("x")}}), []string{"login_failed@6"}},
		"a brand":                     {of(word{Brands: []string{id("brand of " + bob)}}), []string{"custom_x@5", "model_created@3", "model_updated@1"}},
		"beside a filter":             {projections.AuditFilter{IP: "192.0.2.1", Words: []word{{Actions: []string{"model_created"}}}}, []string{"model_created@3", "model_created@2", "model_created@0"}},
		"found twice, but shown once": {of(word{Users: []string{ann}, IP: "192.0.2.7", Actions: []string{"custom_x"}}), []string{"login_failed@6", "custom_x@5", "custom_x@4", "model_created@2", "model_created@0"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, total := heard(t, w, tt.f, projections.Page{Limit: 20}, false)
			if diff := cmp.Diff(tt.want, got); diff != "" || total != len(tt.want) {
				t.Errorf("%d (-want +got):\n%s", total, diff)
			}
			if len(tt.want) > 1 {
				got, _ := heard(t, w, tt.f, projections.Page{Offset: 1, Limit: 1}, false)
				if !slices.Equal(got, tt.want[1:2]) {
					t.Errorf("second: %v", got)
				}
			}
		})
	}
}

func TestAuditNumbers(t *testing.T) {
	w := trail(t)
	day := start.Truncate(24 * time.Hour)
	want := []projections.Volume{
		{Day: day, Action: "custom_x", Count: 2}, {Day: day, Action: "login_failed", Count: 1},
		{Day: day, Action: "model_created", Count: 3}, {Day: day, Action: "model_updated", Count: 1},
	}
	all := must[[]projections.Volume](t)(w.audit.Volume(t.Context(), projections.AuditFilter{From: start}))
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("volume (-want +got):\n%s", diff)
	}
	some := must[[]projections.Volume](t)(w.audit.Volume(t.Context(), projections.AuditFilter{From: start.Add(90 * time.Minute), IP: "192.0.2.1"}))
	if diff := cmp.Diff([]projections.Volume{{Day: day, Action: "model_created", Count: 2}}, some); diff != "" {
		t.Errorf("volume of an address (-want +got):\n%s", diff)
	}
	if n := must[int](t)(w.audit.People(t.Context(), projections.AuditFilter{})); n != 2 {
		t.Errorf("%d people, want 2", n)
	}
	top := must[[]projections.Top](t)(w.audit.Top(t.Context(), projections.AuditFilter{}, 5))
	if len(top) != 1 || top[0].Events != 2 || top[0].Users != 2 || top[0].Newest.Action != "custom_x" {
		t.Errorf("top: %+v", top)
	}
	actions := must[[]string](t)(w.audit.Actions(t.Context()))
	if diff := cmp.Diff([]string{"custom_x", "login_failed", "model_created", "model_updated"}, actions); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

// What is personal is in no table as it is, and cannot be found any more once
// its key is gone.
func TestAuditKeepsNoSecrets(t *testing.T) {
	w := trail(t)
	for table, rows := range dump(t, w.path) {
		if !strings.HasPrefix(table, "audit") {
			continue
		}
		for _, row := range rows {
			if strings.Contains(row, "192.0.2") || strings.Contains(row, "2001:db8") || strings.Contains(row, "|d1") {
				t.Errorf("%s: %s", table, row)
			}
		}
	}
	w.append(eventstore.Stream("key", id("ann")), key.SubjectKeyDestroyed{Kind: key.User, Classes: []string{"N"}})
	w.settle()
	for ip, want := range map[string][]string{"192.0.2.1": {"model_created@3"}, "192.0.2.7": {"custom_x@5"}, "198.51.100.1": {}} {
		if got, _ := heard(t, w, projections.AuditFilter{IP: ip}, projections.Page{}, false); !slices.Equal(got, want) {
			t.Errorf("%s finds %v, want %v", ip, got, want)
		}
	}
	if got, _ := heard(t, w, projections.AuditFilter{Device: "d1"}, projections.Page{}, false); len(got) > 0 {
		t.Errorf("a device of who is gone: %v", got)
	}
}

// Whoever follows the ledger goes on behind what they have.
func TestFollowing(t *testing.T) {
	w := trail(t)
	first := must[[]projections.Entry](t)(w.audit.Following(t.Context(), projections.AuditFilter{Types: []string{user.UserCreated{}.EventType(), "GroupCreated"}}, eventstore.Position{}, 1))
	if len(first) != 1 || first[0].Type != "UserCreated" {
		t.Fatalf("first: %+v", first)
	}
	rest := must[[]projections.Entry](t)(w.audit.Following(t.Context(), projections.AuditFilter{From: start.Add(time.Hour)}, first[0].Position, 100))
	if len(rest) != 6 || rest[0].Type != "GroupCreated" {
		t.Errorf("rest: %+v", rest)
	}
}
