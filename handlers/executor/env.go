package executor

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
)

// env is what a stage may look up while it judges for one execution.
type env struct {
	x *Executor
	d *draft
}

var (
	_ stage.Env      = (*env)(nil)
	_ stage.Asker    = (*env)(nil)
	_ stage.Records  = (*env)(nil)
	_ stage.Services = (*env)(nil)
)

// An outsideError is a fault of the machinery that a stage asked, not of the
// stage: the store does not answer, the client has left.
type outsideError struct{ err error }

// Error implements error.
func (e *outsideError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *outsideError) Unwrap() error { return e.err }

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return &outsideError{err}
}

func outside(err error) bool {
	_, is := errors.AsType[*outsideError](err)
	return is || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// FindUser implements [stage.Env].
func (e *env) FindUser(ctx context.Context, fields []string, value string, foldCase bool) (user.Person, error) {
	if len(fields) == 0 || value == "" {
		return user.Person{}, nil
	}
	p, err := e.x.People.FindPerson(ctx, fields, value, foldCase)
	return p, wrap(err)
}

// CheckPassword implements [stage.Env]. The stored form is read from the
// user's own stream, where it is sealed; nobody's is a form that matches
// nothing, so that the arithmetic is done all the same.
func (e *env) CheckPassword(ctx context.Context, who user.Person, typed string) (stage.Verified, error) {
	var s user.State
	if who.Exists() {
		var err error
		if s, _, err = e.x.Users.Load(ctx, eventstore.Stream("user", who.ID)); err != nil {
			return stage.Verified{}, wrap(err)
		}
	}
	password := domain.NewSecret(typed)
	ok, rehash, err := e.x.Passwords.Verify(ctx, s.Password, password)
	if err != nil || !ok || !s.Active || s.Status != user.Present {
		return stage.Verified{}, wrap(err)
	}
	v := stage.Verified{OK: true, Credential: s.Credential}
	if rehash {
		v.Rehash, err = e.x.Passwords.Hash(ctx, password)
	}
	return v, wrap(err)
}

// Object implements [stage.Env]. What belongs to the plan is as it was then;
// all else, as another flow that a stage leads to, is as it is.
func (e *env) Object(ctx context.Context, id string) (stage.Object, error) {
	t, ok, err := e.x.thing(ctx, id, e.d.state.Pins)
	if err != nil || !ok {
		return stage.Object{}, wrap(err)
	}
	config, err := load[any](t)
	return stage.Object{Ref: t.Ref(), Config: config}, err
}

// Sessions implements [stage.Env].
func (e *env) Sessions(ctx context.Context, userID string, complete bool) ([]stage.OtherSession, error) {
	if complete {
		if err := e.x.Wait(ctx); err != nil {
			return nil, wrap(err)
		}
	}
	all, err := e.x.People.LivingSessions(ctx, userID)
	return all, wrap(err)
}

// Policies implements [stage.Env].
func (e *env) Policies() stage.Asker { return e }

// FlowBySlug implements [stage.Asker].
func (e *env) FlowBySlug(_ context.Context, slug string) (string, error) {
	t, _ := e.x.Definitions.FlowBySlug(slug)
	return t.ID, nil
}

// HashPassword implements [stage.Asker].
func (e *env) HashPassword(ctx context.Context, password domain.Secret) (domain.Secret, error) {
	hash, err := e.x.Passwords.Hash(ctx, password)
	return hash, wrap(err)
}

// Validate implements [stage.Asker]: every policy has to pass, and no binding
// stands between it and the verdict.
func (e *env) Validate(ctx context.Context, in stage.Input, policies []string, typed map[string]any) (stage.Validation, error) {
	bound := []policy.Bound{}
	for i, id := range policies {
		ref, p, err := e.x.policy(ctx, id, e.d.state.Pins)
		if err != nil {
			return stage.Validation{}, err
		}
		if p != nil {
			bound = append(bound, policy.Bound{
				Ref: execution.BindingRef{Order: i}, Binding: object.PolicyBinding{Enabled: true, Timeout: 30}, Policy: ref, Judge: p,
			})
		}
	}
	r, err := e.request(ctx, in, typed)
	if err != nil {
		return stage.Validation{}, err
	}
	target := execution.Target{Kind: "prompt_validation", Ref: in.Entry.Stage}
	asked, err := e.x.evaluate(ctx, e.d, question{target: target, phase: "respond", mode: "all", bound: bound}, r)
	v := stage.Validation{Evaluation: asked, Typed: typed}
	// What they wrote into what was typed goes on with it; anything else is
	// theirs to tell.
	others := &policy.Plan{Flow: r.Plan.Flow}
	for _, w := range r.Plan.Writes {
		if data, ok := w.Value.(map[string]any); ok && w.Key == execution.KeyPromptData {
			v.Typed = data
			continue
		}
		others.Writes = append(others.Writes, w)
	}
	v.Wrote = e.x.wrote(e.d, others, "policy")
	return v, err
}

// request is what is asked about something that was just typed.
func (e *env) request(ctx context.Context, in stage.Input, typed map[string]any) (policy.Request, error) {
	r, err := e.x.request(ctx, e.d, &policy.Plan{Flow: e.d.flow.Ref()})
	if err != nil || typed == nil {
		return r, wrap(err)
	}
	known := maps.Clone(in.State.Context)
	if known == nil {
		known = execution.Context{}
	}
	known[execution.KeyPromptData] = typed
	r.Context = known
	return r, nil
}

// Expression implements [stage.Asker].
func (e *env) Expression(ctx context.Context, in stage.Input, source string, typed map[string]any) (any, error) {
	r, err := e.request(ctx, in, typed)
	if err != nil {
		return nil, err
	}
	v, err := policy.Express(ctx, source, r)
	if err == nil || ctx.Err() != nil {
		return v, wrap(ctx.Err())
	}
	if e.x.Log != nil {
		// Neither what failed nor its text is named here: both may quote people.
		e.x.Log.WarnContext(ctx, "expression failed", "execution", e.d.id, "stage", in.Entry.Stage.ID, "request", e.d.visit.Caller.Request)
	}
	if fault, is := errors.AsType[*expr.Error](err); is && len(in.State.Secrets()) > 0 {
		// What an exception says may hold a secret, in whatever disguise.
		err = &expr.Error{Kind: fault.Kind, Line: fault.Line, Column: fault.Column}
	}
	return nil, &stage.ExpressionError{Err: err}
}

// A redirection is the stage behind an entry that a policy inserted: it sends
// the browser away, and never completes.
type redirection struct{ to string }

// Enter implements [stage.Stage].
func (r redirection) Enter(context.Context, stage.Input) (execution.Outcome, error) {
	return execution.Ask{Challenge: stage.RedirectChallenge{To: r.to}}, nil
}

// Respond implements [stage.Stage].
func (r redirection) Respond(context.Context, stage.Input, json.RawMessage) (execution.Outcome, error) {
	return execution.Ask{Challenge: stage.RedirectChallenge{To: r.to}}, nil
}
