// Package stage holds the kinds of stage, one per file: what each asks and how
// it judges a response. A stage reads and judges; it changes nothing, and it
// knows nothing of the stages around it.
package stage

import (
	"context"
	"encoding/json"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
)

// A Stage is one kind of step, configured: its fields are what a blueprint or
// the admin API sets.
type Stage interface {
	// Enter is called when the stage comes up, and again whenever its
	// challenge is fetched. It asks for something, or settles the matter at
	// once.
	Enter(ctx context.Context, in Input) (execution.Outcome, error)

	// Respond judges a response to what Enter asked. An answer that is wrong
	// is an outcome; an error means that there is none.
	Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error)
}

// An Input is what a stage may look at.
type Input struct {
	Execution string
	State     execution.State
	Entry     execution.Entry
	Name      string // of the stage
	Flow      Flow
	Subject   user.Person // the pending user; also somebody who does not exist, by name
	Visitor   user.Person // who is logged in to the browser
	Caller    session.Caller
	Recovery  string // slug of the brand's recovery flow; empty when there is none
	Env       Env
	Records   Records
	Services  Services
}

// Flow is the flow that is run.
type Flow struct {
	ID string
	object.Flow
}

// Env is what a stage may look up.
type Env interface {
	// FindUser returns the user one of whose fields (username, email, upn)
	// has this value, and nobody if there is none.
	FindUser(ctx context.Context, fields []string, value string, foldCase bool) (user.Person, error)

	// CheckPassword verifies a typed password. It takes as long for somebody
	// who does not exist.
	CheckPassword(ctx context.Context, who user.Person, password string) (Verified, error)

	// Object loads a configured thing by its primary key. Its Config is nil if
	// there is none.
	Object(ctx context.Context, id string) (Object, error)

	// Sessions lists the living sessions of a user: those known of a moment
	// ago, or all that anybody was told of, which has to be waited for.
	Sessions(ctx context.Context, userID string, all bool) ([]OtherSession, error)

	// Policies returns what policies and expressions can be asked with.
	Policies() Asker
}

// Records is what was promised to people before, and what they agreed to. It
// is as new as the ledger.
type Records interface {
	// Invitation returns an invitation; the zero one if there is none.
	Invitation(ctx context.Context, id string) (invitation.State, error)

	// Consent returns what a user lets an application see, given the ids of
	// both; the zero one if nothing.
	Consent(ctx context.Context, userID, application string) (consent.State, error)

	// Token returns a token; the zero one if there is none.
	Token(ctx context.Context, id string) (token.State, error)

	// AppPassword returns which app password of a user has this key; nothing
	// if none has.
	AppPassword(ctx context.Context, userID, key string) (domain.Ref, error)
}

// An Object is a configured thing: what it is, and its configuration.
type Object struct {
	domain.Ref
	Config any
}

// An Asker evaluates policies and expressions in the name of a stage.
type Asker interface {
	// FlowBySlug returns the id of a flow, or nothing.
	FlowBySlug(ctx context.Context, slug string) (string, error)

	// Validate asks policies about what was typed, all of which must pass.
	Validate(ctx context.Context, in Input, policies []string, typed map[string]any) (Validation, error)

	// Expression evaluates a text as prompts do. If it is the expression that
	// fails, the error is an [*ExpressionError].
	Expression(ctx context.Context, in Input, source string, typed map[string]any) (any, error)

	// HashPassword makes the stored form of a new password.
	HashPassword(ctx context.Context, password domain.Secret) (domain.Secret, error)
}

// An ExpressionError is a fault of an expression, as opposed to one of the
// machinery that evaluates it.
type ExpressionError struct{ Err error }

// Error implements error.
func (e *ExpressionError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ExpressionError) Unwrap() error { return e.Err }

// A Validation is what policies said about what was typed, and what they wrote
// on the way, as the contract lets them (spec/flows.md 8.4).
type Validation struct {
	execution.Evaluation
	Typed map[string]any    // what was typed, as they left it
	Wrote []execution.Event // what else they changed
}

// Verified is what checking a password gave.
type Verified struct {
	OK         bool
	Credential string        // id of the stored form that it was compared with
	Rehash     domain.Secret // the form that should replace it; empty if it is fine
}

// An OtherSession is a living session of somebody.
type OtherSession struct {
	ID string
	IP string
}

// kind is what a stage's file says of itself.
type kind struct {
	Model  string // as blueprints name it
	Path   string // below /api/v3/stages/
	Name   string // for people
	Form   string // component of the edit form; made of Path unless given
	About  string // one sentence for the list of types
	Config func() Stage
}

// register adds a kind of stage to the catalog.
func register(k kind) {
	catalog.Register(catalog.Kind{
		Model: k.Model, Category: catalog.Stage, Path: "stages/" + k.Path, Form: k.Form, Name: k.Name,
		Description: k.About, Natural: [][]string{{"name"}},
		New: func() any { return k.Config() },
	})
}

// Named is part of every stage's configuration.
type Named struct {
	Name string `json:"name" catalog:"required"`
}

// Load makes a stage of what is stored of it.
func Load(model string, fields map[string]any) (Stage, error) {
	k, ok := catalog.Lookup(model)
	if !ok {
		return nil, unknown(model)
	}
	config, err := k.Load(fields)
	if err != nil {
		return nil, err
	}
	s, ok := config.(Stage)
	if !ok {
		return nil, unknown(model)
	}
	return s, nil
}
