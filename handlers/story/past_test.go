package story

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/projections"
)

// began is when all executions of these tests begin; each event comes a second
// after the one before.
var began = time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC)

// A shelf is a ledger of one execution, and all else that a teller asks.
type shelf struct {
	events    []execution.Event
	elsewhere []projections.Entry
	forgotten map[int][]codec.Forgotten // by revision
}

func (s *shelf) teller() *Teller {
	return &Teller{Store: s, Codec: s, People: s, Objects: s, Index: s, ObjectAt: func(_ context.Context, id string, revision int64) (object.Thing, error) {
		return object.Thing{ID: id, Revision: revision}, nil
	}}
}

func (s *shelf) ReadStream(_ context.Context, stream eventstore.StreamID, _ eventstore.Revision) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for i, e := range s.events {
			if stream != eventstore.Stream("execution", "x") {
				return
			}
			r := eventstore.Recorded{
				NewEvent: eventstore.NewEvent{ID: idOf(i), Type: e.EventType()}, Stream: stream, Revision: eventstore.Revision(i),
				Position: at(10 * i), RecordedAt: began.Add(time.Duration(i) * time.Second),
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *shelf) Decode(_ context.Context, r eventstore.Recorded) (codec.Decoded, error) {
	return codec.Decoded{Recorded: r, Event: s.events[r.Revision], Forgotten: s.forgotten[int(r.Revision)]}, nil
}

func (s *shelf) Person(_ context.Context, id string) (user.Person, error) {
	if id == "u-ada" {
		return user.Person{ID: id, Username: "ada"}, nil
	}
	return user.Person{}, nil
}

func (s *shelf) Thing(id string) (object.Thing, bool) { return object.Thing{ID: id}, true }

func (s *shelf) Timeline(context.Context, string) ([]projections.Entry, error) {
	return s.elsewhere, nil
}

// at is a place in the ledger.
func at(n int) eventstore.Position { return eventstore.PositionOf(uint64(n + 1)) }

// idOf is the id of the event at a revision.
func idOf(i int) uuid.UUID { return uuid.UUID{15: byte(i + 1)} }

func entry(name string, order int, marker string) execution.Entry {
	return execution.Entry{
		Binding: domain.Ref{ID: "b-" + name}, Stage: domain.Ref{ID: "s-" + name, Kind: "authentik_stages_dummy.dummystage", Name: name}, Order: order, Marker: marker,
	}
}

func binding(name string) domain.Ref { return domain.Ref{ID: "b-" + name} }

// refused is what the policies of a stage say that let nobody pass.
func refused(name string, negate bool) execution.PolicyDenied {
	return execution.PolicyDenied{Evaluation: execution.Evaluation{
		Target: execution.Target{Kind: "stage_binding", Ref: binding(name)}, Phase: "enter", Mode: "any", Decisive: []int{0},
		Results: []execution.PolicyResult{{
			Binding: &execution.BindingRef{ID: "pb"}, TargetType: "policy", Policy: &domain.Ref{ID: "p", Name: "only-abroad"}, Outcome: "ok", Negate: negate,
			Facts: map[string]any{"line": 2},
		}},
		Details: []execution.Detail{{Source: "return abroad", Names: map[string]string{"abroad": "False"}}},
	}}
}

// eventful is an execution in which a stage is skipped, one is left out, an
// answer is wrong, the flow starts over, a stage comes in between, and it is
// denied in the end.
func eventful() *shelf {
	return &shelf{events: []execution.Event{
		execution.ExecutionStarted{Slug: "login", Flow: domain.Ref{ID: "f"}},
		execution.PlanCreated{
			Entries: []execution.Entry{entry("who", 10, execution.Static), entry("extra", 20, execution.Reevaluate), entry("proof", 30, execution.Static)},
			LeftOut: []execution.LeftOut{{Binding: binding("never"), Stage: domain.Ref{ID: "s-never", Name: "never"}, Evaluation: "e"}},
		},
		execution.StageEntered{Binding: binding("who")},
		execution.ChallengeIssued{Binding: binding("who"), Component: "ak-stage-dummy", Sequence: 1},
		execution.StageCompleted{Binding: binding("who"), Change: execution.Change{
			Set: map[string]any{"is_sso": true}, Hidden: map[string]any{"note": strings.Repeat("long ", 100)},
			Secret: map[string]domain.Secret{"prompt_data/password": domain.NewSecret("hunter2")},
		}},
		refused("extra", true),
		execution.StageSkipped{Binding: binding("extra"), Cause: "policy", Evaluation: idOf(5).String()},
		execution.StageEntered{Binding: binding("proof")},
		execution.ResponseRejected{Binding: binding("proof"), Attempt: 1, Action: "restart"},
		execution.PlanRestarted{Count: 1, Cause: "invalid_response"},
		execution.PlanCreated{Entries: []execution.Entry{entry("who", 10, execution.Static), entry("proof", 30, execution.Static)}, Attempt: 1},
		execution.StageInserted{Index: 1, Entries: []execution.Entry{entry("terms", 15, execution.Static)}, By: "a policy"},
		execution.StageEntered{Binding: binding("who")},
		execution.ExecutionDenied{Cause: "stage_denied", Message: "No."},
	}}
}

func states(stages []Stage) (out []string) {
	for _, s := range stages {
		out = append(out, s.Stage.Name+": "+s.Word())
	}
	return out
}

func TestThePathAtEachMoment(t *testing.T) {
	tests := map[string]struct {
		at   eventstore.Revision
		want []string
	}{
		"before the plan":     {0, nil},
		"planned":             {1, []string{"who: to come", "extra: to come", "proof: to come", "never: left out of the plan"}},
		"the first came up":   {3, []string{"who: current", "extra: to come", "proof: to come", "never: left out of the plan"}},
		"one passed":          {4, []string{"who: done", "extra: to come", "proof: to come", "never: left out of the plan"}},
		"one skipped":         {6, []string{"who: done", "extra: skipped", "proof: to come", "never: left out of the plan"}},
		"started over":        {9, []string{"who: done", "extra: skipped", "proof: ended here", "never: left out of the plan"}},
		"another in between":  {11, []string{"who: done", "extra: skipped", "proof: ended here", "never: left out of the plan", "who: to come", "terms: to come", "proof: to come"}},
		"denied, the newest":  {13, []string{"who: done", "extra: skipped", "proof: ended here", "never: left out of the plan", "who: ended here", "terms: not reached", "proof: not reached"}},
		"the newest, unnamed": {math.MaxInt64, []string{"who: done", "extra: skipped", "proof: ended here", "never: left out of the plan", "who: ended here", "terms: not reached", "proof: not reached"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := eventful().teller().State(t.Context(), "x", tt.at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, states(s.Stages)); diff != "" {
				t.Errorf("stages (-want +got):\n%s", diff)
			}
		})
	}
	s, err := eventful().teller().State(t.Context(), "x", 13)
	if err != nil {
		t.Fatal(err)
	}
	if extra := s.Stages[1]; extra.Why != 5 || extra.Left != 6 || s.Stages[2].Wrong != 1 || s.Stages[4].Round != 1 || s.Stages[5].Inserted != "a policy" {
		t.Errorf("%+v", s.Stages)
	}
}

// The plan that is shown is the one that the engine has, at every moment.
func TestThePathAgreesWithThePlan(t *testing.T) {
	p, err := eventful().teller().Past(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.events {
		s, err := p.State(t.Context(), eventstore.Revision(i))
		if err != nil {
			t.Fatal(err)
		}
		var plan, left []string
		for _, e := range p.after(i).Plan {
			plan = append(plan, e.Binding.ID)
		}
		for _, st := range s.Stages {
			if st.State == ToCome || st.State == Current {
				left = append(left, st.Binding)
			}
		}
		if !slices.Equal(plan, left) {
			t.Errorf("revision %d: the engine has %q, shown are %q", i, plan, left)
		}
	}
}

func TestStatesAreRefused(t *testing.T) {
	teller := eventful().teller()
	for name, ask := range map[string]func() error{
		"behind the end": func() error { _, err := teller.State(t.Context(), "x", 14); return err },
		"in front":       func() error { _, err := teller.State(t.Context(), "x", -1); return err },
	} {
		if code, _ := domain.Explain(ask()); code != domain.Invalid {
			t.Errorf("%s: %v", name, ask())
		}
	}
	for name, ask := range map[string]func() error{
		"state":     func() error { _, err := teller.State(t.Context(), "y", 0); return err },
		"story":     func() error { _, err := teller.Story(t.Context(), "y"); return err },
		"decisions": func() error { _, err := teller.Decisions(t.Context(), "y"); return err },
	} {
		err := ask()
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Code != domain.NotFound {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	s, err := eventful().teller().State(t.Context(), "x", 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range s.Values() {
		if strings.Contains(v.Text, "hunter2") {
			t.Errorf("%s is shown", v.Name)
		}
	}
	if got := shown(execution.Context{"api_key": "k", "list": []any{map[string]any{"token": "t", "name": "n"}}}); cmp.Diff(execution.Context{
		"api_key": mask, "list": []any{map[string]any{"token": mask, "name": "n"}},
	}, got) != "" {
		t.Errorf("shown %v", got)
	}
}

func TestDifferences(t *testing.T) {
	teller := eventful().teller()
	state := func(at eventstore.Revision) Snapshot {
		s, err := teller.State(t.Context(), "x", at)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	long := strings.Repeat("long ", 40) + "… (500 characters)"
	want := []Difference{
		{Path: "challenge", How: Removed, Old: "ak-stage-dummy"},
		{Path: "current stage", How: Removed, Old: "who"},
		{Path: "plan.1 who", How: Changed, Old: "current", New: "done"},
		{Path: "context.is_sso", How: Added, New: "true"},
		{Path: "context.note", How: Added, New: long},
		{Path: "context.prompt_data.password", How: Added, New: mask},
	}
	if diff := cmp.Diff(want, Differences(state(3), state(4))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Differences(state(4), state(4)); len(got) != 0 {
		t.Errorf("to itself: %v", got)
	}
}

func TestDecisionsSpellOutNegation(t *testing.T) {
	all, err := eventful().teller().Decisions(t.Context(), "x")
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	d := all[0]
	if d.Because != "One had to pass, and none did: only-abroad." || d.Led != "Stage extra (dummystage) was skipped." || d.Rule != "mode any: the only one has to pass" {
		t.Errorf("%q, %q, %q", d.Because, d.Led, d.Rule)
	}
	r := d.Reasons[0]
	if r.Verdict != "it said yes, its answer is turned round, so it does not pass" || !r.Decisive || r.Line != 2 || r.Source != "return abroad" || r.Names[0] != (Value{"abroad", "False"}) {
		t.Errorf("%+v", r)
	}
}

func TestVerdictsInWords(t *testing.T) {
	on := func(kind string) execution.Evaluation {
		return execution.Evaluation{Target: execution.Target{Kind: kind}}
	}
	policy := &domain.Ref{Name: "p"}
	for want, tt := range map[string]struct {
		e execution.Evaluation
		r execution.PolicyResult
	}{
		"it said yes, so it passes":                                      {on("flow"), execution.PolicyResult{Passing: true, Outcome: "ok"}},
		"it said no, its answer is turned round, so it passes":           {on("flow"), execution.PolicyResult{Passing: true, Negate: true, Outcome: "ok"}},
		"after a timeout its failure result counts, so it does not pass": {on("flow"), execution.PolicyResult{Outcome: "timeout", Negate: true}},
		"after an exception there is no verdict, and the stage stays":    {on("stage_binding"), execution.PolicyResult{Outcome: "exception"}},
		"1 of 2 match, so it passes":                                     {on("flow"), execution.PolicyResult{TargetType: "static", Bindings: []string{"a", "b"}, Matched: []string{"a"}, Passing: true}},
	} {
		tt.r.Policy = policy
		if got := (&tale{Teller: &Teller{}}).reason(tt.e, tt.r); got.Verdict != want {
			t.Errorf("got %q, want %q", got.Verdict, want)
		}
	}
}

// What the execution caused elsewhere stands where it happened, and what can
// no longer be read is said.
func TestStoriesAreInOrder(t *testing.T) {
	s := eventful()
	s.elsewhere = []projections.Entry{
		{Position: at(12), ID: "s-1", Stream: eventstore.Stream("session", "k"), Type: "SessionExecutionAttached", At: began.Add(1500 * time.Millisecond)},
		{Position: at(10), ID: idOf(1).String(), Stream: eventstore.Stream("execution", "x"), Type: "PlanCreated"},
		{Position: at(500), ID: "s-2", Stream: eventstore.Stream("thing", "k"), Type: "SomethingNewHappened", At: began.Add(time.Minute)},
	}
	s.forgotten = map[int][]codec.Forgotten{4: {{Class: domain.Trace, Since: began}}}
	told, err := s.teller().Story(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if len(told.Steps) != len(s.events)+2 {
		t.Fatalf("%d steps", len(told.Steps))
	}
	attached, last := told.Steps[2], told.Steps[len(told.Steps)-1]
	if attached.Own || attached.At != 1 || attached.Since != 500*time.Millisecond || attached.Sentence != "The session took note of this execution." {
		t.Errorf("%+v", attached)
	}
	if last.Sentence != "Something new happened." || last.At != 13 || last.Offset != time.Minute {
		t.Errorf("%+v", last)
	}
	completed := told.Steps[5]
	if !completed.Waited || completed.Type != "StageCompleted" || len(completed.Forgotten) != 1 || completed.Forgotten[0].Class != "what is personal" {
		t.Errorf("%+v", completed)
	}
	if skipped := told.Steps[7]; skipped.Evidence != told.Steps[6].Event || told.Steps[6].Decision == nil {
		t.Errorf("%+v", skipped)
	}
	state, err := s.teller().State(t.Context(), "x", 5)
	if err != nil || len(state.Forgotten) != 1 {
		t.Errorf("%+v, %v", state.Forgotten, err)
	}
}
