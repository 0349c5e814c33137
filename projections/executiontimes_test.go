package projections_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// A moment is what is appended, and how long after the append before.
type moment struct {
	after  time.Duration
	events []codec.Event
}

func TestTimesOfExecutions(t *testing.T) {
	asks := execution.ChallengeIssued{ExpiresAt: deadline}
	judged := func(ms int64) codec.Event { return execution.PolicyEvaluated{Evaluation: execution.Evaluation{MS: ms}} }
	for name, tt := range map[string]struct {
		moments            []moment
		user, server, took time.Duration
		answered           int
	}{
		"from a challenge to the next append it is the person's": {
			moments: []moment{{0, []codec.Event{started(), asks}}, {4 * time.Second, []codec.Event{execution.StageCompleted{}, asks}},
				{2 * time.Second, []codec.Event{execution.StageCompleted{}, execution.ExecutionCompleted{}}}},
			user: 6 * time.Second, took: 6 * time.Second, answered: 2,
		},
		"but for what the policies took that were asked about the answer": {
			moments: []moment{{0, []codec.Event{started(), judged(900), asks}}, {4 * time.Second, []codec.Event{judged(300), judged(100), execution.ExecutionCompleted{}}}},
			user:    3600 * time.Millisecond, server: 400 * time.Millisecond, took: 4 * time.Second, answered: 1,
		},
		"what is not waited is the server's": {
			moments: []moment{{0, []codec.Event{started()}}, {time.Second, []codec.Event{asks}}, {3 * time.Second, []codec.Event{execution.StageCompleted{}}},
				{500 * time.Millisecond, []codec.Event{execution.ExecutionCompleted{}}}},
			user: 3 * time.Second, server: 1500 * time.Millisecond, took: 4500 * time.Millisecond, answered: 1,
		},
		"a wrong answer is an answer": {
			moments: []moment{{0, []codec.Event{started(), asks}}, {time.Second, []codec.Event{execution.LoginFailed{}, execution.ResponseRejected{}, asks}},
				{time.Second, []codec.Event{execution.FactorVerified{}, execution.ExecutionCompleted{}}}},
			user: 2 * time.Second, took: 2 * time.Second, answered: 2,
		},
		"silence before an expiry is nobody's": {
			moments: []moment{{0, []codec.Event{started(), asks}}, {2 * time.Second, []codec.Event{execution.StageCompleted{}, asks}},
				{time.Hour, []codec.Event{execution.ExecutionExpired{}}}},
			user: 2 * time.Second, took: time.Hour + 2*time.Second, answered: 1,
		},
		"and so it is before somebody gives up": {
			moments: []moment{{0, []codec.Event{started(), asks}}, {time.Minute, []codec.Event{execution.ExecutionCancelled{Cause: "user"}}}},
			took:    time.Minute,
		},
		"no policy took longer than its answer": {
			moments: []moment{{0, []codec.Event{started(), asks}}, {time.Second, []codec.Event{judged(5000), execution.ExecutionCompleted{}}}},
			server:  time.Second, took: time.Second, answered: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run()
			for _, m := range tt.moments {
				w.clock = w.clock.Add(m.after)
				w.append(stream("execution", "x"), m.events...)
			}
			w.settle()
			got, ok, err := w.executions.ByID(t.Context(), id("x"))
			if !ok || err != nil || got.UserTime != tt.user || got.ServerTime != tt.server || got.Took != tt.took || got.Answered != tt.answered {
				t.Errorf("user %s, server %s, took %s, %d answers; want %s, %s, %s, %d; %v",
					got.UserTime, got.ServerTime, got.Took, got.Answered, tt.user, tt.server, tt.took, tt.answered, err)
			}
		})
	}
}

// located is meta of an append from somewhere.
func located(ip string) codec.Meta {
	return codec.Meta{Network: session.Network{IP: ip, UserAgent: "curl/8", Place: &session.Place{Country: "DE"}, System: &session.System{Number: 7}}}
}

// Where executions came from is gone with the keys that it was sealed with, and
// nothing finds them by it any more.
func TestOriginsGoWithTheirKeys(t *testing.T) {
	gone := func(kind string) key.SubjectKeyDestroyed { return key.SubjectKeyDestroyed{Kind: kind, IndexedTo: "0"} }
	for name, tt := range map[string]struct {
		stream eventstore.StreamID
		event  codec.Event
		left   []string
	}{
		"of a user, also who was one before, or logged in": {stream("key", "ada"), gone(key.User), []string{"other"}},
		"of another user":         {stream("key", "bob"), gone(key.User), []string{"about", "visited", "other"}},
		"of an execution":         {stream("key", "about"), gone(key.Execution), []string{"former", "visited", "other"}},
		"of a session none":       {stream("key", "s"), gone(key.Session), []string{"about", "former", "visited", "other"}},
		"of a month":              {stream("key", "month"), key.EpochKeyDestroyed{Class: string(rune(domain.Network)), Epoch: "2026-11"}, nil},
		"of another month":        {stream("key", "month"), key.EpochKeyDestroyed{Class: string(rune(domain.Network)), Epoch: "2026-10"}, []string{"about", "former", "visited", "other"}},
		"of a month's other text": {stream("key", "month"), key.EpochKeyDestroyed{Class: string(rune(domain.Trace)), Epoch: "2026-11"}, []string{"about", "former", "visited", "other"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run()
			visitor := started()
			visitor.User = id("ada")
			w.appendAs(located("192.0.2.1"), stream("execution", "about"), started(), execution.SubjectIdentified{User: id("ada")})
			w.appendAs(located("192.0.2.2"), stream("execution", "former"), started(), execution.SubjectIdentified{User: id("ada")}, execution.SubjectIdentified{User: id("bob")})
			w.appendAs(located("192.0.2.3"), stream("execution", "visited"), visitor)
			w.appendAs(located("192.0.2.4"), stream("execution", "other"), started())
			w.append(tt.stream, tt.event)
			w.settle()
			var left []string
			for _, letter := range []string{"about", "former", "visited", "other"} {
				e, ok, err := w.executions.ByID(t.Context(), id(letter))
				if !ok || err != nil {
					t.Fatal(letter, ok, err)
				}
				if e.Origin != (projections.Origin{}) {
					left = append(left, letter)
				}
			}
			if !slices.Equal(left, tt.left) {
				t.Errorf("known of %v, want %v", left, tt.left)
			}
			for what, f := range map[string]projections.ExecutionFilter{"country": {Country: "DE"}, "system": {ASN: 7}, "network": {Words: []string{"192.0.0.0/16"}}} {
				if page, err := w.executions.Search(t.Context(), f, "", projections.Page{Limit: 9}); page.Total != len(tt.left) || err != nil {
					t.Errorf("by %s there are %d, %v, want %d", what, page.Total, err, len(tt.left))
				}
			}
		})
	}
}

// Rows go when they are older than the rule, what they were counts on, and a
// rebuild brings none of them back.
func TestRowsGoWithAge(t *testing.T) {
	w := newWorld(t)
	w.run()
	w.append(stream("execution", "old"), started(), execution.ExecutionDenied{Cause: "flow_policy"})
	w.append(stream("execution", "open"), started())
	w.clock = w.clock.AddDate(0, 1, 0)
	w.append(stream("execution", "young"), started(), execution.ExecutionCompleted{})
	w.clock = w.clock.AddDate(0, 1, 0)
	w.append(eventstore.Stream("ledger", retention.ID), retention.LedgerRetentionChanged{
		Rows: 1, From: w.clock.Add(time.Hour), Before: retention.Default(),
	})
	check := func(when string, want ...string) {
		t.Helper()
		w.settle()
		page, err := w.executions.Search(t.Context(), projections.ExecutionFilter{}, "", projections.Page{})
		if got := idsOf(page); !slices.Equal(got, want) || page.Total != len(want) || err != nil {
			t.Errorf("%s: %v, want %v, %v", when, got, want, err)
		}
		outcomes, err := w.executions.Outcomes(t.Context(), "flow", time.Time{}, time.Time{})
		if want := map[string]int{"denied": 1, "running": 1, "completed": 1}; !maps.Equal(outcomes, want) || err != nil {
			t.Errorf("%s: the outcomes are %v, want %v, %v", when, outcomes, want, err)
		}
		o, err := w.executions.Overview(t.Context(), start.Truncate(time.Hour), start.Add(time.Hour), time.Hour)
		if err != nil || o.Slots[0].Outcomes["denied"] != 1 || len(o.Flows) != 1 || o.Flows[0].Slug != "login" || o.Flows[0].Outcomes["denied"] != 1 ||
			!slices.Equal(o.Reasons, []projections.OutcomeReason{{Status: "denied", Cause: "flow_policy", Count: 1}}) {
			t.Errorf("%s: the overview is %+v, %v", when, o, err)
		}
	}
	check("while the rule waits", id("young"), id("open"), id("old"))
	w.clock = w.clock.Add(time.Hour)
	w.append(stream("key", "none"), key.SubjectKeyDestroyed{Kind: key.Session, IndexedTo: "0"})
	check("once it is in force", id("young"), id("open"))
	w.append(stream("execution", "open"), execution.ExecutionExpired{})
	w.append(stream("execution", "old"), execution.SecretsDiscarded{Keys: []string{"x"}})
	w.settle()
	if _, ok, err := w.executions.ByID(t.Context(), id("old")); ok || err != nil {
		t.Errorf("an event behind its end brings it back, %v", err)
	}
}

func TestOverview(t *testing.T) {
	w := newWorld(t)
	w.run()
	other := started()
	other.Flow.ID, other.Slug, other.Designation = "other", "else", "recovery"
	for minute, events := range [][]codec.Event{
		{started(), execution.ExecutionCompleted{}}, {started(), execution.ExecutionDenied{Cause: "flow_policy"}},
		{started(), execution.ExecutionDenied{Cause: "deny_stage"}}, {other, execution.ExecutionDenied{Cause: "deny_stage"}},
		{started(), execution.ExecutionExpired{}}, {started()}, {started(), execution.ExecutionCompleted{Early: "empty_flow"}},
	} {
		w.clock = start.Add(time.Duration(minute) * time.Minute)
		w.append(stream("execution", string(rune('a'+minute))), events...)
	}
	w.settle()
	o, err := w.executions.Overview(t.Context(), start, start.Add(7*time.Minute), 4*time.Minute)
	if err != nil || len(o.Slots) != 2 || o.Running != 1 {
		t.Fatalf("%+v, %v", o, err)
	}
	for i, want := range []map[string]int{{"completed": 1, "denied": 3}, {"expired": 1, "running": 1, "completed": 1}} {
		if got := o.Slots[i]; !maps.Equal(got.Outcomes, want) || !got.At.Equal(start.Add(time.Duration(4*i)*time.Minute)) {
			t.Errorf("slot %d: %+v, want %v", i, got, want)
		}
	}
	if f := o.Flows; len(f) != 2 || f[0].Slug != "login" || f[0].Name != "Log in" || f[1].Designation != "recovery" ||
		!maps.Equal(f[0].Outcomes, map[string]int{"completed": 2, "denied": 2, "expired": 1, "running": 1}) || !maps.Equal(f[1].Outcomes, map[string]int{"denied": 1}) {
		t.Errorf("flows: %+v", f)
	}
	reasons := []projections.OutcomeReason{{Status: "denied", Cause: "deny_stage", Count: 2}, {Status: "denied", Cause: "flow_policy", Count: 1}, {Status: "expired", Count: 1}}
	if !slices.Equal(o.Reasons, reasons) {
		t.Errorf("reasons: %+v", o.Reasons)
	}
	got, err := w.executions.Outcomes(t.Context(), "other", start.Add(3*time.Minute), start.Add(4*time.Minute))
	if !maps.Equal(got, map[string]int{"denied": 1}) || err != nil {
		t.Errorf("outcomes of a flow: %v, %v", got, err)
	}
	for name, step := range map[string]time.Duration{"none": 0, "backwards": -1, "too many": time.Millisecond} {
		if _, err := w.executions.Overview(t.Context(), start, start.Add(time.Hour), step); err == nil {
			t.Errorf("%s slots are not refused", name)
		}
	}
}
