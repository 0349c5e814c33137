package stage_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
)

const loginPage = "ak-stage-user-login"

func TestUserLogin(t *testing.T) {
	day := now.Add(24 * time.Hour)
	login := func(change func(*execution.UserLoggedIn, *execution.Authenticate)) told {
		fact := execution.UserLoggedIn{
			User: "u1", Session: "sess", Expires: day, Bound: execution.Binding{Network: "bind_asn", GeoIP: "no_binding"},
		}
		effect := execution.Authenticate{
			Session: "sess", User: "u1", Expires: day, Browser: true, Network: "bind_asn", GeoIP: "no_binding",
			IP: "192.0.2.1", Origin: session.Origin{System: system},
		}
		if change != nil {
			change(&fact, &effect)
		}
		return told{Pass: true, Facts: []execution.Event{fact}, Effects: []execution.Effect{{Authenticate: &effect}}}
	}
	lasting := func(d time.Duration, remember bool) told {
		return login(func(f *execution.UserLoggedIn, a *execution.Authenticate) {
			f.Expires, a.Expires, a.Browser, f.Remember = now.Add(d), now.Add(d), false, remember
		})
	}
	known := func(f *execution.UserLoggedIn, _ *execution.Authenticate) {
		f.KnownDevice = true
	}
	offered := func(u *stage.UserLogin) { u.RememberOffset = "days=30" }
	hour := func(u *stage.UserLogin) { u.Duration = "hours=1" }
	both := func(u *stage.UserLogin) { offered(u); hour(u) }
	ask := `{"remember_me":true}`
	tests := map[string]struct {
		change   func(*stage.UserLogin)
		in       func(*stage.Input, *env)
		response string // empty to enter
		want     told
	}{
		"the pending user is logged in at once": {nil, nil, ``, login(nil)},
		"also by an answer":                     {nil, nil, `{}`, login(nil)},
		"a session lasts as long as it is set":  {hour, nil, ``, lasting(time.Hour, false)},
		"where it can be kept that is asked":    {offered, nil, ``, told{Ask: loginPage}},
		"one that is kept lasts longer":         {both, nil, ask, lasting(time.Hour+30*24*time.Hour, true)},
		"one that is not kept does not":         {both, nil, `{"remember_me":"no"}`, lasting(time.Hour, false)},
		"one of the browser can be kept":        {offered, nil, ask, lasting(30*24*time.Hour, true)},
		"whether to keep it must be said":       {offered, nil, `{}`, wrong(loginPage, "remember_me required This field is required.")},
		"null does not say it":                  {offered, nil, `{"remember_me":null}`, wrong(loginPage, "remember_me null This field may not be null.")},
		"nor does nonsense":                     {offered, nil, `{"remember_me":"x"}`, wrong(loginPage, "remember_me invalid Must be a valid boolean.")},
		"an inactive user is not logged in":     {nil, func(in *stage.Input, _ *env) { in.Subject = idle }, ``, told{Deny: "no_login:"}},
		"nor one who does not exist":            {nil, func(in *stage.Input, _ *env) { in.Subject = ghost }, ``, told{Deny: "no_login:"}},
		"nor nobody":                            {nil, func(in *stage.Input, _ *env) { in.Subject = nobody }, ``, told{Deny: "no_login:"}},
		"nor by an answer":                      {offered, func(in *stage.Input, _ *env) { in.Subject = nobody }, ask, told{Deny: "no_login:"}},
		"a living session from here knows the device": {nil, func(_ *stage.Input, e *env) {
			e.sessions = []stage.OtherSession{{ID: "a", IP: "198.51.100.1"}, {ID: "b", IP: "192.0.2.1"}}
		}, ``, login(known)},
		"one from nowhere does not": {nil, func(in *stage.Input, e *env) {
			in.Caller.Network.IP, e.sessions = "", []stage.OtherSession{{ID: "a"}}
		}, ``, login(func(_ *execution.UserLoggedIn, a *execution.Authenticate) { a.IP = "" })},
		"what is said of the device already stands": {nil, func(in *stage.Input, _ *env) {
			in.State.Context["auth_method_args"] = map[string]any{"known_device": true, "device": "d"}
		}, ``, login(func(f *execution.UserLoggedIn, _ *execution.Authenticate) {
			f.AuthMethodArgs = map[string]any{"known_device": true, "device": "d"}
		})},
		"secrets stay out of it": {nil, func(in *stage.Input, _ *env) {
			in.State.Context["auth_method_args"] = map[string]any{"token": domain.NewSecret("x"), "m": map[string]any{"k": domain.NewSecret("x"), "a": 1}}
		}, ``, login(func(f *execution.UserLoggedIn, _ *execution.Authenticate) {
			f.AuthMethodArgs = map[string]any{"m": map[string]any{"a": 1}}
		})},
		"other sessions can be ended": {func(u *stage.UserLogin) { u.TerminateOthers = true }, func(_ *stage.Input, e *env) {
			e.sessions = []stage.OtherSession{{ID: "a", IP: "x"}, {ID: "sess", IP: "x"}, {ID: "b", IP: "x"}}
		}, ``, login(func(f *execution.UserLoggedIn, a *execution.Authenticate) {
			f.Terminated, a.Terminate = []string{"a", "b"}, []string{"a", "b"}
		})},
		"what was proved goes along": {nil, func(in *stage.Input, _ *env) {
			in.State.Factors = []execution.Factor{{Method: "password", Kind: "knowledge"}, {Method: "totp", Kind: "possession"}}
			in.State.Context["auth_method"] = "password"
		}, ``, login(func(f *execution.UserLoggedIn, _ *execution.Authenticate) {
			f.AuthMethod, f.AAL, f.AMR = "password", 2, []string{"pwd", "otp", "mfa"}
			f.Factors = []execution.Factor{{Method: "password", Kind: "knowledge"}, {Method: "totp", Kind: "possession"}}
		})},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := world()
			in := at(e, ada)
			u := &stage.UserLogin{Duration: "seconds=0", RememberOffset: "seconds=0", Network: "bind_asn", GeoIP: "no_binding"}
			if tt.change != nil {
				tt.change(u)
			}
			if tt.in != nil {
				tt.in(&in, e)
			}
			if tt.response == "" {
				o, err := u.Enter(t.Context(), in)
				compare(t, tt.want, o, err)
				return
			}
			o, err := u.Respond(t.Context(), in, json.RawMessage(tt.response))
			compare(t, tt.want, o, err)
		})
	}
}

func TestUserLoginPassesFaultsOn(t *testing.T) {
	e := world()
	e.broken = errDown
	if _, err := (&stage.UserLogin{}).Enter(t.Context(), at(e, ada)); !errors.Is(err, errDown) {
		t.Errorf("got %v, want %v", err, errDown)
	}
}

func TestUserLogout(t *testing.T) {
	out := func(keep bool) told {
		return told{
			Pass:    true,
			Facts:   []execution.Event{execution.UserLoggedOut{User: "u1", Session: "sess"}},
			Effects: []execution.Effect{{EndSession: &execution.EndSession{Session: "sess", User: "u1", Keep: keep}}},
		}
	}
	in := at(world(), nobody)
	o, err := (&stage.UserLogout{}).Enter(t.Context(), in)
	compare(t, told{Pass: true}, o, err)

	in.Visitor = ada
	o, err = (&stage.UserLogout{}).Enter(t.Context(), in)
	compare(t, out(false), o, err)
	o, err = (&stage.UserLogout{}).Respond(t.Context(), in, json.RawMessage(`{}`))
	compare(t, out(false), o, err)

	in.State.Plan = append(in.State.Plan, execution.Entry{})
	o, err = (&stage.UserLogout{}).Enter(t.Context(), in)
	compare(t, out(true), o, err)
}
