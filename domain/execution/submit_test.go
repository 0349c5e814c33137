package execution_test

import (
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/execution"
)

func submit(o execution.Outcome) execution.Submit {
	return execution.Submit{Binding: "b1", Sequence: 1, Outcome: o, Now: now, Idle: execution.Idle}
}

func TestSubmitIsForTheCurrentChallenge(t *testing.T) {
	pass := submit(execution.Pass{})
	late, other, stale, early := pass, pass, pass, pass
	early.Sequence = 0
	late.Now = deadline.Add(time.Second)
	other.Binding, stale.Sequence = "b2", 2
	onTime := pass
	onTime.Now = deadline
	done := passed(1)
	done.Sequence = 1
	slow := done
	slow.MS = execution.Idle.Milliseconds()
	again := asked(1, 2, 1)
	again.ExpiresAt = deadline.Add(time.Minute) // asked again a minute later: the time counts from the first
	third := pass
	third.Sequence, third.Now = 2, now.Add(90*time.Second)
	both := done
	both.Sequence, both.MS = 2, 90_000
	domaintest.Run(t, map[string]spec{
		"a right answer completes the stage":            {Given: waiting(entry(1)), When: pass, Then: given(done)},
		"an answer at the last moment counts":           {Given: waiting(entry(1)), When: onTime, Then: given(slow)},
		"the time counts from the first asking":         {Given: append(waiting(entry(1)), again), When: third, Then: given(both)},
		"an answer after the deadline is refused":       {Given: waiting(entry(1)), When: late, Fails: domain.Expired},
		"an answer to another stage is refused":         {Given: waiting(entry(1)), When: other, Fails: domain.Conflict},
		"an answer to an earlier challenge is refused":  {Given: waiting(entry(1)), When: stale, Fails: domain.Conflict},
		"an answer before the stage came up is refused": {Given: running(entry(1)), When: pass, Fails: domain.Conflict},
		"an answer before the stage asked is refused":   {Given: append(running(entry(1)), entered(1)), When: early, Fails: domain.Conflict},
		"an answer after the last stage is refused":     {Given: running(), When: pass, Fails: domain.Conflict},
		"an answer after the end is refused":            {Given: given(started, completed), When: pass, Fails: domain.Conflict},
		"an answer to what never started is refused":    {When: pass, Fails: domain.Conflict},
	})
}

func TestSubmitOutcomes(t *testing.T) {
	fact := execution.LoginFailed{Method: "password", Cause: "bad_credential", Failures: 1}
	wrong := execution.Invalid{
		Problems: []execution.Problem{{Field: "password", Code: "invalid", Text: "Invalid password"}},
		Facts:    given(fact), Again: execution.Ask{Challenge: page{}},
	}
	final := wrong
	final.Refuse = "Invalid password"
	taught := wrong
	taught.Learned = learned
	kept := execution.ContextChanged{By: "stage", Touched: []string{"auth_method", "color", "prompt_data"}, Change: learnt}
	rejected := func(action string) execution.ResponseRejected {
		return execution.ResponseRejected{
			Binding: binding(1), Sequence: 1, Attempt: 1, Problems: wrong.Problems, Action: action, Texts: []string{"Invalid password"},
		}
	}
	over := func(keep bool, count int) execution.PlanRestarted {
		return execution.PlanRestarted{KeepContext: keep, Count: count, Cause: "invalid_response", Binding: binding(1)}
	}
	capped := append(after(execution.MaxRestarts, restarting(1, "restart")), entered(1), asked(1, execution.MaxRestarts+1, 0))
	last := submit(wrong)
	last.Sequence = execution.MaxRestarts + 1
	lastRejected := rejected("restart")
	lastRejected.Sequence = last.Sequence
	domaintest.Run(t, map[string]spec{
		"a wrong answer is recorded and asked for again": {
			Given: waiting(entry(1)), When: submit(wrong), Then: given(fact, rejected("retry"), asked(1, 2, 1)),
		},
		"what was learned from a wrong answer is kept": {
			Given: waiting(entry(1)), When: submit(taught), Then: given(fact, rejected("retry"), kept, asked(1, 2, 1)),
		},
		"one wrong answer too many denies": {
			Given: waiting(entry(1)), When: submit(final), Then: given(fact, rejected("deny"), deniedAt(1, "stage_invalid", "Invalid password")),
		},
		"a wrong answer may start the flow over": {
			Given: waiting(restarting(1, "restart")), When: submit(wrong), Then: given(fact, rejected("restart"), over(false, 1)),
		},
		"starting over goes before denying": {
			Given: waiting(restarting(1, "restart")), When: submit(final), Then: given(fact, rejected("restart"), over(false, 1)),
		},
		"starting over forgets secrets that the answer taught": {
			Given: waiting(restarting(1, "restart")), When: submit(taught), Then: given(fact, rejected("restart"), kept, discarded, over(false, 1)),
		},
		"starting over may keep what was learned": {
			Given: waiting(restarting(1, "restart_with_context")), When: submit(taught),
			Then: given(fact, rejected("restart_with_context"), kept, over(true, 1)),
		},
		"a flow starts over five times at most": {
			Given: capped, When: last, Then: given(fact, lastRejected, deniedAt(1, "restart_cap", "Unknown error")),
		},
		"an answer may lead to another question": {
			Given: waiting(entry(1)), When: submit(execution.Ask{Challenge: page{}}), Then: given(asked(1, 2, 0)),
		},
		"an answer may be denied": {
			Given: waiting(entry(1)), When: submit(execution.Deny{Message: "no"}), Then: given(deniedAt(1, "stage_invalid", "no")),
		},
		"an answer may show that there was nothing to do": {
			Given: waiting(entry(1)), When: submit(execution.Pass{Skipped: "why"}),
			Then: given(execution.StageSkipped{Binding: binding(1), Cause: "stage", Reason: "why"}),
		},
	})
}

func TestAttemptsAreCounted(t *testing.T) {
	s := domain.Fold(execution.State{}, append(waiting(entry(1)),
		execution.ResponseRejected{Binding: binding(1), Sequence: 1, Attempt: 1, Problems: []execution.Problem{{Field: "f", Code: "c"}}, Texts: []string{"t"}},
		asked(1, 2, 1))...)
	if s.Attempts != 1 || s.Current.Attempt != 1 || s.Current.Problems[0].Text != "t" {
		t.Errorf("got %+v, %d attempts", s.Current, s.Attempts)
	}
	c := submit(execution.Pass{})
	c.Sequence = 2
	events, err := c.Decide(s)
	if err != nil {
		t.Fatal(err)
	}
	if done := events[0].(execution.StageCompleted); done.Attempts != 1 || done.Sequence != 2 {
		t.Errorf("got %+v, want 1 attempt at challenge 2", done)
	}
}

// An outcome that a moment does not have is a fault of ours.
func TestImpossibleOutcomesPanic(t *testing.T) {
	for name, decide := range map[string]func(){
		"coming up is never a wrong answer": func() {
			_, _ = execution.Enter{Outcome: execution.Invalid{}, Now: now}.Decide(domain.Fold(execution.State{}, running(entry(1))...))
		},
		"a response has an outcome": func() {
			_, _ = submit(nil).Decide(domain.Fold(execution.State{}, waiting(entry(1))...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			decide()
		})
	}
}
