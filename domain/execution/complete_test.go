package execution_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/execution"
)

var (
	password = execution.Factor{Method: "password", Kind: "knowledge"}
	totp     = execution.Factor{Method: "totp", Kind: "possession"}
)

func TestComplete(t *testing.T) {
	command := execution.Complete{Redirect: "next", To: "/x"}
	plain := execution.ExecutionCompleted{Redirect: "next", To: "/x"}
	about := plain
	about.User, about.Factors, about.AAL = "u", []string{"password", "totp"}, 2
	login := about
	login.Session = "s"
	late := plain
	late.Restarts = 1
	slow := plain
	slow.MS = 2000
	early := plain
	early.Early = "empty_flow"
	proof := given(
		execution.SubjectIdentified{User: "u"}, execution.FactorVerified{Factor: password}, execution.FactorVerified{Factor: totp})
	domaintest.Run(t, map[string]spec{
		"an execution with nothing left to do is complete": {Given: running(), When: command, Then: given(plain)},
		"it says how long that took": {
			Given: append(waiting(), asked(1, 2, 0)), Then: given(slow),
			When: execution.Complete{Redirect: "next", To: "/x", Now: now.Add(2 * time.Second), Idle: execution.Idle},
		},
		"it may be before there is a plan": {
			Given: given(started), When: execution.Complete{Redirect: "next", To: "/x", Early: "empty_flow"}, Then: given(early),
		},
		"it says whom it was about and what was proved": {Given: append(running(), proof...), When: command, Then: given(about)},
		"and who is logged in": {
			Given: append(append(running(), proof...), execution.UserLoggedIn{User: "u", Session: "s"}), When: command, Then: given(login),
		},
		"and how often it started over": {
			Given: append(waiting(entry(1)), execution.PlanRestarted{Count: 1}, planned()), When: command, Then: given(late),
		},
		"secrets end before the execution does":         {Given: append(running(), secretKept), When: command, Then: given(discarded, plain)},
		"an execution with stages left is not complete": {Given: running(entry(1)), When: command, Fails: domain.Conflict},
		"what is over is not completed again":           {Given: given(started, completed), When: command, Fails: domain.Conflict},
		"what never started is not completed":           {When: command, Fails: domain.Conflict},
	})
}

func TestCancel(t *testing.T) {
	command := execution.Cancel{Cause: "user"}
	end := execution.ExecutionCancelled{Cause: "user"}
	domaintest.Run(t, map[string]spec{
		"whoever gives up cancels":              {Given: waiting(entry(1)), When: command, Then: given(end)},
		"secrets end before the execution does": {Given: append(waiting(entry(1)), secretKept), When: command, Then: given(discarded, end)},
		"it names what takes its place": {
			Given: waiting(entry(1)), When: execution.Cancel{Cause: "other_flow", By: "x"},
			Then: given(execution.ExecutionCancelled{Cause: "other_flow", By: "x"}),
		},
		"what is over is not cancelled":       {Given: given(started, completed), When: command},
		"what never started is not cancelled": {When: command},
	})
}

func TestExpire(t *testing.T) {
	late := execution.Expire{Now: deadline.Add(time.Second), Idle: execution.Idle}
	end := execution.ExecutionExpired{IdleMS: execution.Idle.Milliseconds() + 1000}
	domaintest.Run(t, map[string]spec{
		"what nobody touches expires":           {Given: waiting(entry(1)), When: late, Then: given(end)},
		"secrets end before the execution does": {Given: append(waiting(entry(1)), secretKept), When: late, Then: given(discarded, end)},
		"nothing expires before the deadline":   {Given: waiting(entry(1)), When: execution.Expire{Now: deadline, Idle: execution.Idle}},
		"a challenge moves the deadline": {
			Given: append(waiting(entry(1)), execution.ChallengeIssued{Binding: binding(1), Sequence: 2, ExpiresAt: deadline.Add(time.Hour)}), When: late,
		},
		"what is over does not expire":       {Given: given(started, completed), When: late},
		"what never started does not expire": {When: late},
	})
}

func TestFail(t *testing.T) {
	command := execution.Fail{Class: "panic", ErrorID: "r", Detail: "d", Stack: "s"}
	end := execution.ExecutionFailed{Class: "panic", ErrorID: "r", Detail: "d", Stack: "s"}
	at, here := end, binding(1)
	at.Binding = &here
	domaintest.Run(t, map[string]spec{
		"a fault ends the execution and names the stage": {Given: waiting(entry(1)), When: command, Then: given(at)},
		"a fault before there is a stage names none":     {Given: given(started), When: command, Then: given(end)},
		"secrets end before the execution does":          {Given: given(started, secretKept), When: command, Then: given(discarded, end)},
		"what is over does not fail":                     {Given: given(started, completed), When: command},
	})
}

func TestAAL(t *testing.T) {
	tests := map[string]struct {
		factors []execution.Factor
		want    int
	}{
		"nothing is proved":        {nil, 0},
		"one kind":                 {[]execution.Factor{password}, 1},
		"the same kind twice":      {[]execution.Factor{password, password}, 1},
		"two kinds":                {[]execution.Factor{password, totp}, 2},
		"three kinds count as two": {[]execution.Factor{password, totp, {Kind: "inherence"}}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := execution.AAL(tt.factors); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestTheEndLeavesNothingBehind(t *testing.T) {
	write := execution.Effect{WriteUser: &execution.WriteUser{User: "u"}}
	login := execution.Effect{Authenticate: &execution.Authenticate{User: "u"}}
	done := passed(1)
	done.Effects = []execution.Effect{write, login}
	restored := execution.ContextChanged{Change: execution.Change{Set: map[string]any{execution.KeyIsRestored: "token"}}}
	before := append(waiting(entry(1), entry(2)), secretKept, restored, done)
	use := execution.Effect{UseToken: &execution.UseToken{Token: "token"}}
	tests := map[string]struct {
		end    execution.Event
		status execution.Status
		owed   []execution.Effect
	}{
		"completed uses the token that led here": {execution.ExecutionCompleted{To: "/"}, execution.Completed, []execution.Effect{login, use}},
		"completed early does not":               {execution.ExecutionCompleted{To: "/", Early: "already_authenticated"}, execution.Completed, []execution.Effect{login}},
		"denied":                                 {execution.ExecutionDenied{}, execution.Denied, []execution.Effect{login}},
		"cancelled":                              {execution.ExecutionCancelled{}, execution.Cancelled, []execution.Effect{login}},
		"expired":                                {execution.ExecutionExpired{}, execution.Expired, []execution.Effect{login}},
		"failed":                                 {execution.ExecutionFailed{}, execution.Failed, []execution.Effect{login}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := domain.Fold(execution.State{}, append(before, tt.end)...)
			if s.Status != tt.status || len(s.Plan) > 0 || s.Current != nil || len(s.Secrets()) > 0 || len(s.History) != 1 {
				t.Errorf("got %+v", s)
			}
			if diff := cmp.Diff(tt.owed, s.Owed, cmp.Comparer(domain.Secret.Equal)); diff != "" {
				t.Errorf("owed (-want +got):\n%s", diff)
			}
		})
	}
}
