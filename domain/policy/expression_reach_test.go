package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/user"
)

// TestRequestReach states what expressions find in the client's request: each
// is true.
func TestRequestReach(t *testing.T) {
	for name, source := range map[string]string{
		"the brand":               `b = request.http_request.brand` + "\nreturn b.domain == str(b) == 'authentik-default' and b.default and b.branding_title == 'Example'",
		"the brand's attributes":  `return http_request.brand.attributes["settings"]["theme"] == "dark" and not hasattr(http_request.brand, "x")`,
		"attributes of all":       `a = user.group_attributes(http_request)` + "\nreturn a['settings'] == {'theme': 'dark'} and a['team'] == 'x'",
		"without a request given": `return user.group_attributes()["settings"]["theme"] == "dark" and user.group_attributes(request=None)["team"] == "x"`,
		"the query":               `g = http_request.GET` + "\nreturn g['next'] == '/y' and g.getlist('next') == ['/x', '/y'] and 'next' in g and 'x' not in g and g.get('x', 5) == 5",
		"the query's parts":       `g = http_request.GET` + "\nreturn list(g) == ['next'] and g.dict() == {'next': '/y'} and list(g.items()) == [('next', '/y')] and list(g.keys()) == ['next'] and list(g.values()) == ['/y'] and len(g) == 1",
		"nothing in the query":    `return http_request.GET.getlist("x") == [] and http_request.GET.getlist("x", None) is None and not http_request.POST`,
		"a missing parameter":     "try:\n  http_request.GET['x']\nexcept KeyError as e:\n  return str(e) == \"'x'\"",
		"headers in any case":     `h = http_request.headers` + "\nreturn h['user-agent'] == h.get('USER-AGENT') == 'agent' and 'Accept-language' in h and h.get('Cookie') is None",
		"meta":                    `return http_request.META.get("HTTP_HOST") == "id.example.org" and http_request.META["QUERY_STRING"] == "next=%2Fx&next=%2Fy"`,
		"the session":             "from authentik.flows.views.executor import SESSION_KEY_GET\nreturn http_request.session.get(SESSION_KEY_GET, {}).get('next') == '/y' and 'x' not in http_request.session",
		"addresses":               `h = http_request` + "\nreturn h.is_secure() and h.get_host() == 'id.example.org' and h.get_full_path() == '/api/v3/flows/executor/login/?next=%2Fx&next=%2Fy' and h.scheme == 'https'",
		"an address of its own":   `return http_request.build_absolute_uri() == "https://id.example.org/api/v3/flows/executor/login/"`,
		"languages":               `return user.locale() == "de" and user.locale(http_request) == "de"`,
		"keys":                    `return len(user.uid) == 64 and user.uuid == "u1" and user.get_username() == "ada"`,
		"names of keys":           "from authentik.flows.planner import PLAN_CONTEXT_PENDING_USER\nreturn PLAN_CONTEXT_PENDING_USER == 'pending_user'",
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := ran(t, source, asked(ada)); err != nil || !v.Passing {
				t.Errorf("got %t, %v", v.Passing, err)
			}
		})
	}
}

// A policy that calls another gets what that one returned.
func TestCalledPoliciesReturn(t *testing.T) {
	r := asked(ada)
	r.Target, r.Object = domain.Ref{ID: "f", Name: "Login"}, map[string]any{"slug": "login", "designation": "authentication", "name": "Login"}
	r.Env = env{policies: map[string]policy.Policy{
		"list": &policy.Expression{Source: `return [user.username, {"a": 1}]`}, "no": &policy.Expression{Source: `return False`},
		"none": &policy.Expression{Source: `x = 1`}, "error": &policy.Expression{Source: `return 1 / 0`}, "other": says(true),
		"broken": raises(errors.New("the service is away")),
	}}.in()
	for _, source := range []string{
		`return ak_call_policy("list").raw_result[1]["a"] == 1 and ak_call_policy("list").raw_result[0] == user.username`,
		`return ak_call_policy("no").raw_result is False and ak_call_policy("none").raw_result is None`,
		`return ak_call_policy("error").raw_result is None and ak_call_policy("other").raw_result is True`,
		`r = ak_call_policy("broken")` + "\nreturn not r.passing and r.messages == ['the service is away']",
		`return request.obj.slug == "login" and request.obj.designation == "authentication" and request.obj.pk == "f" and not hasattr(request.obj, "x")`,
	} {
		if v, err := ran(t, source, r); err != nil || !v.Passing {
			t.Errorf("%s: got %t, %v", source, v.Passing, err)
		}
	}
}

// What prompts show of an object is its text.
func TestPromptsShowTexts(t *testing.T) {
	got, err := policy.Express(t.Context(), `return [user, {"groups": user.groups.all(), "brand": http_request.brand}, http_request.GET]`, asked(ada))
	want := []any{"ada", map[string]any{"groups": "<QuerySet [<Group: admins>, <Group: Staff>]>", "brand": "authentik-default"}, "<QueryDict: {'next': '/y'}>"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
}

// Places are what a database knows of the client's address, unless somebody
// says otherwise.
func TestPlaces(t *testing.T) {
	const source = `g = context["geoip"]` + "\n" + `return g["country"] if g else "none"`
	germany, france := map[string]any{"country": "DE"}, map[string]any{"country": "FR"}
	for name, tt := range map[string]struct {
		context execution.Context
		extra   map[string]any
		want    string
	}{
		"from a database":         {nil, map[string]any{"geoip": germany}, "'DE'"},
		"of nowhere":              {nil, map[string]any{"geoip": nil}, "'none'"},
		"from a test":             {execution.Context{"geoip": france}, nil, "'FR'"},
		"from a test, of nowhere": {execution.Context{"geoip": france}, map[string]any{"geoip": nil}, "'FR'"},
		"a database knows better": {execution.Context{"geoip": france}, map[string]any{"geoip": germany}, "'DE'"},
	} {
		r := asked(ada)
		r.Context, r.Extra = tt.context, tt.extra
		v, err := ran(t, source, r)
		if got := v.Detail.Raw; err != nil || strings.Trim(got, "'") != strings.Trim(tt.want, "'") {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, tt.want)
		}
		r.Env = env{policies: map[string]policy.Policy{"inner": &policy.Expression{Source: `return context["geoip"]["country"] == "AT"`}}}.in()
		if v, err := ran(t, `return ak_call_policy("inner", geoip={"country": "AT"}).passing`, r); err != nil || !v.Passing {
			t.Errorf("%s, called with another: %t, %v", name, v.Passing, err)
		}
	}
}

func TestLoggers(t *testing.T) {
	r := asked(ada)
	r.Context = execution.Context{"pin": domain.NewSecret("a'b\"c")}
	v, err := ran(t, strings.Join([]string{
		`log = ak_logger.bind(step=1, token="t").bind(pin=context["pin"])`,
		`log.debug("a", b=2)`,
		`log.critical({"typed": context["pin"]})`,
		`ak_logger.warn("w")`,
		`ak_logger.exception("x")`,
		`ak_logger.error("e")`,
		`return True`,
	}, "\n"), r)
	want := []string{
		"debug a step=1 token=" + hidden + " pin=" + hidden + " b=2", "critical {'typed': '" + hidden + "'} step=1 token=" + hidden + " pin=" + hidden,
		"warning w", "exception x", "error e",
	}
	if diff := cmp.Diff(want, v.Detail.Log); diff != "" || err != nil {
		t.Errorf("log (-want +got):\n%s%v", diff, err)
	}
}

// Idioms of policies that write to the plan.
func TestIdiomsOfPlans(t *testing.T) {
	for name, tt := range map[string]struct {
		source string
		want   []policy.Write
	}{
		"a redirect at the end": {`context["flow_plan"].context["redirect"] = "/x"`, []policy.Write{{Key: "redirect", Value: "/x"}}},
		"a redirect":            {`request.context["flow_plan"].redirect("https://x.example/")`, []policy.Write{{Redirect: "https://x.example/"}}},
		"typed data changed":    {`request.context["flow_plan"].context["prompt_data"]["email"] = "a@b.c"`, []policy.Write{{Key: "prompt_data", Value: map[string]any{"name": "Ada", "email": "a@b.c"}}}},
		"typed data added":      {`context["prompt_data"].update({"x": [1]})`, []policy.Write{{Key: "prompt_data", Value: map[string]any{"name": "Ada", "x": []any{int64(1)}}}}},
		"typed data set":        {`request.context["prompt_data"].setdefault("attributes", {})["a"] = 1`, []policy.Write{{Key: "prompt_data", Value: map[string]any{"name": "Ada", "attributes": map[string]any{"a": int64(1)}}}}},
		"groups of a new user":  {`context["flow_plan"].context["groups"] = ["g1"]`, []policy.Write{{Key: "groups", Value: []any{"g1"}}}},
		"who it is about": {"u = ak_user_by(username='eve')\ncontext['flow_plan'].context['pending_user'] = u\nreturn True",
			[]policy.Write{{Subject: &user.Person{ID: "u2", Key: 6, Username: "eve"}}}},
		"by way of the session": {`http_request.session["authentik/flows/plan"].context["x"] = 1`, []policy.Write{{Key: "x", Value: int64(1)}}},
	} {
		r := asked(ada)
		r.Env = env{users: []user.Person{ada, {ID: "u2", Key: 6, Username: "eve"}}}.in()
		r.Plan, r.Context = &policy.Plan{}, execution.Context{"prompt_data": map[string]any{"name": "Ada"}}
		_, err := ran(t, tt.source, r)
		if diff := cmp.Diff(tt.want, r.Plan.Writes, alike); diff != "" || err != nil {
			t.Errorf("%s: wrote (-want +got):\n%s%v", name, diff, err)
		}
	}
}
