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
}

// Decide implements [Command].
func (c Complete) Decide(s State) ([]Event, error) {
	if s.Status != Running || len(s.Plan) > 0 {
		return nil, domain.Errorf(domain.Conflict, "The execution has stages left.")
	}
	done := ExecutionCompleted{
		Redirect: c.Redirect, To: c.To, Early: c.Early, Factors: s.Factors, AAL: AAL(s.Factors), Restarts: s.Restarts,
		User: s.Subject.User,
	}
	if s.LoggedIn != "" {
		done.User, done.Session = s.LoggedIn, s.Session
	}
	return last(s, done), nil
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
}

// Decide implements [Command]. Cancelling what has ended is nothing to do.
func (c Cancel) Decide(s State) ([]Event, error) {
	if s.Status != Running {
		return nil, nil
	}
	return last(s, ExecutionCancelled{Cause: c.Cause}), nil
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
	idle := c.Now.Sub(s.Deadline.Add(-c.Idle))
	return last(s, ExecutionExpired{IdleMS: idle.Milliseconds()}), nil
}

// Fail ends an execution because of a fault of ours.
type Fail struct {
	Class   string
	ErrorID string
	Detail  string
}

// Decide implements [Command].
func (c Fail) Decide(s State) ([]Event, error) {
	if s.Status != Running {
		return nil, nil
	}
	failed := ExecutionFailed{Class: c.Class, ErrorID: c.ErrorID, Detail: c.Detail}
	if head, ok := s.Head(); ok {
		failed.Binding = &head.Binding
	}
	return last(s, failed), nil
}
