package policy

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
)

// functions are the host's functions (spec/flows.md 8.13), beside those that
// the language itself has.
var functions map[string]func(*evaluation, *expr.Call) (expr.Value, error)

// The functions find each other by this table, so it is made last.
func init() {
	functions = map[string]func(*evaluation, *expr.Call) (expr.Value, error){
		"ak_message":                (*evaluation).message,
		"ak_user_by":                (*evaluation).userBy,
		"ak_is_group_member":        (*evaluation).isGroupMember,
		"ak_user_has_authenticator": free(hasAuthenticator),
		"ak_call_policy":            (*evaluation).callPolicy,
		"ak_send_email":             (*evaluation).sendEmail,
		"resolve_dns":               (*evaluation).resolveDNS,
		"reverse_dns":               (*evaluation).reverseDNS,
		"ak_create_event":           (*evaluation).createEvent,
	}
}

// free makes a function of one that needs nothing of the evaluation.
func free(fn func(*expr.Call) (expr.Value, error)) func(*evaluation, *expr.Call) (expr.Value, error) {
	return func(_ *evaluation, c *expr.Call) (expr.Value, error) { return fn(c) }
}

// Limits of what one evaluation may say.
const (
	maxMessages = 50
	maxLog      = 100
)

func (e *evaluation) message(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("message")
	if err != nil {
		return nil, err
	}
	said, err := c.Text(args[0])
	if err == nil && len(e.messages) < maxMessages {
		e.messages = append(e.messages, e.told(said, maxText))
	}
	return expr.None, err
}

func (e *evaluation) userBy(c *expr.Call) (expr.Value, error) {
	if len(c.Args) > 0 {
		return nil, expr.Raise("TypeError", "ak_user_by() takes conditions like username=value")
	}
	q := &query{e: e, m: userModel, call: "User.objects"}
	call := "ak_user_by(" + e.arguments(c.Named) + ")"
	chosen, err := q.filter(c)
	var found []row
	if err == nil {
		found, err = chosen.(*query).load(1)
	}
	if fault, ok := errors.AsType[*expr.Error](err); ok && !fault.Limit() && (fault.Kind == "FieldError" || fault.Kind == "ValueError") {
		e.look(call, "nothing: "+fault.Message)
		return expr.None, nil // the contract's answer to a filter that makes no sense
	}
	if err != nil {
		return nil, err
	}
	e.look(call, foundRows(found))
	if len(found) == 0 {
		return expr.None, nil
	}
	return found[0], nil
}

func (e *evaluation) isGroupMember(c *expr.Call) (expr.Value, error) {
	if len(c.Args) != 1 {
		return nil, expr.Raise("TypeError", "ak_is_group_member() takes a user and conditions")
	}
	p, ok := c.Args[0].(*person)
	if !ok {
		return expr.Bool(false), nil
	}
	all := &query{e: e, m: groupModel, local: groupRows(e, p.Groups), call: "user.all_groups()"}
	given := *c
	given.Args = nil
	kept, err := all.filter(&given)
	if err != nil {
		return nil, err
	}
	rows, err := kept.(*query).load(1)
	return expr.Bool(len(rows) > 0), err
}

// deviceTypes are the classes of authenticators, as expressions name them.
var deviceTypes = []string{"totp", "static", "webauthn", "duo", "sms", "email"}

// hasAuthenticator knows no device: there are none in this release.
func hasAuthenticator(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("user", "device_type?")
	if err != nil {
		return nil, err
	}
	if t := args[1]; t != nil && t != expr.None && !slices.Contains(deviceTypes, text(t)) {
		return nil, expr.Raise("ValueError", "there is no device type %s; there are %s", expr.Repr(t), strings.Join(deviceTypes, ", "))
	}
	return expr.Bool(false), nil
}

// maxCalls bounds policies that call policies.
const maxCalls = 5

func (e *evaluation) callPolicy(c *expr.Call) (expr.Value, error) {
	if len(c.Args) != 1 {
		return nil, expr.Raise("TypeError", "ak_call_policy() takes the name of a policy")
	}
	name := text(c.Args[0])
	p, err := e.q.Env.Directory.Policy(e.ctx, name)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, expr.Raise("ValueError", "Policy '%s' not found.", name)
	}
	if first := e.first(); first.calls >= maxCalled {
		return nil, expr.Raise("RuntimeError", "a policy can call others at most %d times, those that they call included", maxCalled)
	} else {
		first.calls++
	}
	q := e.q
	q.Plan, q.Depth = nil, q.Depth+1
	if q.Depth > maxCalls {
		return nil, expr.Raise("RecursionError", "policies call each other more than %d deep", maxCalls)
	}
	q.Extra = map[string]any{}
	for k, v := range e.q.Extra {
		q.Extra[k] = v
	}
	for _, n := range c.Named {
		q.Extra[n.Name] = expr.ToGo(n.Value)
	}
	v, returned, err := called(e.ctx, p, q)
	e.lookups = append(e.lookups, v.Detail.Lookups[:min(len(v.Detail.Lookups), max(maxLookups-len(e.lookups), 0))]...)
	if ctx := e.ctx.Err(); ctx != nil {
		return nil, ctx
	}
	if fault, ok := errors.AsType[*expr.Error](err); ok && fault.Limit() {
		return nil, err
	}
	call := "ak_call_policy(" + expr.Repr(expr.Str(name))
	if len(c.Named) > 0 {
		call += ", " + e.arguments(c.Named)
	}
	e.look(call+")", "passing "+strconv.FormatBool(v.Passing && err == nil))
	if err != nil {
		v, returned = Verdict{Messages: []string{message(err)}}, expr.None // it does not pass (spec/flows.md 8.4)
	}
	for _, effect := range v.Effects {
		if err := e.ask(effect); err != nil {
			return nil, err
		}
	}
	return attributes{"PolicyResult", map[string]expr.Value{
		"passing": expr.Bool(v.Passing), "messages": expr.FromGo(v.Messages), "raw_result": returned,
	}}, nil
}

// called asks a policy, and tells the value that it returned: of an expression
// whatever that is, of others the verdict.
func called(ctx context.Context, p Policy, q Request) (Verdict, expr.Value, error) {
	if x, ok := p.(*Expression); ok {
		return x.pass(ctx, q)
	}
	v, err := p.Passes(ctx, q)
	return v, expr.Bool(v.Passing), err
}
