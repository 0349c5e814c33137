package execution_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

var (
	entries = rapid.Custom(func(t *rapid.T) execution.Entry {
		e := entry(rapid.IntRange(1, 9).Draw(t, "entry"))
		e.Marker = rapid.SampledFrom([]string{execution.Static, execution.Reevaluate}).Draw(t, "marker")
		e.OnInvalid = rapid.SampledFrom([]string{"retry", "restart", "restart_with_context"}).Draw(t, "on invalid")
		return e
	})
	contexts = rapid.SampledFrom([]execution.Context{
		nil, learned, {"is_restored": "t"}, {"prompt_data": map[string]any{"pin": domain.NewSecret("1")}}, {"groups": []any{"g"}},
	})
	facts = rapid.SliceOfN(rapid.SampledFrom(given(
		execution.FactorVerified{Factor: password}, execution.FactorVerified{Factor: totp}, execution.LoginFailed{Failures: 1},
		execution.SubjectIdentified{User: "u"}, execution.UserLoggedIn{User: "u"}, execution.UserLoggedOut{User: "u"},
	)), 0, 2)
	effects = rapid.SliceOfN(rapid.SampledFrom([]execution.Effect{
		{EndSession: &execution.EndSession{Session: "s"}},
		{WriteUser: &execution.WriteUser{User: "u", Fields: map[string]any{"name": "Ada"}, Password: domain.NewSecret("h")}},
		{Rehash: &execution.Rehash{User: "u", Password: domain.NewSecret("h")}},
	}), 0, 2)
	asks = rapid.Custom(func(t *rapid.T) execution.Ask {
		return execution.Ask{
			Challenge: page{}, Facts: facts.Draw(t, "facts"), Keep: map[string]domain.Secret{"nonce": domain.NewSecret("n")},
		}
	})
)

// outcomes draws what a stage may make of coming up, or of a response.
func outcomes(responding bool) *rapid.Generator[execution.Outcome] {
	return rapid.Custom(func(t *rapid.T) execution.Outcome {
		kinds := []string{"ask", "ask", "pass", "pass", "deny"}
		if responding {
			kinds = append(kinds, "invalid", "invalid")
		}
		switch rapid.SampledFrom(kinds).Draw(t, "outcome") {
		case "ask":
			return asks.Draw(t, "ask")
		case "invalid":
			return execution.Invalid{
				Problems: []execution.Problem{{Field: "f", Code: "c", Text: "t"}}, Facts: facts.Draw(t, "facts"),
				Learned: contexts.Draw(t, "learned"), Again: asks.Draw(t, "again"), Refuse: rapid.SampledFrom([]string{"", "", "no"}).Draw(t, "refuse"),
			}
		case "deny":
			return execution.Deny{Facts: facts.Draw(t, "facts")}
		}
		p := execution.Pass{
			Learned: contexts.Draw(t, "learned"), Facts: facts.Draw(t, "facts"), Effects: effects.Draw(t, "effects"),
			Removed: rapid.SampledFrom([][]string{nil, {"color", "prompt_data"}}).Draw(t, "removed"),
			Skipped: rapid.SampledFrom([]string{"", "why"}).Draw(t, "skipped"),
		}
		for range rapid.IntRange(0, 2).Draw(t, "insertions") {
			p.Insert = append(p.Insert, execution.Insertion{Index: rapid.IntRange(-1, 20).Draw(t, "index"), Entry: entries.Draw(t, "entry")})
		}
		return p
	})
}

// commands draws a command; most of those that a state s can take, some that
// it cannot. n tells evaluations apart.
func commands(s execution.State, n int) *rapid.Generator[execution.Command] {
	return rapid.Custom(func(t *rapid.T) execution.Command {
		late := now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
		kind := rapid.SampledFrom([]string{"next", "next", "next", "next", "next", "next", "any"}).Draw(t, "kind")
		if kind == "next" {
			kind = next(s)
		} else {
			kind = rapid.SampledFrom([]string{
				"start", "plan", "judge", "enter", "submit", "stale", "complete", "cancel", "expire", "fail", "refuse",
			}).Draw(t, "command")
		}
		judged := evaluation(fmt.Sprintf("e%d", n), rapid.Bool().Draw(t, "passing"))
		switch kind {
		case "start":
			return execution.Start{Flow: flow, Now: now, Idle: execution.Idle, Context: contexts.Draw(t, "context")}
		case "plan":
			m := execution.MakePlan{Flow: flow, Entries: rapid.SliceOfN(entries, 0, 4).Draw(t, "entries"), Evidence: []execution.Evaluation{judged}}
			if !judged.Passing {
				m.LeftOut = []execution.LeftOut{{Binding: binding(9), Evaluation: judged.ID}}
			}
			return m
		case "judge":
			wrote := given(execution.ContextChanged{Change: execution.Learn(contexts.Draw(t, "wrote"))})
			if rapid.Bool().Draw(t, "redirects") {
				wrote = append(wrote, execution.StageInserted{Index: 1, Entries: []execution.Entry{entries.Draw(t, "inserted")}})
			}
			return execution.Judge{Evaluation: judged, Wrote: wrote}
		case "enter":
			return execution.Enter{Outcome: outcomes(false).Draw(t, "outcome"), Now: now, Idle: execution.Idle}
		case "submit", "stale":
			c := execution.Submit{Outcome: outcomes(true).Draw(t, "outcome"), Now: late, Idle: execution.Idle}
			if s.Current != nil {
				c.Binding, c.Sequence = s.Current.Binding, s.Current.Sequence
			}
			if kind == "stale" {
				c.Sequence--
			}
			return c
		case "complete":
			return execution.Complete{Redirect: "default", To: "/"}
		case "cancel":
			return execution.Cancel{Cause: "user"}
		case "expire":
			return execution.Expire{Now: late, Idle: execution.Idle}
		case "fail":
			return execution.Fail{Class: "panic"}
		}
		return execution.Refuse{Cause: "flow_policy", Action: "message", Evidence: []execution.Evaluation{judged}, Evaluation: judged.ID}
	})
}

// next names the command that an executor would give.
func next(s execution.State) string {
	head, ok := s.Head()
	switch {
	case s.Status == "":
		return "start"
	case !s.Planned:
		return "plan"
	case !ok:
		return "complete"
	case !head.Passed:
		return "judge"
	case s.Current != nil && s.Current.Asked:
		return "submit"
	}
	return "enter"
}

// TestInvariants runs random commands over random plans and checks
// spec/events.md 5.2 on every prefix of what they decided.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s execution.State
		var all []execution.Event
		denied := map[string]bool{}
		for n := range rapid.IntRange(1, 25).Draw(t, "length") {
			decided, err := commands(s, n).Draw(t, "command").Decide(s)
			if err != nil {
				if code, _ := domain.Explain(err); code != domain.Conflict && code != domain.Expired {
					t.Fatalf("error %v has the code %s", err, code)
				}
				continue
			}
			for _, e := range decided {
				after := evolve(t, s, e)
				step(t, s, e, after, denied)
				s, all = after, append(all, e)
			}
		}
		prefixes(t, all)
	})
}

// evolve folds e over s, and checks that nobody else sees it: neither who
// holds s, nor who holds what follows it in another history.
func evolve(t *rapid.T, s execution.State, e execution.Event) execution.State {
	before := dump(s)
	after := e.Evolve(s)
	want := dump(after)
	for _, other := range given(
		execution.FactorVerified{Factor: execution.Factor{Method: "other"}}, execution.ContextChanged{Change: learnt},
		execution.StageInserted{Index: 0, Entries: []execution.Entry{entry(8)}}, execution.SecretsDiscarded{Keys: s.Secrets()},
		execution.ExecutionCompleted{To: "other"}, execution.ResponseRejected{Problems: []execution.Problem{{Field: "x"}}},
		execution.StageReevaluated{Binding: binding(1)}, execution.ChallengeIssued{Component: "other", Sequence: 99},
	) {
		other.Evolve(s)
		other.Evolve(after)
	}
	if len(s.Plan) > 0 {
		other := execution.ContextChanged{Change: execution.Change{Set: map[string]any{"other": true}}}.Evolve(s)
		execution.StageCompleted{}.Evolve(other)
	}
	if dump(s) != before {
		t.Fatalf("%s writes the state before it", e.EventType())
	}
	if dump(after) != want {
		t.Fatalf("%s shares what it made with another history", e.EventType())
	}
	return after
}

// step checks the invariants of one event.
func step(t *rapid.T, before execution.State, e execution.Event, after execution.State, denied map[string]bool) {
	if before.Status != "" && before.Status != execution.Running {
		t.Fatalf("%s follows the end", e.EventType())
	}
	if after.Status != execution.Running && (len(after.Plan) > 0 || after.Current != nil || len(after.Secrets()) > 0) {
		t.Fatalf("after %s an execution that is %s has more to do: %+v", e.EventType(), after.Status, after.Plan)
	}
	if after.Restarts > execution.MaxRestarts {
		t.Fatalf("%d restarts", after.Restarts)
	}
	head, _ := before.Head()
	switch e := e.(type) {
	case execution.PolicyDenied:
		denied[e.ID] = true
	case execution.PlanCreated:
		for _, out := range e.LeftOut {
			if !denied[out.Evaluation] {
				t.Fatalf("no evaluation says why %s is left out", out.Binding.ID)
			}
		}
	case execution.StageSkipped:
		if e.Binding.ID != head.Binding.ID {
			t.Fatalf("%s was skipped while %s was the head", e.Binding.ID, head.Binding.ID)
		}
		if e.Cause == "policy" && !denied[e.Evaluation] {
			t.Fatalf("no evaluation says why %s was skipped", e.Binding.ID)
		}
	case execution.StageCompleted:
		if e.Binding.ID != head.Binding.ID {
			t.Fatalf("%s was completed while %s was the head", e.Binding.ID, head.Binding.ID)
		}
	case execution.ChallengeIssued:
		if e.Sequence <= before.Sequence {
			t.Fatalf("challenge %d follows challenge %d", e.Sequence, before.Sequence)
		}
	}
}

// prefixes replays each prefix: it never panics, and always gives the same.
func prefixes(t *rapid.T, all []execution.Event) {
	s := execution.State{}
	for i, e := range all {
		s = e.Evolve(s)
		if got, want := dump(domain.Fold(execution.State{}, all[:i+1]...)), dump(s); got != want {
			t.Fatalf("replaying %d events gave\n%s, want\n%s", i+1, got, want)
		}
	}
}

// TestDecideOnAnyState decides on states that no history leads to.
func TestDecideOnAnyState(t *testing.T) {
	statuses := []execution.Status{"", execution.Running, execution.Running, execution.Denied, "nonsense"}
	rapid.Check(t, func(t *rapid.T) {
		s := execution.State{
			Status: rapid.SampledFrom(statuses).Draw(t, "status"), Planned: rapid.Bool().Draw(t, "planned"),
			Plan: rapid.SliceOfN(entries, 0, 3).Draw(t, "plan"), Context: contexts.Draw(t, "context"), Deadline: deadline,
			Restarts: rapid.IntRange(-1, 9).Draw(t, "restarts"), Sequence: rapid.IntRange(-1, 9).Draw(t, "sequence"),
		}
		for i := range s.Plan {
			s.Plan[i].Passed = rapid.Bool().Draw(t, "passed")
		}
		if rapid.Bool().Draw(t, "up") {
			at := rapid.SampledFrom([]string{"b1", "b2", "b3", ""}).Draw(t, "at")
			s.Current = &execution.Current{Binding: at, Asked: rapid.Bool().Draw(t, "asked"), Sequence: s.Sequence}
		}
		before := dump(s)
		events, err := commands(s, 0).Draw(t, "command").Decide(s)
		if err != nil && len(events) > 0 {
			t.Fatalf("an error comes with %d events", len(events))
		}
		domain.Fold(s, events...)
		if dump(s) != before {
			t.Fatal("deciding, or folding what was decided, writes the state")
		}
	})
}

// dump writes a value out, with its secrets: two dumps are equal if nothing
// was changed.
func dump(v any) string {
	var b strings.Builder
	write(&b, reflect.ValueOf(v))
	return b.String()
}

func write(b *strings.Builder, v reflect.Value) {
	if v.IsValid() && v.CanInterface() {
		switch known := v.Interface().(type) {
		case domain.Secret:
			fmt.Fprintf(b, "secret %q", known.Reveal())
			return
		case time.Time:
			b.WriteString(known.String())
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			write(b, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			b.WriteString(" " + v.Type().Field(i).Name + ":")
			write(b, v.Field(i))
		}
	case reflect.Slice:
		fmt.Fprintf(b, "[%d", v.Len())
		for i := range v.Len() {
			b.WriteByte(' ')
			write(b, v.Index(i))
		}
		b.WriteByte(']')
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			b.WriteString(" " + k.String() + "=")
			write(b, v.MapIndex(k))
		}
	case reflect.Invalid:
	default:
		fmt.Fprint(b, v.Interface())
	}
}
