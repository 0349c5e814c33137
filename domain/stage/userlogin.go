package stage

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_user_login.userloginstage", Path: "user_login", Name: "User Login Stage", Form: "ak-stage-user-login-form",
		About: "Logs the pending user in.",
		Config: func() Stage {
			return &UserLogin{
				Duration: "seconds=0", RememberOffset: "seconds=0", RememberDevice: "days=30",
				Network: "no_binding", GeoIP: "no_binding",
			}
		},
	})
}

// UserLogin logs the pending user in (spec/stages.md 3.3).
type UserLogin struct {
	Named
	Duration        string `json:"session_duration" catalog:"duration"`
	RememberOffset  string `json:"remember_me_offset" catalog:"duration"`
	RememberDevice  string `json:"remember_device" catalog:"duration"`
	TerminateOthers bool   `json:"terminate_other_sessions"`
	Network         string `json:"network_binding" catalog:"enum=no_binding|bind_asn|bind_asn_network|bind_asn_network_ip"`
	GeoIP           string `json:"geoip_binding" catalog:"enum=no_binding|bind_continent|bind_continent_country|bind_continent_country_city"`
}

type userLoginChallenge struct{ pendingUser }

func (userLoginChallenge) Component() string { return "ak-stage-user-login" }

// BrowserSession is how long a session lasts whose cookie ends with the
// browser: browsers that restore their tabs never end.
const BrowserSession = 24 * time.Hour

// Enter implements [Stage].
func (u *UserLogin) Enter(ctx context.Context, in Input) (execution.Outcome, error) {
	if u.duration(u.RememberOffset) > 0 {
		return execution.Ask{Challenge: userLoginChallenge{shown(in)}}, nil
	}
	return u.login(ctx, in, false)
}

// Respond implements [Stage].
func (u *UserLogin) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	if u.duration(u.RememberOffset) <= 0 {
		return u.login(ctx, in, false)
	}
	remember, problems := read(response).truth("remember_me")
	if problems != nil {
		return again(userLoginChallenge{shown(in)}, problems), nil
	}
	return u.login(ctx, in, remember)
}

// duration reads a setting that was checked when it was saved.
func (u *UserLogin) duration(text string) time.Duration {
	d, err := catalog.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}

func (u *UserLogin) login(ctx context.Context, in Input, remember bool) (execution.Outcome, error) {
	who := in.Subject
	if !who.Exists() || !who.Active {
		return execution.Deny{Cause: "no_login"}, nil
	}
	others, err := in.Env.Sessions(ctx, who.ID, u.TerminateOthers)
	if err != nil {
		return nil, err
	}
	known := false
	var terminate []string
	for _, o := range others {
		known = known || o.IP != "" && o.IP == in.Caller.Network.IP
		if u.TerminateOthers && o.ID != in.State.Session {
			terminate = append(terminate, o.ID)
		}
	}
	lasts := u.duration(u.Duration)
	if remember {
		lasts += u.duration(u.RememberOffset)
	}
	effect := execution.Authenticate{
		Session: in.State.Session, User: who.ID, Expires: in.Caller.Now.Add(lasts), Browser: lasts == 0,
		Network: u.Network, GeoIP: u.GeoIP, Terminate: terminate,
		IP: in.Caller.Network.IP, Origin: in.Caller.Network.Origin(),
	}
	if effect.Browser {
		effect.Expires = in.Caller.Now.Add(BrowserSession)
	}
	args, _ := in.State.Context[execution.KeyAuthMethodArgs].(map[string]any)
	return execution.Pass{
		Facts: []execution.Event{execution.UserLoggedIn{
			User: who.ID, Session: in.State.Session, AuthMethod: in.State.Context.Text(execution.KeyAuthMethod),
			Factors: in.State.Factors, AAL: execution.AAL(in.State.Factors), AMR: methods(in.State.Factors),
			KnownDevice: known, Remember: remember, Expires: effect.Expires, Terminated: terminate,
			Bound:          execution.Binding{Network: u.Network, GeoIP: u.GeoIP},
			AuthMethodArgs: withoutSecrets(args),
		}},
		Effects: []execution.Effect{{Authenticate: &effect}},
	}, nil
}

// withoutSecrets leaves out what must not be in evidence.
func withoutSecrets(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		switch v := v.(type) {
		case domain.Secret:
		case map[string]any:
			out[k] = withoutSecrets(v)
		default:
			out[k] = v
		}
	}
	return out
}

// methods names the factors as RFC 8176 does.
func methods(factors []execution.Factor) []string {
	names := map[string]string{"password": "pwd", "totp": "otp", "static": "otp", "email": "otp", "sms": "sms", "webauthn": "hwk"}
	var amr []string
	for _, f := range factors {
		if name, ok := names[f.Method]; ok {
			amr = append(amr, name)
		}
	}
	if execution.AAL(factors) > 1 {
		amr = append(amr, "mfa")
	}
	return amr
}

// foldEqual compares as case-insensitive matching does.
func foldEqual(a, b string) bool { return strings.EqualFold(a, b) }
