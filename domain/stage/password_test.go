package stage_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/user"
)

const passwordPage = "ak-stage-password"

func failedLogin(who user.Person, cause string, failures int) execution.LoginFailed {
	return execution.LoginFailed{
		User: who.ID, Stage: domain.Ref{ID: "s1", Name: "the stage"}, Method: "password", Cause: cause, Backend: stage.InbuiltBackend,
		Failures: failures, Identifier: who.Username,
	}
}

func TestPassword(t *testing.T) {
	right := told{
		Pass: true, Learned: execution.Context{"user_backend": stage.InbuiltBackend, "auth_method": "password"},
		Facts: []execution.Event{
			execution.FactorVerified{Factor: execution.Factor{Method: "password", Kind: "knowledge"}, Backend: stage.InbuiltBackend},
		},
	}
	bad := func(who user.Person, cause string) told {
		w := wrong(passwordPage, "password invalid Invalid password")
		w.Facts = []execution.Event{failedLogin(who, cause, 1)}
		return w
	}
	tests := map[string]struct {
		who      user.Person
		response string
		want     told
		hashes   int
	}{
		"the right password":              {ada, `{"password":"right"}`, right, 1},
		"a wrong one":                     {ada, `{"password":"wrong"}`, bad(ada, "bad_credential"), 1},
		"white space counts":              {ada, `{"password":" right"}`, bad(ada, "bad_credential"), 1},
		"somebody who does not exist":     {ghost, `{"password":"right"}`, bad(ghost, "no_such_user"), 1},
		"an inactive user":                {idle, `{"password":"right"}`, bad(idle, "inactive"), 1},
		"no password":                     {ada, `{}`, wrong(passwordPage, "password required This field is required."), 0},
		"null":                            {ada, `{"password":null}`, wrong(passwordPage, "password null This field may not be null."), 0},
		"blank":                           {ada, `{"password":""}`, wrong(passwordPage, "password blank This field may not be blank."), 0},
		"no text":                         {ada, `{"password":["right"]}`, wrong(passwordPage, "password invalid Not a valid string."), 0},
		"a number is a text":              {ada, `{"password":5}`, bad(ada, "bad_credential"), 1},
		"too long a text is not verified": {ada, `{"password":"` + strings.Repeat("x", 20_000) + `"}`, wrong(passwordPage, "password max_length Ensure this field has no more than 16384 characters."), 0},
		"nobody is pending":               {nobody, `{"password":"right"}`, told{Deny: ":"}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := world()
			p := &stage.Password{Backends: []string{stage.TokenBackend, stage.InbuiltBackend}, FailedAttempts: 5}
			in := at(e, tt.who)
			asked, err := p.Enter(t.Context(), in)
			compare(t, told{Ask: passwordPage}, asked, err)
			o, err := p.Respond(t.Context(), in, json.RawMessage(tt.response))
			compare(t, tt.want, o, err)
			if e.hashes != tt.hashes {
				t.Errorf("verified %d passwords, want %d", e.hashes, tt.hashes)
			}
		})
	}
}

func TestPasswordAttempts(t *testing.T) {
	tests := map[string]struct {
		attempt, limit int
		response       string
		refuse         string
	}{
		"the fourth may be followed by another": {3, 5, `{"password":"wrong"}`, ""},
		"the fifth is the last":                 {4, 5, `{"password":"wrong"}`, "Invalid password"},
		"a missing field is an attempt, too":    {4, 5, `{}`, "Invalid password"},
		"a limit of none allows one":            {0, 0, `{"password":"wrong"}`, "Invalid password"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), ada)
			in.State.Current.Attempt = tt.attempt
			p := &stage.Password{Backends: []string{stage.InbuiltBackend}, FailedAttempts: tt.limit}
			o, err := p.Respond(t.Context(), in, json.RawMessage(tt.response))
			if err != nil || tell(o).Refuse != tt.refuse {
				t.Errorf("got %+v, %v; want the refusal %q", tell(o), err, tt.refuse)
			}
		})
	}
}

func TestPasswordWithoutABackendCostsTheSame(t *testing.T) {
	e := world()
	o, err := (&stage.Password{Backends: []string{"authentik.sources.ldap.auth.LDAPBackend"}, FailedAttempts: 5}).
		Respond(t.Context(), at(e, ada), json.RawMessage(`{"password":"right"}`))
	if err != nil || tell(o).Pass || e.hashes != 1 {
		t.Errorf("got %+v, %v after %d hashes", tell(o), err, e.hashes)
	}
}

func TestPasswordLooksTheSameForStrangers(t *testing.T) {
	said := map[string]any{}
	for name, who := range map[string]user.Person{"known": ada, "unknown": {Username: "ada"}, "inactive": {ID: "u2", Username: "ada"}} {
		in := at(world(), who)
		o, err := (&stage.Password{Backends: []string{stage.InbuiltBackend}, FailedAttempts: 5}).
			Respond(t.Context(), in, json.RawMessage(`{"password":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		said[name] = onWire(t, in, o)
	}
	for _, name := range []string{"unknown", "inactive"} {
		if diff := cmp.Diff(said["known"], said[name]); diff != "" {
			t.Errorf("who is %s is told apart:\n%s", name, diff)
		}
	}
}

func TestPasswordRehashes(t *testing.T) {
	e := world()
	e.rehash = domain.NewSecret("better")
	o, err := (&stage.Password{Backends: []string{stage.InbuiltBackend}}).Respond(t.Context(), at(e, ada), json.RawMessage(`{"password":"right"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []execution.Effect{{Rehash: &execution.Rehash{User: "u1", Credential: "c1", Password: e.rehash}}}
	if diff := cmp.Diff(want, tell(o).Effects, likeness); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	e.broken = errDown
	if _, err := (&stage.Password{}).Respond(t.Context(), at(e, ada), json.RawMessage(`{"password":"right"}`)); !errors.Is(err, errDown) {
		t.Errorf("got %v, want %v", err, errDown)
	}
}

// An app password is a password where the stage says so.
func TestAppPassword(t *testing.T) {
	token := map[string]any{"pk": "t1", "app": "authentik_core", "model_name": "token", "name": "my mail"}
	right := told{
		Pass: true,
		Learned: execution.Context{
			"user_backend": stage.TokenBackend, "auth_method": "token", "auth_method_args": map[string]any{"token": token, "mfa_devices": []any{}},
		},
		Facts: []execution.Event{
			execution.FactorVerified{Factor: execution.Factor{Method: "token", Kind: "knowledge"}, Backend: stage.TokenBackend},
		},
		Effects: []execution.Effect{{UseToken: &execution.UseToken{Token: "t1"}}},
	}
	both, alone, none := []string{stage.InbuiltBackend, stage.TokenBackend}, []string{stage.TokenBackend}, []string{stage.InbuiltBackend}
	for name, tt := range map[string]struct {
		backends []string
		who      user.Person
		typed    string
		want     bool
		hashes   int
	}{
		"after the password":          {both, ada, "app-key", true, 1},
		"alone":                       {alone, ada, "app-key", true, 0},
		"an inactive user, for now":   {alone, idle, "idle-key", true, 0},
		"a wrong one":                 {alone, ada, "wrong", false, 1},
		"somebody else's":             {alone, ada, "idle-key", false, 1},
		"nobody's":                    {alone, ghost, "app-key", false, 1},
		"where they are not accepted": {none, ada, "app-key", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := world()
			in := at(e, tt.who)
			have := &records{passwords: map[string]string{"u1 app-key": "t1", idle.ID + " idle-key": "t1"}}
			in.Records, in.State.Context["auth_method_args"] = have, map[string]any{"mfa_devices": []any{}}
			p := &stage.Password{Backends: tt.backends, FailedAttempts: 5}
			o, err := p.Respond(t.Context(), in, json.RawMessage(`{"password":"`+tt.typed+`"}`))
			if tt.want {
				compare(t, right, o, err)
			} else if err != nil || tell(o).Pass {
				t.Errorf("got %+v, %v", tell(o), err)
			}
			if e.hashes != tt.hashes {
				t.Errorf("verified %d passwords, want %d", e.hashes, tt.hashes)
			}
		})
	}
	in := at(world(), ada)
	in.Records = &records{broken: errDown}
	if _, err := (&stage.Password{Backends: alone}).Respond(t.Context(), in, json.RawMessage(`{"password":"x"}`)); !errors.Is(err, errDown) {
		t.Errorf("got %v, want %v", err, errDown)
	}
}
