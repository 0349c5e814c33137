package stage_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
)

// frame is that of a flow with a title and a background.
func frame(title, background string) stage.Frame {
	return stage.Frame{Flow: stage.Flow{Flow: object.Flow{Title: title, Background: background, Layout: "stacked"}}}
}

func TestTitlesHavePlaces(t *testing.T) {
	tests := map[string]struct{ title, app, user, want string }{
		"for the application":             {"Log in to %(app)s", "Wiki", "", "Log in to Wiki"},
		"for the user":                    {"Hello, %(user)s!", "", "ada", "Hello, ada!"},
		"that may be empty":               {"Log in to %(app)s.", "", "", "Log in to ."},
		"a percent sign leaves all alone": {"100% %(app)s", "Wiki", "", "100% %(app)s"},
		"two are one":                     {"100%% %(app)s", "Wiki", "", "100% Wiki"},
		"so does a place that is unknown": {"%(user)s %(x)s", "", "ada", "%(user)s %(x)s"},
		"a name is not filled in again":   {"%(user)s", "Wiki", "%(app)s 5%", "%(app)s 5%"},
		"no place":                        {"Hello", "Wiki", "ada", "Hello"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := frame(tt.title, "")
			f.App, f.User = tt.app, tt.user
			if got := info(t, f)["title"]; got != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

// info is the flow_info of a challenge in a frame.
func info(t *testing.T, f stage.Frame) map[string]any {
	t.Helper()
	wire, err := stage.Envelope(stage.RedirectChallenge{To: "/"}, f, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return wire["flow_info"].(map[string]any)
}

func TestBackgrounds(t *testing.T) {
	themed := map[string]any{"light": "/light.png", "dark": "/dark.png"}
	tests := map[string]struct {
		flow, brand string
		want        string
		themed      any
	}{
		"that of the flow":       {"/a.png", "/b.png", "/a.png", nil},
		"else that of the brand": {"", "/b.png", "/b.png", nil},
		"else the built-in one":  {"", "", stage.Background, nil},
		"one for each theme":     {"/%(theme)s.png", "", "/%(theme)s.png", themed},
		"of the brand, too":      {"", "/%(theme)s.png", "/%(theme)s.png", themed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := frame("", tt.flow)
			f.Background = tt.brand
			got := info(t, f)
			if diff := cmp.Diff([]any{tt.want, tt.themed}, []any{got["background"], got["background_themed_urls"]}); diff != "" {
				t.Errorf("background (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCancelKeepsTheTarget(t *testing.T) {
	f := frame("", "")
	if got := info(t, f)["cancel_url"]; got != "/flows/-/cancel/" {
		t.Errorf("got %v", got)
	}
	f.Next = "/a?b=c&d"
	if got := info(t, f)["cancel_url"]; got != "/flows/-/cancel/?next=%2Fa%3Fb%3Dc%26d" {
		t.Errorf("got %v", got)
	}
}

func TestResponseErrors(t *testing.T) {
	problems := []execution.Problem{{Field: "a", Code: "x", Text: "1"}, {Field: "b", Code: "y", Text: "2"}, {Field: "a", Code: "z", Text: "3"}}
	said := func(text, code string) any { return map[string]any{"string": text, "code": code} }
	want := map[string]any{"a": []any{said("1", "x"), said("3", "z")}, "b": []any{said("2", "y")}}
	wire, err := stage.Envelope(stage.RedirectChallenge{}, frame("", ""), problems, true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, wire["response_errors"]); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	wire, _ = stage.Envelope(stage.RedirectChallenge{}, frame("", ""), nil, true)
	if diff := cmp.Diff(map[string]any{}, wire["response_errors"]); diff != "" {
		t.Errorf("a wrong answer without a problem (-want +got):\n%s", diff)
	}
	wire, _ = stage.Envelope(stage.RedirectChallenge{}, frame("", ""), problems, false)
	if _, has := wire["response_errors"]; has {
		t.Error("a first challenge has errors")
	}
}

type broken struct{ V float64 }

// Component implements [execution.Challenge].
func (broken) Component() string { return "broken" }

func TestEnvelopeOfWhatIsNoJSON(t *testing.T) {
	if _, err := stage.Envelope(broken{math.NaN()}, frame("", ""), nil, false); err == nil {
		t.Error("no error")
	}
}

func TestLocal(t *testing.T) {
	for _, good := range []string{"/", "/a", "/a/b?c=d&e=https://x.example/#f", "/a//b", "/%2F/x", "/a:b", "/é", "/" + strings.Repeat("x", 4095)} {
		if !stage.Local(good) {
			t.Errorf("%.60q leaves this site", good)
		}
	}
	for reason, bad := range map[string]string{
		"nothing":                  "",
		"no slash":                 "a",
		"a query only":             "?x",
		"another site":             "https://x.example/",
		"another site, any scheme": "//x.example/",
		"three slashes":            "///x.example",
		"a slash and a backslash":  `/\x.example`,
		"two backslashes":          `\\x.example`,
		"a backslash further on":   `/a\b`,
		"a script":                 "javascript:alert(1)",
		"data":                     "data:text/html,x",
		"white space in front":     " /a",
		"a tab that browsers skip": "/\t/x.example",
		"a line feed":              "/\n/x.example",
		"a carriage return":        "/\r/x.example",
		"a NUL":                    "/\x00",
		"a DEL":                    "/a\x7f",
		"no escape":                "/%zz",
		"too long":                 "/" + strings.Repeat("x", 4096),
	} {
		if stage.Local(bad) {
			t.Errorf("%s: %.60q stays on this site", reason, bad)
		}
	}
}

func TestShown(t *testing.T) {
	in := at(world(), ada)
	in.Visitor = idle
	if got := stage.Shown(in); got != "ada" {
		t.Errorf("the pending user is shown as %q", got)
	}
	in.State.Context["pending_user_identifier"] = "typed"
	if got := stage.Shown(in); got != "typed" {
		t.Errorf("who shall not be recognised is shown as %q", got)
	}
	in = at(world(), nobody)
	in.Visitor = idle
	if got := stage.Shown(in); got != "idle" {
		t.Errorf("the browser's user is shown as %q", got)
	}
}

// TestChallengesOnTheWire keeps what clients get of every challenge.
func TestChallengesOnTheWire(t *testing.T) {
	e := world()
	e.expressions = map[string]any{"offer": []any{"free", map[string]any{"value": "pro", "label": "Professional"}}}
	e.objects["dummy"], e.objects["deny"] = &stage.Dummy{}, &stage.DenyStage{}
	all := identify(func(i *stage.Identification) {
		i.PasswordStage, i.EnrollmentFlow, i.RecoveryFlow, i.PasswordlessFlow = ptr("password"), ptr("enroll"), ptr("other"), ptr("other")
	})
	fields := form(e,
		stage.Prompt{Key: "username", Type: "username", Required: true, Placeholder: "User name", SubText: "sub"},
		stage.Prompt{Key: "plan", Type: "dropdown", Required: true, Order: 1, Placeholder: "offer", PlaceholderExpression: true},
		stage.Prompt{Key: "password", Type: "password", Order: 300})
	login := &stage.UserLogin{RememberOffset: "days=1"}
	validate := &stage.AuthenticatorValidate{NotConfigured: "configure", ConfigurationStages: []string{"dummy", "deny"}}
	password := &stage.Password{Backends: []string{stage.InbuiltBackend}, AllowShow: true, FailedAttempts: 5}
	wire := map[string]any{}
	for name, c := range map[string]struct {
		stage  stage.Stage
		answer string
	}{
		"identification": {identify(nil), `{}`}, "identification with everything": {all, `{"uid_field":"x"}`},
		"password": {password, `{}`}, "user login": {login, `{}`}, "prompt": {fields, `{}`}, "dummy": {&stage.Dummy{Named: stage.Named{Name: "d"}}, ""},
		"redirect": {&stage.Redirect{Mode: "static", TargetStatic: "https://x.example/"}, `{}`}, "authenticator validate": {validate, `{}`},
	} {
		in := at(e, ada)
		in.Recovery = "recovery"
		in.State.Query = map[string]string{"next": "/x"}
		in.State.Context["application"] = map[string]any{"name": "Wiki"}
		o, err := c.stage.Enter(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		wire[name] = onWire(t, in, o)
		if c.answer != "" {
			if o, err = c.stage.Respond(t.Context(), in, []byte(c.answer)); err != nil {
				t.Fatal(err)
			}
			wire[name+", after a wrong answer"] = onWire(t, in, o)["response_errors"]
		}
	}
	denied, err := stage.Envelope(stage.DeniedTo("ada", "no"), frame("Welcome", ""), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	wire["access denied"], wire["end"], wire["fault"] = denied, stage.Redirected("/x", true), stage.Failed(execution.Conclusion{ErrorID: "reference"}, user.Person{})
	golden(t, "challenges.json", wire)
}

// What went wrong is for those who look after the flows.
func TestFaultsAreToldToFew(t *testing.T) {
	fault := execution.Conclusion{ErrorID: "r", Detail: "stage x: division by zero"}
	debug := map[string]any{"goauthentik.io/user/debug": true}
	for name, test := range map[string]struct {
		to   user.Person
		told bool
	}{
		"a stranger":              {user.Person{}, false},
		"a user":                  {user.Person{ID: "u", GroupAttributes: map[string]any{"goauthentik.io/user/debug": "true"}}, false},
		"a superuser":             {user.Person{ID: "u", Superuser: true}, true},
		"a user of a debug group": {user.Person{ID: "u", GroupAttributes: debug}, true},
	} {
		want := map[string]any{"component": "ak-stage-flow-error", "request_id": "r"}
		if test.told {
			want["error"], want["traceback"] = fault.Detail, fault.Detail
		}
		if diff := cmp.Diff(want, stage.Failed(fault, test.to)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	fault.Stack = "goroutine 1"
	if got := stage.Failed(fault, user.Person{Superuser: true})["traceback"]; got != "goroutine 1" {
		t.Errorf("traceback %q", got)
	}
}
