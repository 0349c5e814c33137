package executor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// told decodes what was recorded after a position.
func (w *world) told(after eventstore.Position) []codec.Decoded {
	w.t.Helper()
	var all []codec.Decoded
	for e, err := range w.ledger.ReadAll(w.t.Context(), after) {
		if err != nil {
			w.t.Fatal(err)
		}
		d, err := w.codec.Decode(w.t.Context(), e)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// A reader puts events into the words of the worked example. It knows the names
// of the bindings from the plan.
type reader struct {
	names map[string]string
	ids   map[string]string // of events, by their place in the execution
}

func (r *reader) line(e codec.Decoded) string {
	switch event := e.Event.(type) {
	case execution.ExecutionStarted:
		return "flow=" + event.Flow.Name + " authentication=" + event.Authentication + " entry=" + event.Entry
	case execution.PlanCreated:
		for _, entry := range event.Entries {
			r.names[entry.Binding.ID] = entry.Stage.Name
		}
		return fmt.Sprintf("entries=%d attempt=%d", len(event.Entries), event.Attempt)
	case execution.StageEntered:
		return r.names[event.Binding.ID] + " " + event.Stage.Name
	case execution.ChallengeIssued:
		return fmt.Sprintf("%s seq=%d attempt=%d component=%s", r.names[event.Binding.ID], event.Sequence, event.Attempt, event.Component)
	case execution.SubjectIdentified:
		return fmt.Sprintf("by=%s matched_on=%s shown=%t identifier=%s", event.By, event.MatchedOn, event.Shown, event.Identifier)
	case execution.LoginFailed:
		return fmt.Sprintf("method=%s cause=%s failures=%d stage=%s", event.Method, event.Cause, event.Failures, event.Stage.Name)
	case execution.ResponseRejected:
		return fmt.Sprintf("seq=%d attempt=%d problems=%s:%s action=%s", event.Sequence, event.Attempt, event.Problems[0].Field, event.Problems[0].Code, event.Action)
	case execution.FactorVerified:
		return "method=" + event.Method + " factor=" + event.Kind
	case execution.StageCompleted:
		return fmt.Sprintf("%s seq=%d attempts=%d ms=%d effects=%d", r.names[event.Binding.ID], event.Sequence, event.Attempts, event.MS, len(event.Effects))
	}
	return r.end(e)
}

func (r *reader) end(e codec.Decoded) string {
	switch event := e.Event.(type) {
	case execution.PolicyEvaluated:
		return fmt.Sprintf("target=%s phase=%s results=%d", event.Target.Kind, event.Phase, len(event.Results))
	case execution.PolicyDenied:
		r.ids[e.ID.String()] = fmt.Sprint(e.Revision)
		return fmt.Sprintf("target=%s(%s) phase=%s policy=%q outcome=%s decisive=%v", event.Target.Kind, r.names[event.Target.Ref.ID],
			event.Phase, event.Results[0].Policy.Name, event.Results[0].Outcome, event.Decisive)
	case execution.StageSkipped:
		return fmt.Sprintf("%s cause=%s evaluation=<%s>", r.names[event.Binding.ID], event.Cause, r.ids[event.Evaluation])
	case execution.UserLoggedIn:
		return fmt.Sprintf("factors=%s aal=%d amr=%v", event.Factors[0].Method, event.AAL, event.AMR)
	case execution.ExecutionCompleted:
		return fmt.Sprintf("redirect=%s factors=%v aal=%d ms=%d", event.Redirect, event.Factors, event.AAL, event.MS)
	case session.SessionExecutionAttached:
		return "flow=" + event.Flow.Name
	}
	return ""
}

// What the events of the worked example of spec/events.md 11 say.
func TestWorkedExampleInFull(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	ada := w.user("ada")
	b := w.browser("s1")
	before := w.head()
	b.get("signin")
	w.pass(2 * time.Second)
	b.post("signin", uid)
	b.post("signin", wrong)
	w.pass(3 * time.Second)
	b.post("signin", right)

	r := &reader{map[string]string{}, map[string]string{}}
	x := w.executions()[0]
	var got []string
	var first string // of the append
	for _, e := range w.told(before) {
		got = append(got, strings.TrimSpace(fmt.Sprint(e.Stream.Category(), " ", e.Revision, " ", e.Type, " ", r.line(e))))
		if h := e.Header; h.Actor.Kind != "anonymous" || h.Actor.Session != b.caller.Session || h.Execution != x || h.Correlation != x {
			t.Errorf("%s: header %+v", e.Type, h)
		}
		if e.Network != nil {
			first = e.ID.String()
		} else if e.Type != "SessionExecutionAttached" && e.Header.Net != first {
			t.Errorf("%s: the network is said to be with %s, it is with %s", e.Type, e.Header.Net, first)
		}
		subject := "user:" + ada
		if e.Stream.Category() == "execution" && e.Revision <= 4 {
			subject = "execution:" + x
		}
		if len(e.Sealed) > 0 && !strings.Contains(string(e.Sealed), subject) {
			t.Errorf("%s is not sealed as of %s", e.Type, subject)
		}
	}
	want := strings.Split(strings.TrimSpace(`
execution 0 ExecutionStarted flow=signin authentication=require_unauthenticated entry=api
execution 1 PolicyEvaluated target=flow phase=flow results=0
execution 2 PlanCreated entries=4 attempt=0
execution 3 StageEntered identification identification
execution 4 ChallengeIssued identification seq=1 attempt=0 component=ak-stage-identification
session 1 SessionExecutionAttached flow=signin
execution 5 SubjectIdentified by=identification matched_on=email shown=true identifier=ada@example.org
execution 6 StageCompleted identification seq=1 attempts=0 ms=2000 effects=0
execution 7 StageEntered password password
execution 8 ChallengeIssued password seq=2 attempt=0 component=ak-stage-password
execution 9 LoginFailed method=password cause=bad_credential failures=1 stage=password
execution 10 ResponseRejected seq=2 attempt=1 problems=password:invalid action=retry
execution 11 ChallengeIssued password seq=3 attempt=1 component=ak-stage-password
execution 12 FactorVerified method=password factor=knowledge
execution 13 StageCompleted password seq=3 attempts=1 ms=3000 effects=0
execution 14 PolicyDenied target=stage_binding(mfa) phase=enter policy="signin/2/policy0" outcome=ok decisive=[0]
execution 15 StageSkipped mfa cause=policy evaluation=<14>
execution 16 StageEntered login login
execution 17 UserLoggedIn factors=password aal=1 amr=[pwd]
execution 18 StageCompleted login seq=0 attempts=0 ms=0 effects=1
execution 19 ExecutionCompleted redirect=default factors=[password] aal=1 ms=5000
session 2 SessionAuthenticated`), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// What a worker ends is ended by the program, and by no stranger.
func TestWhatAWorkerEnds(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	b := w.browser("s1")
	b.get("signin")
	before := w.head()
	w.pass(execution.Idle + time.Second)
	if err := w.Expire(t.Context(), w.executions()[0]); err != nil {
		t.Fatal(err)
	}
	for _, e := range w.told(before) {
		if diff := cmp.Diff(codec.Actor{Kind: "system"}, e.Header.Actor); diff != "" {
			t.Errorf("%s: actor (-want +got):\n%s", e.Type, diff)
		}
	}
}
