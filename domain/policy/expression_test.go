package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/user"
)

// TestExpressionReach states what expressions find: each is true.
func TestExpressionReach(t *testing.T) {
	for name, source := range map[string]string{
		"the user":                        `return request.user.username == "ada" and user.pk == 5 and request.user.is_authenticated`,
		"the user's names":                `return user.name == "Ada" and user.email == "ada@example.org" and user.type == "internal" and str(user) == "ada"`,
		"what the user may":               `return user.is_active and not user.is_superuser and not user.is_anonymous and user.has_usable_password()`,
		"attributes":                      `return user.attributes.get("settings", {}).get("locale") == "de" and user.attributes["a"] == "b"`,
		"attributes of groups":            `return user.group_attributes()["team"] == "x"`,
		"groups":                          `return [g.name for g in user.groups.all()] == ["admins", "Staff"] and user.ak_groups.count() == 2`,
		"filtered groups":                 `return user.all_groups().filter(name="admins").exists() and not user.groups.filter(name="x").exists()`,
		"membership":                      `return ak_is_group_member(request.user, name="admins")`,
		"membership in another case":      `return ak_is_group_member(user, name__iexact="ADMINS") and ak_is_group_member(user, name__startswith="Sta")`,
		"membership in one of several":    `return ak_is_group_member(user, name__in=["x", "Staff"]) and ak_is_group_member(user, pk="g1")`,
		"no membership":                   `return not ak_is_group_member(user, name="x") and not ak_is_group_member(None, name="admins")`,
		"other users":                     `return ak_user_by(username="ada").email == "ada@example.org" and ak_user_by(username="eve") is None`,
		"users are equal by who they are": `return ak_user_by(username="ada") == request.user`,
		"no authenticators":               `return not ak_user_has_authenticator(user) and not ak_user_has_authenticator(user, "totp")`,
		"the request":                     `return http_request.method == "POST" and request.http_request.path == "/api/v3/flows/executor/login/"`,
		"the last of equal parameters":    `return http_request.GET["next"] == "/y" and http_request.GET.get("x") is None`,
		"the query, as a session":         `return http_request.session.get("authentik/flows/get")["next"] == "/y"`,
		"what the client says":            `return http_request.META["HTTP_USER_AGENT"] == "agent" and http_request.headers["Accept-Language"] == "de"`,
		"where the client is":             `return http_request.META["REMOTE_ADDR"] == "192.0.2.7" and http_request.META["HTTP_X_FORWARDED_FOR"] == "a, b"`,
		"no cookies":                      `return len(http_request.COOKIES) == 0 and len(http_request.POST) == 0`,
		"absolute addresses":              `return http_request.build_absolute_uri("/x") == "https://id.example.org/x"`,
		"the client's network":            `return ak_client_ip in ip_network("192.0.2.0/24") and ak_client_ip not in ip_network("10.0.0.0/8")`,
		"the client's address":            `return ak_client_ip == ip_address("192.0.2.7") and not ak_client_ip.is_private or True`,
		"the target":                      `return request.obj.pk == "t" and request.obj.name == "target"`,
		"no test":                         `return request.debug is False`,
		"no single sign-on":               `return ak_is_sso_flow is False`,
		"regular expressions":             `return regex_match("abc", "b") and not regex_match("abc", "^b")`,
		"replacements":                    `return regex_replace("a-b-c", "-", "+") == "a+b+c" and regex_replace("ab", r"(a)(b)", r"\2\1") == "ba"`,
		"dollars are dollars":             `return regex_replace("a", "a", "$1") == "$1"`,
		"slugs":                           `return slugify(" Hello, World! ") == "hello-world"`,
		"first elements":                  `return list_flatten(["a", "b"]) == "a" and list_flatten([]) is None and list_flatten("x") == "x"`,
		"constants of authentik":          "from authentik.core.models import USER_ATTRIBUTE_CHANGE_EMAIL\nreturn USER_ATTRIBUTE_CHANGE_EMAIL == \"goauthentik.io/user/can-change-email\"",
		"no plan before there is one":     `return "flow_plan" not in context and "pending_user" not in context`,
		"nothing typed":                   `return prompt_context.get("x") is None`,
		"the first group":                 `return user.groups.first().name == "admins" and user.groups.filter(name="x").first() is None`,
		"groups by parts of their name":   `return user.groups.filter(name__contains="dmi", group_uuid="g1").count() == 1`,
		"no other fields of groups":       "try:\n  user.groups.filter(x=1)\nexcept Exception as e:\n  return 'x' in str(e)",
		"no other names":                  "try:\n  user.groups.filter(name__in=5)\nexcept TypeError:\n  return True",
		"what nobody has":                 `return not hasattr(user, "x") and not hasattr(user.groups, "x") and not hasattr(http_request, "x")`,
		"addresses that are absolute":     `return http_request.build_absolute_uri("https://x.example/") == "https://x.example/" and http_request.build_absolute_uri().endswith("/login/")`,
		"the brand":                       `return http_request.brand.domain == "authentik-default"`,
		"the settings of the system":      "from authentik.admin.utils import get_system_settings\nreturn get_system_settings().default_user_change_name",
		"the context twice":               `return request.context == context`,
	} {
		t.Run(name, func(t *testing.T) {
			v, err := ran(t, source, asked(ada))
			if err != nil || !v.Passing {
				t.Errorf("got %+v, %v", v, err)
			}
		})
	}
}

func TestAttributesOfGroupsFallBack(t *testing.T) {
	for name, who := range map[string]user.Person{
		"to those of the user": {ID: "u", Username: "x", Attributes: map[string]any{"team": "x"}}, "to none": nobody,
	} {
		v, err := ran(t, `return request.user.group_attributes().get("team", "x") == "x"`, asked(who))
		if err != nil || !v.Passing {
			t.Errorf("%s: got %+v, %v", name, v, err)
		}
	}
}

func TestExpressionWithoutARequest(t *testing.T) {
	r := asked(nobody)
	r.HTTP, r.Extra = nil, map[string]any{"geoip": map[string]any{"country": "DE"}}
	v, err := ran(t, `return request.http_request is None and request.user.is_anonymous and context["geoip"]["country"] == "DE"`, r)
	if err != nil || !v.Passing {
		t.Errorf("got %+v, %v", v, err)
	}
	if _, err := ran(t, `return http_request`, r); err == nil {
		t.Error("there is a request")
	}
	r = asked(nobody)
	r.HTTP.Caller.Network.IP = "nowhere"
	if _, err := ran(t, `return ak_client_ip`, r); err == nil {
		t.Error("an address that is none is one")
	}
	r.Context = execution.Context{"is_sso": true, "list": []any{domain.NewSecret("hunter2"), execution.Context{"a": domain.NewSecret("hunter3")}}}
	v, err = ran(t, "ak_message(str(context['list']))\nreturn ak_is_sso_flow and context['list'][0] == 'hunter2'", r)
	if err != nil || !v.Passing || strings.Contains(v.Messages[0], "hunter") {
		t.Errorf("got %+v, %v", v, err)
	}
}

func TestExpressionPending(t *testing.T) {
	r := asked(ada)
	r.Pending = &policy.Pending{Person: ada}
	unproved, err := ran(t, `return hasattr(context["pending_user"], "backend")`, r)
	if err != nil || unproved.Passing {
		t.Errorf("a user whom nothing proved has a backend: %+v, %v", unproved, err)
	}
	r.Pending.Backend = "b"
	proved, err := ran(t, `return hasattr(request.context["pending_user"], "backend") and context["pending_user"].backend == "b"`, r)
	if err != nil || !proved.Passing {
		t.Errorf("a user whom something proved has none: %+v, %v", proved, err)
	}
	r.Pending = &policy.Pending{Person: user.Person{Username: "ghost"}}
	ghost, err := ran(t, `u = context["pending_user"]
return u.username == "ghost" and u.pk is None and u.is_authenticated`, r)
	if err != nil || !ghost.Passing {
		t.Errorf("who does not exist: %+v, %v", ghost, err)
	}
}

func TestExpressionVerdicts(t *testing.T) {
	tests := map[string]struct {
		source string
		want   bool
	}{
		"true": {"return True", true}, "truthy": {`return "x"`, true}, "one": {"return [0]", true}, "a user": {"return user", true},
		"false": {"return False", false}, "falsy": {`return ""`, false}, "none": {"return None", false}, "no return": {"x = 1", false},
		"an empty list": {"return []", false}, "no groups": {`return user.groups.filter(name="x")`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if v, err := ran(t, tt.source, asked(ada)); err != nil || v.Passing != tt.want {
				t.Errorf("got %t, %v; want %t", v.Passing, err, tt.want)
			}
		})
	}
}

func TestExpressionSaysWhy(t *testing.T) {
	r := asked(ada)
	r.Context = execution.Context{"prompt_data": map[string]any{"name": "Ada", "pin": domain.NewSecret("hunter2"), "short": domain.NewSecret("7")}}
	v, err := ran(t, strings.Join([]string{
		`typed = context["prompt_data"]`,
		`given, api_key, seven = typed["pin"], "k", typed["short"]`,
		`ak_message("You typed " + given)`,
		`ak_message("second")`,
		`ak_logger.info("checking", name=typed["name"], password="p", pin=given)`,
		`n = 8`,
		`  `,
		`return (given == "x" or api_key) and seven and n and typed`,
	}, "\n"), r)
	if err != nil {
		t.Fatal(err)
	}
	const mask = "********************"
	want := policy.Verdict{
		Passing: true, Messages: []string{"You typed " + mask, "second"}, Facts: map[string]any{"line": 8},
		Detail: execution.Detail{
			Log: []string{"info checking name=Ada password=" + mask + " pin=" + mask},
			Names: map[string]string{
				"given": mask, "api_key": mask, "seven": mask, "n": "8",
				"typed": "{'name': 'Ada', 'pin': '" + mask + "', 'short': '" + mask + "'}",
			},
			Source: `return (given == "x" or api_key) and seven and n and typed`,
		},
	}
	if strings.Contains(v.Detail.Raw, "hunter2") {
		t.Errorf("the value shows a secret: %s", v.Detail.Raw)
	}
	v.Detail.Raw = ""
	if diff := cmp.Diff(want, v, alike); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
	if v, err := ran(t, `return context["prompt_data"]["short"]`, r); err != nil || v.Detail.Raw != mask {
		t.Errorf("a returned secret is recorded as %q, %v", v.Detail.Raw, err)
	}
}

func TestExpressionFaults(t *testing.T) {
	r := asked(ada)
	r.Context = execution.Context{"pin": domain.NewSecret("hunter2")}
	tests := map[string]struct {
		source, message, at string
		line                int
	}{
		"an exception":         {"x = 1\nraise ValueError('no such thing')", "no such thing", "raise ValueError('no such thing')", 2},
		"an unknown name":      {"return nonsense", "name 'nonsense' is not defined", "return nonsense", 1},
		"a missing key":        {`return context["x"]`, "'x'", `return context["x"]`, 1},
		"a secret in an error": {`raise ValueError("bad " + context["pin"])`, "bad ********************", `raise ValueError("bad " + context["pin"])`, 1},
		"endless work":         {"while True:\n  pass", "The policy used too many resources.", "", 0},
		"a broken look-up":     {`return ak_user_by(username="fault")`, "look a user up: the store does not answer", `return ak_user_by(username="fault")`, 1},
		"a broken pattern":     {`return regex_match("a", "(")`, "", `return regex_match("a", "(")`, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := &policy.Expression{Source: tt.source}
			v, err := p.Passes(t.Context(), r)
			if err == nil || v.Passing {
				t.Fatalf("got %+v and no error", v)
			}
			if tt.line > 0 && (v.Facts["line"] != tt.line || v.Detail.Source != tt.at) {
				t.Errorf("at line %v, %q; want %d, %q", v.Facts["line"], v.Detail.Source, tt.line, tt.at)
			}
			e := policy.Evaluate(t.Context(), policy.Question{Bound: []policy.Bound{bound(0, p, nil)}}, r)
			if tt.message != "" && (len(e.Messages) != 1 || e.Messages[0] != tt.message) {
				t.Errorf("said %q, want %q", e.Messages, tt.message)
			}
			if strings.Contains(e.Details[0].Error, "hunter2") {
				t.Errorf("the error shows a secret: %s", e.Details[0].Error)
			}
		})
	}
}

func TestExpressionTimesOut(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	e := policy.Evaluate(ctx, policy.Question{Bound: []policy.Bound{bound(0, &policy.Expression{Source: "return True"}, nil)}}, asked(ada))
	if e.Passing || e.Results[0].Outcome != "timeout" || e.Messages[0] != "The policy took too long." {
		t.Errorf("got %+v, %q", e.Results[0], e.Messages)
	}
}

func TestExpressionWrites(t *testing.T) {
	eve := user.Person{ID: "u2", Key: 6, Username: "eve"}
	known := func() execution.Context {
		return execution.Context{"color": "red", "prompt_data": map[string]any{"name": "Ada", "pin": domain.NewSecret("hunter2")}}
	}
	const plan = `plan = context["flow_plan"]` + "\n"
	pin := domain.NewSecret("hunter2")
	tests := map[string]struct {
		source string
		want   []policy.Write
	}{
		"nothing":                        {`return True`, nil},
		"a key":                          {plan + `plan.context["x"] = {"a": [1]}`, []policy.Write{{Key: "x", Value: map[string]any{"a": []any{int64(1)}}}}},
		"a changed key":                  {`context["flow_plan"].context["color"] = "blue"`, []policy.Write{{Key: "color", Value: "blue"}}},
		"the same value":                 {plan + `plan.context["color"] = "red"`, nil},
		"a key is taken away":            {plan + `del plan.context["color"]`, []policy.Write{{Key: "color", Remove: true}}},
		"below a key":                    {plan + `plan.context["prompt_data"]["name"] = "Eve"`, []policy.Write{{Key: "prompt_data", Value: map[string]any{"name": "Eve", "pin": pin}}}},
		"below a key of the context":     {`context["prompt_data"]["x"] = 1`, []policy.Write{{Key: "prompt_data", Value: map[string]any{"name": "Ada", "pin": pin, "x": int64(1)}}}},
		"below what prompts see":         {`prompt_context["x"] = 1`, []policy.Write{{Key: "prompt_data", Value: map[string]any{"name": "Ada", "pin": pin, "x": int64(1)}}}},
		"the context is not the plan":    {`context["x"] = 1`, nil},
		"groups":                         {plan + `plan.context["groups"] = [{"of": user.all_groups()[0]}]`, []policy.Write{{Key: "groups", Value: []any{map[string]any{"of": map[string]any{"pk": "g1", "name": "admins"}}}}}},
		"a redirect":                     {plan + `plan.redirect("https://x.example/")`, []policy.Write{{Redirect: "https://x.example/"}}},
		"a redirect at the end":          {plan + `plan.context["redirect"] = "/x"`, []policy.Write{{Key: "redirect", Value: "/x"}}},
		"another pending user":           {plan + `plan.context["pending_user"] = ak_user_by(username="eve")`, []policy.Write{{Subject: &eve}}},
		"the same pending user":          {plan + `plan.context["pending_user"] = ak_user_by(username="ada")`, nil},
		"no pending user":                {plan + `plan.context["pending_user"] = None`, nil},
		"an exception undoes all":        {plan + "plan.context['x'] = 1\nplan.redirect('/y')\nraise ValueError('x')", nil},
		"what cannot be kept undoes all": {plan + "plan.context['x'] = 1\nplan.redirect('/y')\nplan.context['z'] = float('inf')", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := asked(ada)
			r.Env = env{users: []user.Person{ada, eve}}.in()
			r.Context, r.Plan, r.Pending = known(), &policy.Plan{Flow: domain.Ref{ID: "f-1"}}, &policy.Pending{Person: ada}
			_, err := ran(t, tt.source, r)
			if undone := strings.Contains(name, "undoes"); undone != (err != nil) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, r.Plan.Writes, alike); diff != "" {
				t.Errorf("wrote (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(known(), r.Context, alike); diff != "" {
				t.Errorf("the context itself was written:\n%s", diff)
			}
		})
	}
	if v, err := ran(t, `return context["flow_plan"].flow_pk == "f1"`, func() policy.Request {
		r := asked(ada)
		r.Plan = &policy.Plan{Flow: domain.Ref{ID: "f-1"}}
		return r
	}()); err != nil || !v.Passing {
		t.Errorf("the plan's flow: %+v, %v", v, err)
	}
}

func TestPoliciesCallPolicies(t *testing.T) {
	expression := func(source string) policy.Policy { return &policy.Expression{Source: source} }
	r := asked(ada)
	r.Env = env{policies: map[string]policy.Policy{
		"yes": says(true, "m"), "given": expression(`return context["x"] == 1`), "loop": expression(`return ak_call_policy("loop").passing`),
		"raises": expression("\n\nraise ValueError('inner')"), "plan": expression(`return "flow_plan" in context`),
		"endless": expression("while True:\n  pass"),
	}}.in()
	r.Plan = &policy.Plan{}
	for source, want := range map[string]bool{
		`r = ak_call_policy("yes")` + "\n" + `return r.passing and list(r.messages) == ["m"]`:            true,
		`return ak_call_policy("given", x=1).passing`:                                                    true,
		`return ak_call_policy("given", x=2).passing`:                                                    false,
		`return ak_call_policy("plan").passing`:                                                          false,
		`return ak_call_policy("loop").passing`:                                                          false,
		`r = ak_call_policy("raises")` + "\n" + `return not r.passing and list(r.messages) == ["inner"]`: true,
	} {
		if v, err := ran(t, source, r); err != nil || v.Passing != want {
			t.Errorf("%s: got %t, %v", source, v.Passing, err)
		}
	}
	for source, message := range map[string]string{
		`return ak_call_policy("gone")`: "Policy 'gone' not found.",
		`return ak_call_policy()`:       "ak_call_policy() takes the name of a policy",
	} {
		v, err := ran(t, source, r)
		if err == nil || !strings.Contains(err.Error(), message) || v.Facts["line"] != 1 || v.Detail.Source != source {
			t.Errorf("%s: got %v at line %v, %q", source, err, v.Facts["line"], v.Detail.Source)
		}
	}
	for depth, want := range map[string]bool{"4": true, "5": true, "6": false} {
		chain := env{policies: map[string]policy.Policy{depth: says(true)}}
		for _, n := range []string{"1", "2", "3", "4", "5"} {
			if n < depth {
				chain.policies[n] = expression(`return ak_call_policy("` + string(n[0]+1) + `").passing`)
			}
		}
		r := asked(ada)
		r.Env = chain.in()
		if v, _ := ran(t, `return ak_call_policy("1").passing`, r); v.Passing != want {
			t.Errorf("%s policies deep: got %t, want %t", depth, v.Passing, want)
		}
	}
	if _, err := ran(t, "try:\n  ak_call_policy('endless')\nexcept Exception:\n  pass\nreturn True", r); err == nil {
		t.Error("a policy outlives the limits of one that it calls")
	}
}

func TestExpressionSaidTooMuch(t *testing.T) {
	v, err := ran(t, "for i in range(200):\n  ak_message('m' * 5000)\n  ak_logger.info('l' * 5000)", asked(ada))
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Messages) != 50 || len(v.Detail.Log) != 100 || len(v.Messages[0]) > 2100 || len(v.Detail.Log[0]) > 2100 {
		t.Errorf("kept %d messages of %d bytes, %d lines", len(v.Messages), len(v.Messages[0]), len(v.Detail.Log))
	}
}

func TestExpressionIsCheckedWhenSaved(t *testing.T) {
	tests := map[string]struct{ source, want string }{
		"good":                       {"return True", ""},
		"no syntax":                  {"return True\nreturn ((", "Expression Syntax Error: line 2, column"},
		"a module that is not there": {"x = 1\nimport os", "Expression Syntax Error: line 2, column"},
		"a name that is not in it":   {"from authentik.core.models import User2", "Expression Syntax Error: line 1, column"},
		"names of the host":          {"return request, context, http_request, ak_client_ip, ak_is_sso_flow, user, prompt_context, ak_logger", ""},
		"a name that nobody defines": {"x = 1\nreturn x and y2", "Expression Syntax Error: line 2, column 14: SyntaxError: name 'y2' is not defined"},
		"what this server has not":   {"return ak_create_jwt(request.user, 'p', [])", "Expression Syntax Error: line 1, column 8: SyntaxError: 'ak_create_jwt' is not available in expressions: "},
		"names of other languages":   {"return true", "Expression Syntax Error: line 1, column 8: SyntaxError: 'true' is not available in expressions: write True"},
		"ands of other languages":    {"return user && request", "Expression Syntax Error: line 1, column 14: SyntaxError: invalid syntax at '&': write and"},
		"nots of other languages":    {"return !user", "Expression Syntax Error: line 1, column 8: SyntaxError: invalid syntax at '!': write not"},
		"comments of others":         {"// all may", "Expression Syntax Error: line 1, column 1: SyntaxError: invalid syntax at '//': a comment begins with #"},
		"one sign of equality":       {"if user = 1: return 1", "Expression Syntax Error: line 1, column 9: SyntaxError: expected ':', found '=': to compare, write =="},
		"events":                     {"from authentik.events.models import Event", "Expression Syntax Error: line 1, column 37: SyntaxError: module 'authentik.events.models' is not available in expressions: use ak_create_event"},
		"queries of Django":          {"return Q(name=1)", "Expression Syntax Error: line 1, column 8: SyntaxError: 'Q' is not available in expressions: give filter()"},
		"files":                      {"return open('/etc/passwd')", "Expression Syntax Error: line 1, column 8: SyntaxError: 'open' is not available"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := (&policy.Expression{Source: tt.source}).Validate()
			switch {
			case tt.want == "" && p != nil:
				t.Errorf("problems: %v", p)
			case tt.want != "" && (len(p["expression"]) != 1 || !strings.HasPrefix(p["expression"][0], tt.want)):
				t.Errorf("got %v, want %s", p, tt.want)
			}
		})
	}
	k, ok := catalog.Lookup("authentik_policies_expression.expressionpolicy")
	if !ok || len(k.Validate(map[string]any{"name": "n", "expression": "("})) == 0 {
		t.Error("the kind does not look at the expression")
	}
}

func TestExpress(t *testing.T) {
	r := asked(ada)
	r.Context = execution.Context{"prompt_data": map[string]any{"a": "b"}}
	got, err := policy.Express(t.Context(), `return [user.username, prompt_context["a"], 1, None, {"k": True}]`, r)
	if diff := cmp.Diff([]any{"ada", "b", int64(1), nil, map[string]any{"k": true}}, got); diff != "" || err != nil {
		t.Errorf("value (-want +got):\n%s%v", diff, err)
	}
	if _, err := policy.Express(t.Context(), `return x`, r); err == nil {
		t.Error("no error")
	}
	if _, err := policy.Express(t.Context(), `return (`, r); err == nil {
		t.Error("no error of syntax")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := policy.Express(cancelled, `return 1`, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
