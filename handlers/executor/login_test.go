package executor_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

const (
	uid   = `{"component":"ak-stage-identification","uid_field":"ada@example.org"}`
	right = `{"component":"ak-stage-password","password":"ada!"}`
	wrong = `{"component":"ak-stage-password","password":"wrong"}`
)

// The worked example of spec/events.md 11, but for the session, which has begun
// already.
func TestWorkedExample(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	ada := w.user("ada")
	b := w.browser("s1")
	before := w.head()

	if got := said(b.get("signin")); got != "ak-stage-identification" {
		t.Fatalf("entered: %s", got)
	}
	if got := said(b.post("signin", uid)); got != "ak-stage-password" {
		t.Fatalf("after the name: %s", got)
	}
	if got := said(b.post("signin", wrong)); !strings.Contains(got, "Invalid password") {
		t.Fatalf("after a wrong password: %s", got)
	}
	a := b.post("signin", right)
	if got := said(a); got != "xak-flow-redirect /" || !a.Final || !a.Renew {
		t.Fatalf("after the right password: %s, final %t, renew %t", got, a.Final, a.Renew)
	}
	var got []string
	for e, err := range w.ledger.ReadAll(t.Context(), before) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Stream.Category()+" "+e.Type)
	}
	want := strings.Split(strings.TrimSpace(`
execution ExecutionStarted
execution PolicyEvaluated
execution PlanCreated
execution StageEntered
execution ChallengeIssued
session SessionExecutionAttached
execution SubjectIdentified
execution StageCompleted
execution StageEntered
execution ChallengeIssued
execution LoginFailed
execution ResponseRejected
execution ChallengeIssued
execution FactorVerified
execution StageCompleted
execution PolicyDenied
execution StageSkipped
execution StageEntered
execution UserLoggedIn
execution StageCompleted
execution ExecutionCompleted
session SessionAuthenticated`), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	x := w.state(w.executions()[0])
	if x.Status != execution.Completed || x.LoggedIn != ada || x.Failures != 1 || len(x.Factors) != 1 {
		t.Errorf("state %s, logged in %q, %d failures, factors %v", x.Status, x.LoggedIn, x.Failures, x.Factors)
	}
	s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", b.caller.Session))
	if err != nil || s.User != ada || s.Generation != 1 {
		t.Errorf("session of %q, generation %d, %v", s.User, s.Generation, err)
	}
}

// logIn logs ada in through a browser that asks again when it is refused, and
// gives up after so many refusals.
func logIn(b *browser, refusals int) error {
	answer := map[string]string{"ak-stage-identification": uid, "ak-stage-password": right}
	body := ""
	for range 12 {
		v := execution.Visit{Slug: "signin"}
		if body != "" {
			v.Response = []byte(body)
		}
		a, err := b.try(v)
		if errors.Is(err, errRefused) {
			if a.Renew {
				return errors.New("a refused append, and a new cookie nevertheless")
			}
			// The client has its cookie from before: it proves no user, as
			// soon as the session has another generation.
			s, _, err := b.w.Sessions.Load(b.w.t.Context(), eventstore.Stream("session", b.caller.Session))
			if err != nil {
				return err
			}
			b.caller.Stale = s.Generation > 0
			if refusals--; refusals < 0 {
				return errors.New("refused too often")
			}
			continue
		}
		if err != nil {
			return err
		}
		if a.Final {
			if to := a.Challenge["to"]; to != "/" {
				return fmt.Errorf("ended with %v", a.Challenge)
			}
			return nil
		}
		body = ""
		if !a.Advanced {
			body = answer[fmt.Sprint(a.Challenge["component"])]
		}
	}
	return errors.New("the login does not end")
}

// Whichever append of a login is refused, nobody gets a cookie for it; asking
// again leads to a login in which each step counts once.
func TestLoginSurvivesARefusedAppend(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	ada := w.user("ada")
	for n := 1; ; n++ {
		b := w.browser(fmt.Sprint("s", n))
		w.ledger.failAt(n)
		if err := logIn(b, 1); err != nil {
			t.Fatalf("append %d is refused: %v", n, err)
		}
		w.ledger.mu.Lock()
		appends := w.ledger.appends
		w.ledger.mu.Unlock()
		w.ledger.failAt(0)
		s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", b.caller.Session))
		if err != nil || s.User != ada || s.Generation != 1 {
			t.Errorf("append %d is refused: session of %q, generation %d, %v", n, s.User, s.Generation, err)
		}
		x := s.Execution
		story := w.story(eventstore.Stream("execution", x))
		for _, once := range []string{"ExecutionStarted", "PlanCreated", "FactorVerified", "UserLoggedIn", "ExecutionCompleted"} {
			if got := tally(story, once); got != 1 {
				t.Errorf("append %d is refused: %d times %s", n, got, once)
			}
		}
		if got := tally(w.story(eventstore.Stream("session", b.caller.Session)), "SessionAuthenticated"); got != 1 {
			t.Errorf("append %d is refused: authenticated %d times", n, got)
		}
		if appends < n {
			if n < 4 {
				t.Fatalf("a login is %d appends only", appends)
			}
			return
		}
	}
}

func tally(list []string, one string) int {
	n := 0
	for _, s := range list {
		if s == one {
			n++
		}
	}
	return n
}

// A crash between the decision and its effects leaves a debt that Settle pays,
// once.
func TestSettlePaysWhatACrashLeft(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	ada := w.user("ada")
	b := w.browser("s1")
	b.caller.Network.Place, b.caller.Network.System = &session.Place{Country: "DE"}, &session.System{Number: 64500}
	b.get("signin")
	b.post("signin", uid)
	w.ledger.only(func(s eventstore.StreamID) bool { return s.Category() == "session" })
	if a, err := b.try(execution.Visit{Slug: "signin", Response: []byte(right)}); !errors.Is(err, errRefused) || a.Renew {
		t.Fatalf("the effect was to fail, but got %v, renew %t", err, a.Renew)
	}
	w.ledger.only(nil)
	x := w.executions()[0]
	if w.state(x).Status != execution.Completed || len(w.state(x).Owed) == 0 {
		t.Fatalf("the decision is not in the ledger: %v", w.story(eventstore.Stream("execution", x)))
	}
	for range 2 {
		if err := w.Settle(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.count("SessionAuthenticated"); got != 1 {
		t.Errorf("authenticated %d times", got)
	}
	s, _, err := w.Sessions.Load(t.Context(), eventstore.Stream("session", b.caller.Session))
	if err != nil || s.User != ada || s.IP == "" || s.IP != b.caller.Network.IP {
		t.Errorf("session of %q from %q, %v", s.User, s.IP, err)
	}
	if diff := cmp.Diff(b.caller.Network.Origin(), s.Origin); diff != "" {
		t.Errorf("the session's origin (-want +got):\n%s", diff)
	}
	// The client asks again, with the cookie from before.
	b.caller.Stale = true
	if a := b.visit(execution.Visit{Slug: "signin", Response: []byte(right)}); said(a) != "xak-flow-redirect /" || !a.Final {
		t.Errorf("the late client is told %s", said(a))
	}
	if got := w.count("UserLoggedIn"); got != 1 {
		t.Errorf("logged in %d times", got)
	}
	if err := w.Settle(t.Context(), id("unknown")); err != nil {
		t.Errorf("settle an unknown execution: %v", err)
	}
}

// race makes requests at once, and returns what they are told, sorted.
func race(t *testing.T, n int, request func(i int) (execution.Answer, error)) []string {
	t.Helper()
	var all sync.WaitGroup
	gate := make(chan struct{})
	told := make([]string, n)
	for i := range n {
		all.Go(func() {
			<-gate
			a, err := request(i)
			if err != nil {
				told[i] = err.Error()
				return
			}
			told[i] = said(a)
		})
	}
	close(gate)
	all.Wait()
	slices.Sort(told)
	return told
}

// Of many answers at once one is judged, and all hear what came of it.
func TestConcurrentAnswers(t *testing.T) {
	const clients = 16
	tests := map[string]struct {
		body  func(i int) string
		event string
		told  string
	}{
		"the right password": {func(int) string { return right }, "FactorVerified", "xak-flow-redirect /"},
		"the same wrong password": {
			func(int) string { return wrong }, "LoginFailed", "ak-stage-password map[password:[map[code:invalid string:Invalid password]]]",
		},
		"different wrong passwords": {
			func(i int) string { return fmt.Sprintf(`{"password":"wrong%d"}`, i) }, "LoginFailed",
			"ak-stage-password map[password:[map[code:invalid string:Invalid password]]]",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.signIn()
			w.user("ada")
			for round := range 2 {
				b := w.browser(fmt.Sprint("s", round))
				b.get("signin")
				b.post("signin", uid)
				x := w.executions()[round]
				sequence := w.state(x).Current.Sequence
				told := race(t, clients, func(i int) (execution.Answer, error) {
					c := *b // each has its own cookie jar
					return c.try(execution.Visit{Slug: "signin", Execution: x, Sequence: sequence, Response: []byte(test.body(i))})
				})
				if got := tally(w.story(eventstore.Stream("execution", x)), test.event); got != 1 {
					t.Fatalf("%s %d times", test.event, got)
				}
				for _, one := range told {
					if one != test.told {
						t.Errorf("a client is told %q, want %q", one, test.told)
					}
				}
			}
		})
	}
}

// A right and wrong answers at once: whichever wins, the steps are in order
// and the login counts once.
func TestRightAndWrongAtOnce(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.user("ada")
	b := w.browser("s")
	b.get("signin")
	b.post("signin", uid)
	x := w.executions()[0]
	race(t, 16, func(i int) (execution.Answer, error) {
		c := *b
		body := wrong
		if i%2 == 0 {
			body = right
		}
		return c.try(execution.Visit{Slug: "signin", Execution: x, Sequence: 2, Response: []byte(body)})
	})
	s := w.state(x)
	story := w.story(eventstore.Stream("execution", x))
	judged := tally(story, "FactorVerified") + tally(story, "LoginFailed")
	if judged != 1 {
		t.Errorf("judged %d answers: %v", judged, story)
	}
	if done := s.Status == execution.Completed; done != (tally(story, "UserLoggedIn") == 1) {
		t.Errorf("status %s, %v", s.Status, story)
	}
}
