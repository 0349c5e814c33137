// Package executor advances executions: it gathers what a decision needs, lets
// the stage judge, has the execution decide, and performs what the ledger then
// says is owed. It knows no kind of stage, no status of HTTP and no page.
package executor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/command"
)

// An Executor advances executions. Its methods may be called concurrently.
type Executor struct {
	Executions  *command.Handler[execution.State]
	Sessions    *command.Handler[session.State]
	Users       *command.Handler[user.State]
	Accounts    *account.Accounts
	Tokens      *command.Handler[token.State]
	Invitations *command.Handler[invitation.State]
	Consents    *command.Handler[consent.State]
	Audit       *command.Handler[audit.State]
	Mails       *command.Handler[mail.State]
	Resends     *command.Handler[mail.Resends]
	Objects     func(ctx context.Context, id string, revision int64) (object.Thing, error) // a thing as of a revision
	Definitions Definitions
	People      People
	Links       Links
	Passwords   Passwords
	Hidden      func(ctx context.Context, ref domain.Ref) (map[string]domain.Secret, error) // the secret fields of a thing as of a revision
	Captchas    Captchas
	Policies    policy.Env
	Secrets     Secrets
	Now         func() time.Time
	NewID       func() string
	Idle        time.Duration                   // after which an execution that nobody touches expires
	Wait        func(ctx context.Context) error // until the read models have seen all
	// Abreast is asked before an execution begins, where other nodes change
	// what is configured; nil where there is one node.
	Abreast func(ctx context.Context) error
	Log     *slog.Logger // nil for none

	former former

	// committed is told of each append, for those who hold what the ledger says
	// against what was in memory; nil for nobody.
	committed func(id string, events []execution.Event, s execution.State)
}

// Definitions are the configured things, as of a moment ago.
type Definitions interface {
	// Thing returns one by its primary key.
	Thing(id string) (object.Thing, bool)
	// FlowBySlug returns a flow.
	FlowBySlug(slug string) (object.Thing, bool)
	// StageBindings lists the stages of a flow in their order.
	StageBindings(flow string) []object.Thing
	// PolicyBindings lists what is bound to a target, in order.
	PolicyBindings(target string) []object.Thing
	// Kind lists everything of a kind, by name or slug.
	Kind(model string) []object.Thing
}

// People are the users, as of a moment ago.
type People interface {
	Person(ctx context.Context, id string) (user.Person, error)
	FindPerson(ctx context.Context, fields []string, value string, foldCase bool) (user.Person, error)
	LivingSessions(ctx context.Context, userID string) ([]stage.OtherSession, error)
}

// Passwords does the expensive arithmetic, in a bounded pool.
type Passwords interface {
	// Verify compares; rehash tells that the stored form should be replaced.
	Verify(ctx context.Context, encoded, typed domain.Secret) (ok, rehash bool, err error)
	Hash(ctx context.Context, typed domain.Secret) (domain.Secret, error)
}

// Secrets keeps the keys that executions seal with.
type Secrets interface {
	// ForgetExecution destroys the key of an execution's secrets.
	ForgetExecution(ctx context.Context, id string) error
	// Forget destroys the keys that owners have of these classes.
	Forget(ctx context.Context, owners []string, classes ...byte) error
}

// streamOf names the stream of an execution.
func streamOf(id string) eventstore.StreamID { return eventstore.Stream("execution", id) }

// meta says of an append who caused it.
func (x *Executor) meta(id string, s execution.State, c session.Caller) codec.Meta {
	m := codec.Meta{Network: c.Network, Subject: "execution:" + id, Time: x.Now()}
	if s.Subject.User != "" {
		m.Subject = "user:" + s.Subject.User
	}
	m.Header.Execution, m.Header.Correlation = id, id
	m.Header.Actor = codec.Actor{Kind: "anonymous", Session: c.Session, Token: c.Token}
	switch {
	case c.User != "" && c.Superuser:
		m.Header.Actor.Kind, m.Header.Actor.ID = "admin", c.User
	case c.User != "":
		m.Header.Actor.Kind, m.Header.Actor.ID = "user", c.User
	case c.Session == "" && c.Request == "":
		m.Header.Actor.Kind = "system" // a worker, and no request at all
	}
	m.Header.Request = codec.Request{ID: c.Request, Method: c.Method, Route: c.Route}
	m.Header.Brand = c.Brand
	return m
}

// derived makes an id that follows from others, so that doing a thing twice is
// doing it once.
func derived(parts ...string) uuid.UUID {
	id := uuid.NameSpaceOID
	for _, p := range parts {
		id = uuid.NewSHA1(id, []byte(p))
	}
	return id
}

// A draft is an execution with decisions that are not in the ledger yet.
type draft struct {
	id        string
	revision  eventstore.Revision // -1 for one that has not started
	state     execution.State
	events    []execution.Event
	challenge execution.Challenge // what is to be shown; nil when it is to be asked for
	rejected  bool                // the challenge answers a wrong answer
	visit     execution.Visit
	session   session.State // as the visit found it
	flow      object.Thing
	renewed   bool // the session's user changed
	ended     bool // the session is over
}

// decide adds what a command decides.
func (d *draft) decide(c execution.Command) error {
	events, err := c.Decide(d.state)
	if err != nil {
		return err
	}
	d.events = append(d.events, events...)
	d.state = domain.Fold(d.state, events...)
	return nil
}

// commit writes the draft's decisions: all of them, or none. The claim makes
// it the only writer that saw this state. A crash before it loses a step that
// nobody was told of; after it, the step is done, and what it owes is paid by
// whoever loads the execution next.
func (x *Executor) commit(ctx context.Context, d *draft) error {
	if len(d.events) == 0 {
		return nil
	}
	revision, err := x.Executions.Append(ctx, streamOf(d.id), d.revision, d.events, x.meta(d.id, d.state, d.visit.Caller))
	if err != nil {
		return fmt.Errorf("execution %s: %w", d.id, x.overtaken(ctx, d, err))
	}
	x.tell(ctx, d)
	if x.committed != nil {
		x.committed(d.id, d.events, d.state)
	}
	d.revision, d.events = revision, nil
	return nil
}

// overtaken tells whether an append failed because another request was faster:
// one that ended the execution has destroyed the key that this one would seal
// with.
func (x *Executor) overtaken(ctx context.Context, d *draft, err error) error {
	if _, lost := errors.AsType[*eventstore.WrongExpectedError](err); lost {
		return err
	}
	_, revision, loadErr := x.Executions.Load(ctx, streamOf(d.id))
	if loadErr != nil || revision == d.revision {
		return err
	}
	return &eventstore.WrongExpectedError{Stream: streamOf(d.id), Expected: eventstore.At(d.revision), Actual: revision}
}

// tell logs what was decided. Beginnings and ends are what operators look for;
// steps are for those who debug. Nobody is named.
func (x *Executor) tell(ctx context.Context, d *draft) {
	if x.Log == nil {
		return
	}
	level := slog.LevelDebug
	message := "execution advanced"
	switch {
	case d.state.Status != execution.Running:
		level, message = slog.LevelInfo, "execution ended"
	case d.revision < 0:
		level, message = slog.LevelInfo, "execution started"
	}
	x.Log.Log(ctx, level, message, "execution", d.id, "request", d.visit.Caller.Request, "flow", d.state.Slug,
		"status", d.state.Status, "cause", d.state.Outcome.Cause, "events", len(d.events))
}
