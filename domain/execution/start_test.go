package execution_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/execution"
)

func TestStart(t *testing.T) {
	command := execution.Start{
		Flow: flow, Slug: "login", Designation: "authentication", Authentication: "none", DeniedAction: "message",
		Entry: "api", Session: "s", Now: now, Idle: execution.Idle,
	}
	knowing := command
	knowing.Context, knowing.User, knowing.Next = learned, "u", "/next"
	knowing.Query = map[string]string{"a": "b"}
	knew := started
	knew.Change, knew.User, knew.Next, knew.Query = learnt, "u", "/next", knowing.Query
	subject := execution.SubjectIdentified{User: "u", By: "token"}
	about := command
	about.Subject = &subject
	domaintest.Run(t, map[string]spec{
		"an execution lives until nobody touched it for a while": {When: command, Then: given(started)},
		"what the entry point knows is kept in three parts":      {When: knowing, Then: given(knew)},
		"an entry point may name whom it is about":               {When: about, Then: given(started, subject)},
		"an execution starts once":                               {Given: given(started), When: command, Fails: domain.Conflict},
		"an execution that is over does not start again":         {Given: given(started, completed), When: command, Fails: domain.Conflict},
	})
}

func TestMakePlan(t *testing.T) {
	yes, no := evaluation("e1", true), evaluation("e2", false)
	out := []execution.LeftOut{{Binding: binding(2), Stage: stageOf(2), Evaluation: "e2"}}
	command := execution.MakePlan{
		Flow: flow, Evidence: []execution.Evaluation{yes, no}, Entries: []execution.Entry{entry(1)}, LeftOut: out,
	}
	plan := execution.PlanCreated{Entries: []execution.Entry{entry(1)}, LeftOut: out}
	second := plan
	second.Attempt = 1
	changed := command
	changed.Flow.Revision = 2
	third := second
	third.Flow = changed.Flow
	over := append(waiting(entry(1)), execution.PlanRestarted{Count: 1})
	domaintest.Run(t, map[string]spec{
		"a plan stands behind the evidence for it": {
			Given: given(started), When: command,
			Then: given(execution.PolicyEvaluated{Evaluation: yes}, execution.PolicyDenied{Evaluation: no}, plan),
		},
		"a flow without stages has an empty plan": {
			Given: given(started), When: execution.MakePlan{Flow: flow}, Then: given(execution.PlanCreated{}),
		},
		"a restart makes the next plan": {
			Given: over, When: command,
			Then: given(execution.PolicyEvaluated{Evaluation: yes}, execution.PolicyDenied{Evaluation: no}, second),
		},
		"it names the flow where that was changed meanwhile": {
			Given: over, When: changed,
			Then: given(execution.PolicyEvaluated{Evaluation: yes}, execution.PolicyDenied{Evaluation: no}, third),
		},
		"a plan is made once":               {Given: running(entry(1)), When: command, Fails: domain.Conflict},
		"an empty plan is a plan":           {Given: running(), When: command, Fails: domain.Conflict},
		"what is over is not planned":       {Given: given(started, completed), When: command, Fails: domain.Conflict},
		"what never started is not planned": {When: command, Fails: domain.Conflict},
	})
}

func TestRefuse(t *testing.T) {
	no := evaluation("e1", false)
	command := execution.Refuse{
		Cause: "flow_policy", Need: "n", Action: "message_continue", Message: "no", To: "/x",
		Evidence: []execution.Evaluation{no}, Evaluation: "e1",
	}
	denied := execution.ExecutionDenied{
		Cause: "flow_policy", Need: "n", Action: "message_continue", Message: "no", To: "/x", Evaluation: "e1",
	}
	evidence := execution.PolicyDenied{Evaluation: no}
	domaintest.Run(t, map[string]spec{
		"a refusal stands behind its evidence": {Given: given(started), When: command, Then: given(evidence, denied)},
		"secrets end before the execution does": {
			Given: given(started, secretKept), When: command, Then: given(evidence, discarded, denied),
		},
		"what is over is not refused":       {Given: given(started, completed), When: command, Fails: domain.Conflict},
		"what never started is not refused": {When: command, Fails: domain.Conflict},
	})
}
