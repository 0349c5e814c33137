package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
)

// A Bound is a policy binding with what it binds.
type Bound struct {
	Ref     execution.BindingRef
	Binding object.PolicyBinding
	Policy  domain.Ref // of the policy, if it binds one
	Judge   Policy     // nil for a binding to a user or a group
}

// A Question is what is asked of a target's policies.
type Question struct {
	ID     string // of the evaluation
	Target execution.Target
	Phase  string
	Mode   string // all or any
	Bound  []Bound
	// KeepOnError makes an error a third outcome that lets the target pass
	// where it decides: a broken policy must not remove a password stage
	// (spec/product.md 3, row 4).
	KeepOnError bool
	// Effect gives each effect that a policy asks for an id of its own.
	Effect func(n int) string
}

// Evaluate asks every enabled binding of a target, in order and without
// stopping early (spec/flows.md 8.3).
func Evaluate(ctx context.Context, q Question, r Request) execution.Evaluation {
	start := r.Clock()
	var effects []execution.Effect
	e := execution.Evaluation{ID: q.ID, Target: q.Target, Phase: q.Phase, Mode: q.Mode, Results: []execution.PolicyResult{}}
	for _, b := range q.Bound {
		if b.Binding.Enabled && b.Judge != nil {
			if e.Inputs == "" {
				e.Inputs = digest(r, start)
			}
			before := r.Plan.written()
			result, v := judge(ctx, b, r)
			r.Context = r.Plan.onto(r.Context, before)
			e.Results, e.Details = append(e.Results, result), append(e.Details, v.Detail)
			e.Messages, effects = append(e.Messages, v.Detail.Messages...), append(effects, v.Effects...)
		}
	}
	if s, any := static(q, r.User); any {
		e.Results, e.Details = append(e.Results, s), append(e.Details, execution.Detail{})
	}
	e.Passing, e.Kept = verdict(q, e.Results)
	if !e.Passing {
		e.Decisive = failing(q, e.Results)
	}
	for i := range effects {
		effects[i].ID = q.Effect(i)
	}
	e.Debts = execution.Owing(effects)
	e.MS = r.Clock().Sub(start).Milliseconds()
	return e
}

// verdict combines results. With KeepOnError, an error is neither true nor
// false, and the verdict is computed in three values.
func verdict(q Question, results []execution.PolicyResult) (passing, kept bool) {
	if len(results) == 0 {
		return true, false
	}
	pass, fail, unknown := 0, 0, 0
	for _, r := range results {
		switch {
		case r.Passing:
			pass++
		case q.KeepOnError && r.Erred():
			unknown++
		default:
			fail++
		}
	}
	if q.Mode == "all" {
		return fail == 0, fail == 0 && unknown > 0
	}
	return pass+unknown > 0, pass == 0 && unknown > 0
}

// failing lists the results that made a target fail. An error that lets it
// pass is none of them.
func failing(q Question, results []execution.PolicyResult) []int {
	var at []int
	for i, r := range results {
		if !r.Passing && !(q.KeepOnError && r.Erred()) {
			at = append(at, i)
		}
	}
	return at
}

// static computes the one result of all bindings to users and groups. Nobody
// matches none of them, not even a negated one.
func static(q Question, who user.Person) (execution.PolicyResult, bool) {
	r := execution.PolicyResult{TargetType: "static", Outcome: "ok"}
	for _, b := range q.Bound {
		if !b.Binding.Enabled || b.Judge != nil {
			continue
		}
		r.Bindings = append(r.Bindings, b.Ref.ID)
		if who.Exists() && matches(b.Binding, who) != b.Binding.Negate {
			r.Matched = append(r.Matched, b.Ref.ID)
		}
	}
	if q.Mode == "all" {
		r.Passing = len(r.Matched) == len(r.Bindings)
	} else {
		r.Passing = len(r.Matched) > 0
	}
	return r, len(r.Bindings) > 0
}

func matches(b object.PolicyBinding, who user.Person) bool {
	if b.User != nil {
		return *b.User == who.Key
	}
	return b.Group != nil && who.Member(*b.Group)
}

// judge asks one policy, within its time. One that gives no verdict asks for
// no effects.
func judge(ctx context.Context, b Bound, r Request) (execution.PolicyResult, Verdict) {
	start := r.Clock()
	result := execution.PolicyResult{
		Binding: &b.Ref, TargetType: "policy", Policy: &b.Policy, Negate: b.Binding.Negate,
		FailureResult: b.Binding.FailureResult, Outcome: "ok",
	}
	v, err := ask(ctx, b, r)
	v.Detail.Messages = v.Messages
	result.Passing = v.Passing != b.Binding.Negate
	result.Reasons, result.Facts = v.Reasons, v.Facts
	if err != nil {
		result.Passing, result.Outcome = b.Binding.FailureResult, "exception"
		if errors.Is(err, context.DeadlineExceeded) {
			result.Outcome = "timeout"
		}
		v.Detail.Error, v.Detail.Messages, v.Effects = cut(err.Error()), []string{cut(message(err))}, nil
	}
	result.MS = r.Clock().Sub(start).Milliseconds()
	return result, v
}

// defaultTimeout bounds a policy whose binding says zero: without any bound a
// request would hang with it.
const defaultTimeout = 30 * time.Second

// ask lets one policy judge. A policy that panics has a fault of ours; it
// counts as an error of that policy, not of the login.
func ask(ctx context.Context, b Bound, r Request) (v Verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = Verdict{}, fmt.Errorf("policy %s: panic: %v", b.Policy.Name, p)
		}
	}()
	limit := time.Duration(b.Binding.Timeout) * time.Second
	if limit == 0 {
		limit = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return b.Judge.Passes(ctx, r)
}

// message is the sentence of an error for the client: the contract shows the
// text of the exception.
func message(err error) string {
	if m, ok := err.(interface{ Sentence() string }); ok {
		return m.Sentence()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "The policy took too long."
	}
	return err.Error()
}

// cut bounds a text that is recorded (spec/events.md 4.2).
func cut(text string) string { return shorten(text, maxText) }

// maxText bounds most texts, in bytes.
const maxText = 2 << 10

func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// Order sorts bindings as they are asked.
func Order(bound []Bound) {
	slices.SortStableFunc(bound, func(a, b Bound) int { return a.Ref.Order - b.Ref.Order })
}
