package policy

import (
	"context"
	"net/netip"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/expr"
)

// An evaluation is one run of an expression, with all that it can reach.
type evaluation struct {
	ctx      context.Context
	q        Request
	plan     *expr.Dict            // the plan's context, which expressions may write
	context  *expr.Dict            // what policies know
	found    map[string]expr.Value // the names that were asked for
	messages []string
	log      []string
	pending  *person
	redirect []string
	secrets  []string // texts of the context that must not be repeated
	trail
}

// available are the modules beside those of the language.
var available = map[string]map[string]expr.Value{
	"authentik.core.models": {
		"User": userModel, "Group": groupModel,
		"USER_ATTRIBUTE_CHANGE_EMAIL":    expr.Str("goauthentik.io/user/can-change-email"),
		"USER_ATTRIBUTE_CHANGE_NAME":     expr.Str("goauthentik.io/user/can-change-name"),
		"USER_ATTRIBUTE_CHANGE_USERNAME": expr.Str("goauthentik.io/user/can-change-username"),
		"USER_ATTRIBUTE_DEBUG":           expr.Str("goauthentik.io/user/debug"),
	},
	"requests": requestsModule, "requests.exceptions": requestExceptions,
	"authentik.flows.planner": {
		"PLAN_CONTEXT_PENDING_USER": expr.Str("pending_user"), "PLAN_CONTEXT_PENDING_USER_IDENTIFIER": expr.Str("pending_user_identifier"),
		"PLAN_CONTEXT_SSO": expr.Str("is_sso"), "PLAN_CONTEXT_REDIRECT": expr.Str("redirect"), "PLAN_CONTEXT_APPLICATION": expr.Str("application"),
		"PLAN_CONTEXT_SOURCE": expr.Str("source"), "PLAN_CONTEXT_IS_RESTORED": expr.Str("is_restored"),
		"PLAN_CONTEXT_IS_REDIRECTED": expr.Str("is_redirected"),
	},
	"authentik.flows.views.executor": {"SESSION_KEY_GET": expr.Str(sessionGet), "SESSION_KEY_PLAN": expr.Str(sessionPlan)},
	"authentik.stages.prompt.stage":  {"PLAN_CONTEXT_PROMPT": expr.Str(execution.KeyPromptData)},
	"authentik.admin.utils":          {"get_system_settings": expr.Builtin("get_system_settings", systemSettings)},
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
	e := &evaluation{q: q, secrets: secretTexts(map[string]any(q.Context), nil)}
	if q.HTTP != nil {
		e.secrets = append(e.secrets, secretsOf(q.HTTP.Query)...)
	}
	e.caller, _ = ctx.Value(evaluationKey{}).(*evaluation)
	e.ctx = e.within(ctx)
	return e
}

func (e *evaluation) run(source string) (expr.Result, error) {
	program, err := compiled(source)
	if err != nil {
		return expr.Result{}, err
	}
	e.source = source
	result, err := program.Eval(e.ctx, expr.Env{Find: e.find, Modules: available, Now: e.q.Clock(), Seed: e.q.Seed, Trace: e.trace(source)})
	if q, ok := result.Value.(*query); ok {
		q.Items() // the verdict is whether there are any
	}
	if err == nil {
		err = e.fault // something of this rests on a look-up that failed
	}
	return result, err
}

// names are what an expression finds (spec/flows.md 8.13), with how each is
// made when it is asked for; one that makes nothing is not there this time.
var names = map[string]func(*evaluation) expr.Value{
	"request":        (*evaluation).request,
	"context":        func(e *evaluation) expr.Value { return e.known() },
	"user":           (*evaluation).user,
	"http_request":   (*evaluation).httpRequest,
	"ak_client_ip":   (*evaluation).clientIP,
	"prompt_context": (*evaluation).promptContext,
	"ak_is_sso_flow": func(e *evaluation) expr.Value {
		sso, _ := e.q.Context[execution.KeyIsSSO].(bool)
		return expr.Bool(sso)
	},
	"ak_logger": func(e *evaluation) expr.Value { return &logger{e: e} },
	"requests":  func(*evaluation) expr.Value { return attributes{"Session", requestsModule} },
}

// find returns what a name means, the same each time; nil for nothing.
func (e *evaluation) find(name string) expr.Value {
	if v, ok := e.found[name]; ok {
		return v
	}
	var v expr.Value
	if make, ok := names[name]; ok {
		v = make(e)
	} else if fn, ok := functions[name]; ok {
		v = expr.Builtin(name, func(c *expr.Call) (expr.Value, error) { return fn(e, c) })
	}
	if e.found == nil {
		e.found = map[string]expr.Value{}
	}
	e.found[name] = v
	return v
}

func (e *evaluation) request() expr.Value { return policyRequest{e} }

// A policyRequest is what the policy is asked with. Its parts are made when
// they are asked for.
type policyRequest struct{ e *evaluation }

// Type implements [expr.Value].
func (policyRequest) Type() string { return "PolicyRequest" }

// Attr implements [expr.Attrs].
func (r policyRequest) Attr(name string) (expr.Value, bool) {
	switch name {
	case "user":
		return r.e.find(name), true
	case "context":
		return r.e.known(), true
	case "http_request":
		if h := r.e.find(name); h != nil {
			return h, true
		}
		return expr.None, true
	case "debug":
		return expr.Bool(r.e.q.Watch != nil), true
	case "obj":
		return r.e.object(), true
	}
	return nil, false
}

func (e *evaluation) user() expr.Value { return &person{Person: e.q.User, e: e} }

// object is what the policies are bound to.
func (e *evaluation) object() expr.Value {
	fields := map[string]expr.Value{"pk": expr.Str(e.q.Target.ID), "name": expr.Str(e.q.Target.Name)}
	for name, v := range e.q.Object {
		fields[name] = fromPlain(v)
	}
	return attributes{"object", fields}
}

func (e *evaluation) httpRequest() expr.Value {
	if e.q.HTTP == nil {
		return nil
	}
	return &httpRequest{HTTP: e.q.HTTP, e: e, parts: map[string]expr.Value{}}
}

func (e *evaluation) clientIP() expr.Value {
	if e.q.HTTP == nil {
		return nil
	}
	ip, err := netip.ParseAddr(e.q.HTTP.Caller.Network.IP)
	if err != nil {
		return nil
	}
	return expr.IPAddress(ip)
}

func (e *evaluation) promptContext() expr.Value {
	e.known()
	if data, ok := e.plan.Get(execution.KeyPromptData); ok {
		return data
	}
	return expr.NewDict()
}

// known is the policies' context: the plan's, whose nested values it shares,
// and what is only for policies.
func (e *evaluation) known() *expr.Dict {
	if e.context != nil {
		return e.context
	}
	e.plan, e.context = fromMap(e.q.Context), expr.NewDict()
	if e.q.Pending != nil {
		e.pending = &person{Person: e.q.Pending.Person, backend: e.q.Pending.Backend, e: e}
		e.plan.Set(execution.KeyPendingUser, e.pending)
	}
	e.context.Reserve(e.plan.Len() + len(e.q.Extra) + 1)
	if e.q.Plan != nil {
		e.context.Set("flow_plan", &flowPlan{e: e})
	}
	for _, key := range e.plan.Keys() {
		name := string(key.(expr.Str))
		v, _ := e.plan.Get(name)
		e.context.Set(name, v)
	}
	if event, ok := e.event(); ok {
		e.context.Set("event", event)
	}
	for key, v := range e.q.Extra {
		if _, given := e.context.Get(key); v != nil || !given {
			e.context.Set(key, fromPlain(v)) // what no database knows hides nothing that somebody gave
		}
	}
	return e.context
}
