package projections_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// at is an append that comes from an address.
func at(ip string) codec.Meta {
	m := codec.Meta{Network: session.Network{
		IP: ip, UserAgent: "agent", Place: &session.Place{Country: "DE"}, System: &session.System{Number: 64496},
	}}
	m.Execution = id("x")
	return m
}

func wrong(identifier string) codec.Event {
	return execution.LoginFailed{Stage: asks, Method: "password", Cause: "bad_credential", Failures: 1, Identifier: identifier}
}

func unknown(identifier string) codec.Event {
	return execution.IdentificationFailed{Fields: []string{"username"}, Identifier: identifier}
}

// try appends events of some execution from an address.
func (w *world) try(ip string, events ...codec.Event) {
	w.t.Helper()
	w.appendAs(at(ip), stream("execution", "x"), events...)
}

// sum asks for a score at the time of the ledger.
func (w *world) sum(ip, identifier string) int64 {
	w.t.Helper()
	sum, err := w.reputation.Sum(w.t.Context(), ip, identifier, w.clock)
	if err != nil {
		w.t.Fatal(err)
	}
	return sum
}

// scores lists what f wants as identifier@ip=score, in no order.
func (w *world) scores(f projections.ScoreFilter) map[string]int64 {
	w.t.Helper()
	f.At = w.clock
	found, total, err := w.reputation.List(w.t.Context(), f, "", projections.Page{})
	if err != nil || total != len(found) {
		w.t.Fatalf("%d of %d scores, %v", len(found), total, err)
	}
	out := map[string]int64{}
	for _, s := range found {
		out[s.Identifier+"@"+s.Network.IP] = s.Score
	}
	return out
}

func times(n int, e codec.Event) []codec.Event {
	var out []codec.Event
	for range n {
		out = append(out, e)
	}
	return out
}

func TestReputation(t *testing.T) {
	in := execution.UserLoggedIn{User: id("ada"), Session: id("s"), AuthMethod: "password"}
	cases := map[string]struct {
		do   func(w *world)
		want map[string]int64
	}{
		"a wrong password costs a point":            {func(w *world) { w.try("192.0.2.1", wrong("ada")) }, map[string]int64{"ada@192.0.2.1": -1}},
		"an unknown identifier costs a point":       {func(w *world) { w.try("192.0.2.1", unknown("ghost")) }, map[string]int64{"ghost@192.0.2.1": -1}},
		"a login gains a point for the user's name": {func(w *world) { w.try("192.0.2.1", in) }, map[string]int64{"Ada@192.0.2.1": 1}},
		"the name is the one at the time": {func(w *world) {
			w.try("192.0.2.1", in)
			w.append(stream("user", "ada"), user.UserRenamed{Username: "Lovelace", Previous: "Ada"})
			w.try("192.0.2.1", in, in)
		}, map[string]int64{"Ada@192.0.2.1": 1, "Lovelace@192.0.2.1": 2}},
		"a success makes up for a failure":    {func(w *world) { w.try("192.0.2.1", wrong("Ada")); w.try("192.0.2.1", in) }, map[string]int64{"Ada@192.0.2.1": 0}},
		"it does not sink below -5":           {func(w *world) { w.try("192.0.2.1", times(7, wrong("ada"))...) }, map[string]int64{"ada@192.0.2.1": -5}},
		"each step is bounded, not the sum":   {func(w *world) { w.try("192.0.2.1", append(times(7, wrong("Ada")), in)...) }, map[string]int64{"Ada@192.0.2.1": -4}},
		"it does not rise above 5":            {func(w *world) { w.try("192.0.2.1", times(7, in)...) }, map[string]int64{"Ada@192.0.2.1": 5}},
		"each address has its own":            {func(w *world) { w.try("192.0.2.1", wrong("ada")); w.try("192.0.2.2", wrong("ada")) }, map[string]int64{"ada@192.0.2.1": -1, "ada@192.0.2.2": -1}},
		"each identifier has its own":         {func(w *world) { w.try("192.0.2.1", wrong("ada"), wrong("eve")) }, map[string]int64{"ada@192.0.2.1": -1, "eve@192.0.2.1": -1}},
		"without an identifier there is none": {func(w *world) { w.try("192.0.2.1", wrong("")) }, map[string]int64{}},
		"without an address there is none":    {func(w *world) { w.append(stream("execution", "x"), wrong("ada")) }, map[string]int64{}},
		"nobody's login is none":              {func(w *world) { w.try("192.0.2.1", execution.UserLoggedIn{User: id("eve")}) }, map[string]int64{}},
		"it expires a day after the last change": {func(w *world) {
			w.try("192.0.2.1", wrong("ada"))
			w.clock = start.Add(24*time.Hour - time.Microsecond)
			w.try("192.0.2.1", wrong("eve"))
			w.clock = start.Add(24 * time.Hour)
		}, map[string]int64{"eve@192.0.2.1": -1}},
		"a change makes it last": {func(w *world) {
			w.try("192.0.2.1", wrong("ada"))
			w.clock = start.Add(20 * time.Hour)
			w.try("192.0.2.1", wrong("ada"))
			w.clock = start.Add(40 * time.Hour)
		}, map[string]int64{"ada@192.0.2.1": -2}},
		"what has expired does not count on": {func(w *world) {
			w.try("192.0.2.1", times(3, wrong("ada"))...)
			w.clock = start.Add(25 * time.Hour)
			w.try("192.0.2.1", wrong("ada"))
		}, map[string]int64{"ada@192.0.2.1": -1}},
		"what the deleted were called is dropped": {func(w *world) {
			w.try("192.0.2.1", wrong("Ada"), wrong("eve"))
			w.append(stream("user", "ada"), user.UserDeleted{})
			w.try("192.0.2.1", in)
		}, map[string]int64{"eve@192.0.2.1": -1}},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.append(stream("user", "ada"), ada())
			tt.do(w)
			stop := w.run()
			w.settle()
			if diff := cmp.Diff(tt.want, w.scores(projections.ScoreFilter{})); diff != "" {
				t.Errorf("scores (-want +got):\n%s", diff)
			}
			stop()
			live := dump(t, w.path)
			if err := w.runner.Rebuild(t.Context(), func(int) {}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(live, dump(t, w.path)); diff != "" {
				t.Errorf("rebuilt (-live +rebuilt):\n%s", diff)
			}
		})
	}
}

// A score can be removed, and begins anew then.
func TestScoreIsReset(t *testing.T) {
	w := newWorld(t)
	w.run()
	w.try("192.0.2.1", wrong("ada"), wrong("ada"), wrong("eve"))
	for range 2 {
		w.settle()
		found, _, err := w.reputation.List(t.Context(), projections.ScoreFilter{Identifiers: []string{"ada"}, At: start}, "", projections.Page{})
		if err != nil || len(found) != 1 {
			t.Fatalf("%d scores, %v", len(found), err)
		}
		other := object.ObjectRemoved{Kind: object.FlowModel}
		w.append(stream("object", "other"), other)
		w.append(eventstore.Stream("object", found[0].ID), object.ObjectRemoved{Kind: projections.ReputationModel, Name: "Reputation", Via: "api"})
		w.settle()
		if got := w.sum("", "ada"); got != 0 {
			t.Errorf("after the removal: %d", got)
		}
		w.try("192.0.2.1", wrong("ada"))
		w.settle()
		if got := w.sum("", "ada"); got != -1 {
			t.Errorf("after the removal and a failure: %d", got)
		}
	}
	if got := w.sum("192.0.2.1", ""); got != -2 {
		t.Errorf("all at the address: %d", got)
	}
}

func TestReputationSums(t *testing.T) {
	w := newWorld(t)
	w.try("192.0.2.1", wrong("ada"), wrong("eve"))
	w.try("192.0.2.2", wrong("ada"), wrong("bob"))
	w.run()
	w.settle()
	for name, tt := range map[string]struct {
		ip, identifier string
		want           int64
	}{
		"an address":                      {"192.0.2.1", "", -2},
		"an identifier":                   {"", "ada", -2},
		"either, each score once":         {"192.0.2.1", "ada", -3},
		"neither of them known":           {"192.0.2.3", "ghost", 0},
		"an address is no identifier":     {"ada", "192.0.2.1", 0},
		"another case is another":         {"", "ADA", 0},
		"no condition at all":             {"", "", -4},
		"a part of the SQL is no address": {"' OR 1=1 --", "", 0},
	} {
		if got := w.sum(tt.ip, tt.identifier); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

func TestScoresAreListed(t *testing.T) {
	w := newWorld(t)
	w.try("192.0.2.1", started(), wrong("ada"), wrong("ada"))
	w.clock = start.Add(time.Minute)
	w.try("192.0.2.2", unknown("eve"))
	w.run()
	w.settle()
	all := func(order string, p projections.Page) []projections.Score {
		found, total, err := w.reputation.List(t.Context(), projections.ScoreFilter{At: w.clock}, order, p)
		if err != nil || total != 2 {
			t.Fatalf("total %d, %v", total, err)
		}
		return found
	}
	got := all("", projections.Page{})
	want := []projections.Score{
		{ID: got[0].ID, Identifier: "eve", Score: -1, Network: at("192.0.2.2").Network.(session.Network), Updated: w.clock, Expires: w.clock.Add(24 * time.Hour)},
		{ID: got[1].ID, Identifier: "ada", Score: -2, Network: at("192.0.2.1").Network.(session.Network), Updated: start, Expires: start.Add(24 * time.Hour)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
	for order, first := range map[string]string{"score": "ada", "-score": "eve", "updated": "ada", "-updated": "eve", "id; DROP TABLE x": "eve"} {
		if got := all(order, projections.Page{Limit: 1}); len(got) != 1 || got[0].Identifier != first {
			t.Errorf("by %s: %+v, want %s", order, got, first)
		}
	}
	two := int64(-2)
	for name, tt := range map[string]struct {
		filter projections.ScoreFilter
		want   map[string]int64
	}{
		"by address":      {projections.ScoreFilter{IP: "192.0.2.2"}, map[string]int64{"eve@192.0.2.2": -1}},
		"by identifier":   {projections.ScoreFilter{Identifiers: []string{"ada", "ghost"}}, map[string]int64{"ada@192.0.2.1": -2}},
		"by score":        {projections.ScoreFilter{Score: &two}, map[string]int64{"ada@192.0.2.1": -2}},
		"by key":          {projections.ScoreFilter{ID: want[1].ID}, map[string]int64{"ada@192.0.2.1": -2}},
		"by both at odds": {projections.ScoreFilter{IP: "192.0.2.2", Identifiers: []string{"ada"}}, map[string]int64{}},
	} {
		if diff := cmp.Diff(tt.want, w.scores(tt.filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whose key is destroyed has no score after a rebuild, and before it one that
// names nobody.
func TestForgottenReputation(t *testing.T) {
	w := newWorld(t)
	m := at("192.0.2.1")
	m.Subject = "user:" + id("ada")
	w.appendAs(m, stream("execution", "x"), wrong("ada"))
	stop := w.run()
	w.settle()
	if err := w.vault.Forget(t.Context(), []string{"user:" + id("ada")}, 'T', 'N'); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"@": -1}, w.scores(projections.ScoreFilter{})); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	stop()
	if err := w.runner.Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	if got := w.scores(projections.ScoreFilter{}); len(got) != 0 {
		t.Errorf("after: %v", got)
	}
}

// The network of an append may be with an event that came in an earlier batch.
func TestNetworkOfAnEarlierBatch(t *testing.T) {
	w := newWorld(t)
	const more = 999 // an append, and a batch, end here
	w.append(stream("object", "f"), created(object.FlowModel, "login", map[string]any{"slug": "login"}))
	w.try("192.0.2.1", append([]codec.Event{started()}, append(times(more-1, execution.StageEntered{}), wrong("ada"))...)...)
	if err := w.runner.Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	if got := w.sum("192.0.2.1", ""); got != -1 {
		t.Errorf("score %d", got)
	}
}

func TestNoIdentifierIsInTheViews(t *testing.T) {
	w := newWorld(t)
	w.try("192.0.2.77", wrong("typed-P4ssw0rd"), unknown("typed-ghost"))
	stop := w.run()
	w.settle()
	stop()
	w.close()
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(w.path + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, mark := range []string{"typed-", "192.0.2.77"} {
			if bytes.Contains(text, []byte(mark)) {
				t.Errorf("%q is in clear in views.db%s", mark, suffix)
			}
		}
	}
}

// One client that tries many names must not make its score slow: the query
// walks along two indexes that hold all it needs.
func TestSumsUseIndexes(t *testing.T) {
	w := newWorld(t)
	for i := range 1000 {
		w.try("192.0.2.1", wrong(fmt.Sprint("name-", i)))
	}
	w.run()
	w.settle()
	if got := w.sum("192.0.2.1", "name-7"); got != -1000 {
		t.Errorf("score %d", got)
	}
	conn, err := sqlite.OpenConn(w.path, sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text, args := w.reputation.SumQuery("192.0.2.1", "name-7", start)
	var plan []string
	err = sqlitex.Execute(conn, "EXPLAIN QUERY PLAN "+text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(s *sqlite.Stmt) error {
		plan = append(plan, s.GetText("detail"))
		return nil
	}})
	whole := strings.Join(plan, "\n")
	if err != nil || strings.Contains(whole, "SCAN reputation") || strings.Count(whole, "USING COVERING INDEX") != 2 {
		t.Errorf("%v, plan:\n%s", err, whole)
	}
}

func BenchmarkSum(b *testing.B) {
	w := newWorld(b)
	for i := range 1000 {
		w.try("192.0.2.1", wrong(fmt.Sprint("name-", i)))
	}
	if err := w.runner.Rebuild(b.Context(), func(int) {}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		w.sum("192.0.2.1", "name-7")
	}
}
