package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// An evaluation is one run of an expression, with all that it can reach.
type evaluation struct {
	ctx      context.Context
	q        Request
	plan     *expr.Dict // the plan's context, which expressions may write
	before   map[string]any
	messages []string
	log      []string
	pending  *person
	redirect []string
	secrets  []string // texts of the context that must not be repeated
}

// available are the modules beside those of the language.
var available = map[string]map[string]expr.Value{
	"authentik.core.models": {
		"USER_ATTRIBUTE_CHANGE_EMAIL":    expr.Str("goauthentik.io/user/can-change-email"),
		"USER_ATTRIBUTE_CHANGE_NAME":     expr.Str("goauthentik.io/user/can-change-name"),
		"USER_ATTRIBUTE_CHANGE_USERNAME": expr.Str("goauthentik.io/user/can-change-username"),
		"USER_ATTRIBUTE_DEBUG":           expr.Str("goauthentik.io/user/debug"),
	},
	"authentik.admin.utils": {"get_system_settings": expr.Builtin("get_system_settings", systemSettings)},
}

// systemSettings are the contract's defaults: this server has no others.
func systemSettings(*expr.Call) (expr.Value, error) {
	return attributes{"SystemSettings", map[string]expr.Value{
		"default_user_change_name":     expr.Bool(true),
		"default_user_change_email":    expr.Bool(false),
		"default_user_change_username": expr.Bool(false),
		"avatars":                      expr.Str("initials"),
	}}, nil
}

func newEvaluation(ctx context.Context, q Request) *evaluation {
	return &evaluation{ctx: ctx, q: q, secrets: secretTexts(map[string]any(q.Context), nil)}
}

func (e *evaluation) run(source string) (expr.Result, error) {
	program, err := compiled(source)
	if err != nil {
		return expr.Result{}, err
	}
	return program.Eval(e.ctx, expr.Env{Names: e.predeclared(), Modules: available, Now: e.q.Clock(), Seed: e.q.Seed})
}

// predeclared are the names that an expression finds (spec/flows.md 8.13).
func (e *evaluation) predeclared() map[string]expr.Value {
	names := e.functions()
	known := e.known()
	request := map[string]expr.Value{
		"user": &person{Person: e.q.User, e: e}, "context": known, "http_request": expr.None, "debug": expr.Bool(false),
		"obj": attributes{"object", map[string]expr.Value{"pk": expr.Str(e.q.Target.ID), "name": expr.Str(e.q.Target.Name)}},
	}
	if e.q.HTTP != nil {
		h := &httpRequest{HTTP: *e.q.HTTP, e: e}
		request["http_request"], names["http_request"] = h, h
		if ip, err := netip.ParseAddr(e.q.HTTP.Caller.Network.IP); err == nil {
			names["ak_client_ip"] = expr.IPAddress(ip)
		}
	}
	names["request"] = attributes{"PolicyRequest", request}
	names["context"] = known
	names["user"] = request["user"]
	names["prompt_context"] = expr.FromGo(plain(e.q.Context.Map(execution.KeyPromptData)))
	if data, ok := e.plan.Get(execution.KeyPromptData); ok {
		names["prompt_context"] = data
	}
	sso, _ := e.q.Context[execution.KeyIsSSO].(bool)
	names["ak_is_sso_flow"] = expr.Bool(sso)
	return names
}

// known is the policies' context: the plan's, whose nested values it shares,
// and what is only for policies.
func (e *evaluation) known() *expr.Dict {
	e.plan, e.before = expr.NewDict(), map[string]any{}
	for key, v := range e.q.Context {
		e.before[key] = plain(v)
		e.plan.Set(key, expr.FromGo(e.before[key]))
	}
	if e.q.Pending != nil {
		e.pending = &person{Person: e.q.Pending.Person, backend: e.q.Pending.Backend, e: e}
		e.plan.Set(execution.KeyPendingUser, e.pending)
	}
	known := expr.NewDict()
	if e.q.Plan != nil {
		known.Set("flow_plan", &flowPlan{e: e})
	}
	for _, key := range e.plan.Keys() {
		name := string(key.(expr.Str))
		v, _ := e.plan.Get(name)
		known.Set(name, v)
	}
	for key, v := range e.q.Extra {
		known.Set(key, expr.FromGo(plain(v)))
	}
	return known
}

// written notes what the expression wrote into the plan. Only a policy that
// came to a verdict has written anything.
func (e *evaluation) written() (err error) {
	if e.q.Plan == nil {
		return nil
	}
	before := len(e.q.Plan.Writes)
	defer func() {
		if err != nil {
			e.q.Plan.Writes = e.q.Plan.Writes[:before]
		}
	}()
	for _, to := range e.redirect {
		e.q.Plan.Writes = append(e.q.Plan.Writes, Write{Redirect: to})
	}
	seen := map[string]bool{}
	for _, key := range e.plan.Keys() {
		name, ok := key.(expr.Str)
		if !ok {
			continue
		}
		seen[string(name)] = true
		v, _ := e.plan.Get(string(name))
		if string(name) == execution.KeyPendingUser {
			e.subject(v)
			continue
		}
		if after := expr.ToGo(v); !reflect.DeepEqual(after, expr.ToGo(expr.FromGo(e.before[string(name)]))) {
			if _, err := json.Marshal(after); err != nil {
				return fmt.Errorf("the value of %q in the context cannot be kept", string(name))
			}
			after = kept(e.q.Context[string(name)], after)
			e.q.Plan.Writes = append(e.q.Plan.Writes, Write{Key: string(name), Value: after})
		}
	}
	for key := range e.before {
		if !seen[key] {
			e.q.Plan.Writes = append(e.q.Plan.Writes, Write{Key: key, Remove: true})
		}
	}
	return nil
}

// subject notes a pending user that the expression set.
func (e *evaluation) subject(v expr.Value) {
	p, ok := v.(*person)
	if !ok || p == e.pending || !p.Exists() {
		return
	}
	if e.pending != nil && e.pending.ID == p.ID {
		return
	}
	who := p.Person
	e.q.Plan.Writes = append(e.q.Plan.Writes, Write{Subject: &who})
}

// plain turns the secrets in a value into texts: expressions work with what
// was typed.
func plain(v any) any {
	switch v := v.(type) {
	case domain.Secret:
		return v.Reveal()
	case execution.Context:
		return plain(map[string]any(v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = plain(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plain(item)
		}
		return out
	}
	return v
}
