package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Rejection says that a target will never take what it was sent.
type Rejection struct{ Class string }

// Error implements error.
func (r *Rejection) Error() string { return "the target refuses it: " + r.Class }

// A Trouble says that a target does not take anything for now.
type Trouble struct {
	Class string
	After time.Duration // how long it wants to be left alone; 0 if it does not say
	Slow  bool          // trying often would be no help
}

// Error implements error.
func (t *Trouble) Error() string { return "the target takes nothing: " + t.Class }

// Explain tells what is wrong in words that hold no secret: texts of errors
// quote addresses, and an address can be as good as a password.
func Explain(err error) string {
	if t, ok := errors.AsType[*Trouble](err); ok {
		return t.Class
	}
	if r, ok := errors.AsType[*Rejection](err); ok {
		return "refuses every event: " + r.Class
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "certificate expired"
		}
		return "certificate invalid"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "certificate of an unknown authority"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "certificate of another host"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "name not found"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "TLS refused"
	}
	return connection(err)
}

// connection tells the faults of connections and files apart.
func connection(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection broken"
	case errors.Is(err, syscall.ENOSPC):
		return "disk full"
	case errors.Is(err, os.ErrPermission):
		return "not permitted"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	}
	return "failed"
}

// trouble is what a sink knows of the outage there is.
type trouble struct {
	mu       sync.Mutex
	failing  bool      // guarded by mu, like all below
	attempts int       // in this outage
	since    time.Time // of the outage
	next     time.Time // when it is tried again
	last     string    // what was wrong
	told     bool      // the ledger knows, or may know
	toldAt   time.Time
	parked   int // in a row
}

// note counts a failed attempt. It tells whether the ledger is to be told.
func (t *trouble) note(what string, now, next time.Time) (tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.failing {
		t.failing, t.since, t.attempts = true, now, 0
	}
	t.attempts++
	t.last, t.next = what, next
	if t.attempts < tellAfter || t.told && !t.toldAt.IsZero() || now.Before(t.toldAt.Add(tellEvery)) {
		return false
	}
	t.told, t.toldAt = true, now
	return true
}

// over notes that the target takes something.
func (t *trouble) over() (attempts int, told, was bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	attempts, told, was = t.attempts, t.told, t.failing
	t.failing, t.told, t.attempts, t.parked = false, false, 0, 0
	return attempts, told, was
}

// doubted tells whether it cannot be the events' fault any more that they are
// refused: so many were parked in a row.
func (t *trouble) doubted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.parked >= doubt
}

// gaveUp counts an event that was parked.
func (t *trouble) gaveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parked++
}

func (t *trouble) state() (attempts int, failing bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.attempts, t.failing
}

// A SinkStatus is what the process that runs a sink knows of it.
type SinkStatus struct {
	Lag       time.Duration
	Failing   bool
	LastError string
	Since     time.Time
	NextTry   time.Time
	Untold    int64 // events that were delivered, and the ledger does not tell of yet
}

// Status tells how the sink is doing.
func (s *Sink) Status() SinkStatus {
	t := &s.trouble
	t.mu.Lock()
	defer t.mu.Unlock()
	status := SinkStatus{Lag: s.Lag(), Failing: t.failing, Untold: s.tally.peek().Count}
	if t.failing {
		status.LastError, status.Since, status.NextTry = t.last, t.since, t.next
	}
	return status
}

// statusTrouble judges an HTTP status. What the target says of our address or
// our right to speak is no judgement on an event.
func statusTrouble(status int, after time.Duration) error {
	class := fmt.Sprintf("status %d", status)
	switch {
	case status/100 == 2:
		return nil
	case status == 401, status == 403, status == 407:
		return &Trouble{Class: class, After: after, Slow: true}
	case status == 404, status == 405, status == 410, status/100 == 3:
		return &Trouble{Class: class + ", which says that the address is wrong", Slow: true}
	case status == 408, status == 425, status == 429, status/100 == 5, status/100 == 1:
		return &Trouble{Class: class, After: after}
	}
	return &Rejection{Class: class}
}
