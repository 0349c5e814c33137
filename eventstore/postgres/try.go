package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/flowledger/flowledger/eventstore"
)

// patience is for how long a call tries to reach the server, and attempt what
// one try may take of it: on a network that drops everything it is what ends a
// try. A last try has lastAttempt, however late it is.
const (
	patience       = 5 * time.Second
	attempt        = 3 * time.Second
	lastAttempt    = 500 * time.Millisecond
	connectTimeout = 2 * time.Second
)

// grace is what an answer has that is under way when nobody waits for it any
// more. To break off costs the connection.
const grace = 200 * time.Millisecond

// try runs do on a connection to read with until the server has answered, or
// patience is over. What do does can be repeated.
func (s *Store) try(ctx context.Context, do func(context.Context, *pgx.Conn) error) error {
	p := newPatience(time.Now())
	for {
		if err := s.ready(ctx); err != nil {
			return err
		}
		err := s.ask(ctx, p.attempt(), do)
		if err == nil {
			return nil
		}
		if over := s.ready(ctx); over != nil {
			return over
		}
		if !passing(err) {
			return s.final(err)
		}
		if !p.wait(ctx, s.closing) {
			return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
		}
	}
}

// final is what a call ends with that is not worth repeating. When the server
// lets nobody in any more, that is no fault of the call.
func (s *Store) final(err error) error {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok && s.opened {
		return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
	}
	return err
}

func (s *Store) ask(ctx context.Context, limit time.Duration, do func(context.Context, *pgx.Conn) error) error {
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := s.pool.Acquire(waiting)
	if err != nil {
		return err
	}
	defer conn.Release()
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	return do(asking, conn.Conn())
}

// A patienceLeft is how long something goes on trying.
type patienceLeft struct {
	until time.Time
	pause time.Duration
}

func newPatience(since time.Time) *patienceLeft {
	return &patienceLeft{until: since.Add(patience), pause: 20 * time.Millisecond}
}

// left is how long the tries may take that are left.
func (p *patienceLeft) left() time.Duration { return max(time.Until(p.until), lastAttempt) }

// attempt is how long the next try may take.
func (p *patienceLeft) attempt() time.Duration { return min(attempt, p.left()) }

// wait waits before the next try, longer each time, and tells whether there is
// one.
func (p *patienceLeft) wait(ctx context.Context, closing <-chan struct{}) bool {
	if time.Now().Add(p.pause).After(p.until) {
		return false
	}
	timer := time.NewTimer(p.pause)
	defer timer.Stop()
	p.pause = min(2*p.pause, 500*time.Millisecond)
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-closing:
	}
	return true
}

// passingStates are the server's own words for what passes: others are in the
// way, it is going down or coming up, it leads no more, or an operator has
// made it so.
var passingStates = map[string]bool{
	"25006": true,                // read-only: a standby
	"25P03": true, "25P04": true, // it took the transaction for abandoned
	"40001": true, "40P01": true, "55P03": true, // others are in the way
	"55000": true, // being recovered
	"XX000": true, // its own fault
}

// passingClasses are the first letters of more such words: connections,
// resources (also a full disk), intervention, and the system below.
var passingClasses = []string{"08", "53", "57", "58"}

// passing tells whether err is about reaching the server, not about what was
// asked of it.
func passing(err error) bool {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		for _, class := range passingClasses {
			if strings.HasPrefix(answer.Code, class) {
				return true
			}
		}
		return passingStates[answer.Code]
	}
	if _, ok := errors.AsType[*encodingError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
