package execution_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/execution"
)

func TestJudge(t *testing.T) {
	yes, no := evaluation("e1", true), evaluation("e2", false)
	inserted := execution.StageInserted{Index: 1, Entries: []execution.Entry{entry(9)}, By: "policy"}
	let := execution.StageReevaluated{Binding: binding(1), Evaluation: "e1"}
	skipped := execution.StageSkipped{Binding: binding(1), Cause: "policy", Evaluation: "e2"}
	domaintest.Run(t, map[string]spec{
		"policies let a stage come up": {
			Given: running(guarded(1)), When: execution.Judge{Evaluation: yes}, Then: given(execution.PolicyEvaluated{Evaluation: yes}, let),
		},
		"policies that do not pass drop the stage": {
			Given: running(guarded(1)), When: execution.Judge{Evaluation: no}, Then: given(execution.PolicyDenied{Evaluation: no}, skipped),
		},
		"what policies write is kept when they pass": {
			Given: running(guarded(1)), When: execution.Judge{Evaluation: yes, Wrote: given(secretKept, inserted)},
			Then: given(execution.PolicyEvaluated{Evaluation: yes}, secretKept, inserted, let),
		},
		"and when they do not": {
			Given: running(guarded(1)), When: execution.Judge{Evaluation: no, Wrote: given(secretKept)},
			Then: given(execution.PolicyDenied{Evaluation: no}, secretKept, skipped),
		},
		"policies are asked once": {
			Given: append(running(guarded(1)), let), When: execution.Judge{Evaluation: yes}, Fails: domain.Conflict,
		},
		"a stage without policies has none to ask":         {Given: running(entry(1)), When: execution.Judge{Evaluation: yes}, Fails: domain.Conflict},
		"policies of a stage that is up are not asked":     {Given: append(running(guarded(1)), entered(1)), When: execution.Judge{Evaluation: yes}, Fails: domain.Conflict},
		"at the end of the plan there is no policy to ask": {Given: running(), When: execution.Judge{Evaluation: yes}, Fails: domain.Conflict},
		"what is over has no policy to ask":                {Given: given(started, completed), When: execution.Judge{Evaluation: yes}, Fails: domain.Conflict},
	})
}

func TestEnter(t *testing.T) {
	enter := func(o execution.Outcome) execution.Enter {
		return execution.Enter{Outcome: o, Now: now, Idle: execution.Idle}
	}
	pass := execution.Pass{}
	fact := execution.LoginFailed{Method: "password", Cause: "bad_credential"}
	question := execution.Ask{
		Challenge: page{}, Facts: given(fact), Methods: []string{"totp"}, Keep: map[string]domain.Secret{"nonce": domain.NewSecret("n")},
	}
	issued := asked(1, 1, 0)
	issued.Methods, issued.Challenge = question.Methods, question.Keep
	again := asked(1, 2, 0)
	domaintest.Run(t, map[string]spec{
		"a stage comes up and asks": {
			Given: running(entry(1)), When: enter(execution.Ask{Challenge: page{}}), Then: given(entered(1), asked(1, 1, 0)),
		},
		"what it keeps for the answer goes along": {Given: running(entry(1)), When: enter(question), Then: given(entered(1), fact, issued)},
		"a stage that is up asks anew under the next number": {
			Given: waiting(entry(1)), When: enter(execution.Ask{Challenge: page{}}), Then: given(again),
		},
		"a stage may settle the matter at once": {
			Given: running(entry(1)), When: enter(pass), Then: given(entered(1), passed(1)),
		},
		"a stage that had nothing to do is skipped": {
			Given: running(entry(1)), When: enter(execution.Pass{Skipped: "why"}),
			Then: given(entered(1), execution.StageSkipped{Binding: binding(1), Cause: "stage", Reason: "why"}),
		},
		"a stage may deny": {
			Given: running(entry(1)), When: enter(execution.Deny{Message: "no", Cause: "deny_stage", Facts: given(fact)}),
			Then: given(entered(1), fact, deniedAt(1, "deny_stage", "no")),
		},
		"a denial without words has the general ones": {
			Given: running(entry(1)), When: enter(execution.Deny{}), Then: given(entered(1), deniedAt(1, "stage_invalid", "Unknown error")),
		},
		"secrets end with a denial": {
			Given: append(running(entry(1)), secretKept), When: enter(execution.Deny{}),
			Then: given(entered(1), discarded, deniedAt(1, "stage_invalid", "Unknown error")),
		},
		"a denial starts the flow over where the binding says so": {
			Given: append(running(restarting(1, "restart")), secretKept), When: enter(execution.Deny{Message: "no"}),
			Then: given(entered(1), discarded, execution.PlanRestarted{Count: 1, Cause: "stage_invalid", Binding: binding(1)}),
		},
		"and keeps what was learned where it says that": {
			Given: append(running(restarting(1, "restart_with_context")), secretKept), When: enter(execution.Deny{Message: "no"}),
			Then: given(entered(1), execution.PlanRestarted{KeepContext: true, Count: 1, Cause: "stage_invalid", Binding: binding(1)}),
		},
		"but not for ever": {
			Given: after(execution.MaxRestarts, restarting(1, "restart")), When: enter(execution.Deny{Message: "no"}),
			Then: given(entered(1), deniedAt(1, "restart_cap", "Unknown error")),
		},
		"a stage whose policies were not asked does not come up": {Given: running(guarded(1)), When: enter(pass), Fails: domain.Conflict},
		"at the end of the plan nothing comes up":                {Given: running(), When: enter(pass), Fails: domain.Conflict},
		"before there is a plan nothing comes up":                {Given: given(started), When: enter(pass), Fails: domain.Conflict},
		"of what is over nothing comes up":                       {Given: given(started, completed), When: enter(pass), Fails: domain.Conflict},
	})
}

func TestPassRecordsWhatIsOwed(t *testing.T) {
	pass := func(p execution.Pass) execution.Enter {
		return execution.Enter{Outcome: p, Now: now, Idle: execution.Idle}
	}
	write := &execution.WriteUser{User: "u", Fields: map[string]any{"name": "Ada"}, Password: domain.NewSecret("hash")}
	rehash := &execution.Rehash{User: "u", Credential: "c", Password: domain.NewSecret("hash")}
	out := &execution.EndSession{Session: "s"}
	effects := []execution.Effect{{EndSession: out}, {WriteUser: write}, {Rehash: rehash}}
	owing := passed(1)
	owing.Effects = effects
	owing.EffectFields = map[string]map[string]any{"1": {"name": "Ada"}}
	owing.EffectSecrets = map[string]domain.Secret{"1": domain.NewSecret("hash"), "2": domain.NewSecret("hash")}
	taught := passed(1)
	taught.Change = learnt
	taught.Removed = []string{"gone"}
	inserted := execution.StageInserted{Index: -1, Entries: []execution.Entry{entry(9)}, By: "b1", Destination: "https://x.example/"}
	domaintest.Run(t, map[string]spec{
		"what effects write stands apart from them": {
			Given: running(entry(1)), When: pass(execution.Pass{Effects: effects}), Then: given(entered(1), owing),
		},
		"what is learned is told apart by who may read it": {
			Given: running(entry(1)), When: pass(execution.Pass{Learned: learned, Removed: []string{"gone"}}), Then: given(entered(1), taught),
		},
		"a stage that learned something is not skipped": {
			Given: running(entry(1)), When: pass(execution.Pass{Skipped: "why", Learned: learned, Removed: []string{"gone"}}), Then: given(entered(1), taught),
		},
		"nor one that forgot something": {
			Given: running(entry(1)), When: pass(execution.Pass{Skipped: "why", Removed: []string{"gone"}}),
			Then: given(entered(1), execution.StageCompleted{
				Binding: binding(1), Change: execution.Change{Removed: []string{"gone"}},
			}),
		},
		"a stage may put others behind itself": {
			Given: running(entry(1)),
			When: pass(execution.Pass{Insert: []execution.Insertion{{
				Index: -1, Entry: entry(9), By: "b1", Destination: "https://x.example/",
			}}}),
			Then: given(entered(1), passed(1), inserted),
		},
	})
}

func deniedAt(n int, cause, message string) execution.ExecutionDenied {
	at := binding(n)
	return execution.ExecutionDenied{Cause: cause, Action: "message", Binding: &at, Message: message}
}
