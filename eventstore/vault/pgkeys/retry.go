package pgkeys

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
	"github.com/flowledger/flowledger/eventstore/vault"
)

// patience is for how long a call tries to reach the server, and attempt the
// part of it that one try may take: on a network that drops everything it is
// what ends a try.
const (
	patience = 5 * time.Second
	attempt  = 2 * time.Second
)

// try runs do on a connection until the server has answered, or patience is
// over. Whatever do is, it can be repeated: when a connection is lost at
// COMMIT, nobody knows whether it has happened.
func (e *Engine) try(ctx context.Context, do func(context.Context, *pgx.Conn) error) error {
	until := time.Now().Add(patience)
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		err := e.once(ctx, do)
		switch {
		case err == nil:
			return nil
		case e.closed():
			return vault.ErrClosed
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !passing(err):
			return err
		case time.Now().Add(wait).After(until):
			return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-e.quit:
			return vault.ErrClosed
		}
	}
}

func (e *Engine) once(ctx context.Context, do func(context.Context, *pgx.Conn) error) error {
	if e.closed() {
		return vault.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return do(ctx, conn.Conn())
}

func (e *Engine) closed() bool {
	select {
	case <-e.quit:
		return true
	default:
		return false
	}
}

// passingStates are the server's own words for what passes: others hold what
// is asked for, it is going down or coming up, or it leads no more.
var passingStates = map[string]bool{
	"25006": true,                               // read-only: a standby
	"40001": true, "40P01": true, "55P03": true, // others are in the way
	"53300": true,                                              // too many connections
	"57014": true,                                              // the statement's timeout
	"57P01": true, "57P02": true, "57P03": true, "57P05": true, // down, or not yet up
}

// passing tells whether err is about reaching the server, not about what was
// asked of it.
func passing(err error) bool {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return passingStates[answer.Code] || strings.HasPrefix(answer.Code, "08")
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
