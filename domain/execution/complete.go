package execution

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// Complete ends an execution that has nothing left to do.
type Complete struct {
	Redirect string // next, context or default
	To       string
	Early    string // empty_flow or already_authenticated
	Now      time.Time
	Idle     time.Duration
}

// Decide implements [Command].
func (c Complete) Decide(s State) ([]Event, error) {
	if s.Status != Running || len(s.Plan) > 0 {
		return nil, domain.Errorf(domain.Conflict, "The execution has stages left.")
	}
	done := ExecutionCompleted{
		Redirect: c.Redirect, To: c.To, Early: c.Early, AAL: AAL(s.Factors), Restarts: s.Restarts,
		User: s.Subject.User, MS: since(s.Until, c.Idle, c.Now),
	}
	for _, f := range s.Factors {
		done.Factors = append(done.Factors, f.Method)
	}
	if s.LoggedIn != "" {
		done.User, done.Session = s.LoggedIn, s.Session
	}
	return last(s, done), nil
}

// since counts the milliseconds since a deadline was set to the end of an idle
// time. No deadline, no time.
func since(deadline time.Time, idle time.Duration, now time.Time) int64 {
	if deadline.IsZero() {
		return 0
	}
	return max(0, now.Sub(deadline.Add(-idle)).Milliseconds())
}

// AAL computes the authenticator assurance level of factors: 1 for one kind,
// 2 for two, 0 for none (NIST SP 800-63B; level 3 asks for hardware that is
// not known here).
func AAL(factors []Factor) int {
	kinds := map[string]bool{}
	for _, f := range factors {
		kinds[f.Kind] = true
	}
	return min(len(kinds), 2)
}

// Cancel ends an execution because somebody gives up.
type Cancel struct {
	Cause string // user, other_flow, logout or admin
	By    string // the execution that takes its place, if one does
}

// Decide implements [Command]. Cancelling what has ended is nothing to do.
func (c Cancel) Decide(s State) ([]Event, error) {
	if s.Status != Running {
		return nil, nil
	}
	return last(s, ExecutionCancelled{Cause: c.Cause, By: c.By}), nil
}

// Expire ends an execution that nobody touched until its deadline.
type Expire struct {
	Now  time.Time
	Idle time.Duration
}

// Decide implements [Command].
func (c Expire) Decide(s State) ([]Event, error) {
	if s.Status != Running || !c.Now.After(s.Deadline) {
		return nil, nil
	}
	return last(s, ExecutionExpired{IdleMS: since(s.Deadline, c.Idle, c.Now)}), nil
}

// Fail ends an execution because of a fault of ours.
type Fail struct {
	Class   string
	ErrorID string
	Detail  string
	Stack   string // where it happened, of a panic
}

// Decide implements [Command].
func (c Fail) Decide(s State) ([]Event, error) {
	if s.Status != Running {
		return nil, nil
	}
	failed := ExecutionFailed{Class: c.Class, ErrorID: c.ErrorID, Detail: c.Detail, Stack: c.Stack}
	if head, ok := s.Head(); ok {
		failed.Binding = &head.Binding
	}
	return last(s, failed), nil
}
