package execution_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/execution"
)

// While a client is asked, what the stage learned is known, and what it wants
// done is owed; asking anew owes what is wanted then.
func TestAskingOwes(t *testing.T) {
	link := func(key string) execution.Effect {
		return execution.Effect{ID: key, SendMail: &execution.SendMail{
			Purpose: "recovery", Fields: map[string]any{"to": "ada@example.org"},
			Link: &execution.Link{Token: "t", Expires: deadline, Page: "http://h/if/flow/f/?a=b", Key: domain.NewSecret(key)},
		}}
	}
	first := execution.Ask{
		Challenge: page{}, Learned: execution.Context{"email_sent": true}, Effects: []execution.Effect{link("one")},
	}
	kept := execution.ContextChanged{
		By: "stage", Touched: []string{"email_sent"}, Change: execution.Learn(first.Learned), Debts: execution.Owing(first.Effects),
	}
	problems := []execution.Problem{{Field: "f", Code: "c", Text: "t"}}
	rejected := execution.ResponseRejected{Binding: binding(1), Sequence: 1, Attempt: 1, Problems: problems, Texts: []string{"t"}, Action: "retry"}
	sent := execution.ContextChanged{By: "stage", Debts: execution.Owing([]execution.Effect{link("two")})}
	up := append(running(entry(1)), entered(1))
	domaintest.Run(t, map[string]spec{
		"what is asked for is recorded before the question": {
			Given: up, When: execution.Enter{Outcome: first, Now: now, Idle: execution.Idle}, Then: given(kept, asked(1, 1, 0)),
		},
		"and so is what a wrong answer asks for": {
			Given: append(up, kept, asked(1, 1, 0)),
			When: execution.Submit{Binding: binding(1).ID, Sequence: 1, Now: now, Idle: execution.Idle, Outcome: execution.Invalid{
				Problems: problems, Again: execution.Ask{Challenge: page{}, Effects: []execution.Effect{link("two")}},
			}},
			Then: given(rejected, sent, asked(1, 2, 1)),
		},
	})
	secret := cmp.Comparer(domain.Secret.Equal)
	s := domain.Fold(execution.State{}, append(up, kept, asked(1, 1, 0))...)
	if diff := cmp.Diff([]execution.Effect{link("one")}, s.Owed, secret); diff != "" {
		t.Errorf("owed after the question (-want +got):\n%s", diff)
	}
	if !s.Sealed || s.Context["email_sent"] != true {
		t.Errorf("sealed %v, known %v", s.Sealed, s.Context)
	}
	s = domain.Fold(s, rejected, sent, asked(1, 2, 1))
	if diff := cmp.Diff([]execution.Effect{link("two")}, s.Owed, secret); diff != "" {
		t.Errorf("owed after the answer (-want +got):\n%s", diff)
	}
}

// A plan and a context survive being kept outside, but for what was passed
// and for secrets, which go apart.
func TestLeftover(t *testing.T) {
	redirect := entry(3)
	redirect.Destination, redirect.Passed = "https://elsewhere.example", true
	check := guarded(2)
	check.Passed = true // it was, but time passes
	factors := []execution.Factor{{Method: "password", Kind: "knowledge"}}
	before := execution.State{
		Plan: []execution.Entry{entry(1), check, redirect}, Context: learned, Factors: factors, Subject: execution.Subject{Backend: "b"},
	}
	text, err := before.Leftover()
	if err != nil {
		t.Fatal(err)
	}
	resumed, backend, err := execution.Resumed(text)
	if err != nil || backend != "b" {
		t.Fatalf("authenticated by %q, %v", backend, err)
	}
	open, secrets := learned.Parted()
	resumed.Change = execution.Learn(open)
	if len(resumed.Secret) > 0 {
		t.Errorf("%d secrets are in the open part", len(resumed.Secret))
	}
	after := domain.Fold(execution.State{}, started, resumed)
	first := entry(1)
	first.Passed = true
	want := []execution.Entry{first, guarded(2), redirect}
	if diff := cmp.Diff(factors, after.Factors); diff != "" {
		t.Errorf("proved (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, after.Plan); diff != "" || !after.Planned {
		t.Errorf("planned %v (-want +got):\n%s", after.Planned, diff)
	}
	if diff := cmp.Diff(execution.Context(open), after.Context, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
	whole := after.Context.Completed(secrets)
	if diff := cmp.Diff(execution.Context{"prompt_data": learned["prompt_data"]}, whole, cmp.Comparer(domain.Secret.Equal)); diff != "" {
		t.Errorf("with the secrets (-want +got):\n%s", diff)
	}
}

func TestStartThatGoesOn(t *testing.T) {
	resumed := execution.ExecutionResumed{Via: "token", Token: "t", From: "x", Entries: []execution.Entry{entry(1)}}
	subject := execution.SubjectIdentified{User: "u", By: "token"}
	domaintest.Run(t, map[string]spec{
		"a link goes on where it was sent": {
			When: execution.Start{
				Flow: flow, Slug: "login", Designation: "authentication", Authentication: "none", DeniedAction: "message",
				Entry: "api", Session: "s", Now: now, Idle: execution.Idle, Resume: &resumed, Subject: &subject,
			},
			Then: given(started, resumed, subject),
		},
		"it needs no plan": {
			Given: given(started, resumed), When: execution.MakePlan{Flow: flow}, Fails: domain.Conflict,
		},
	})
}
