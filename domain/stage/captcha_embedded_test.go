package stage_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
)

func TestIdentificationWithCaptcha(t *testing.T) {
	good, late := grounds(execution.CaptchaVerdict{Success: true}), grounds(execution.CaptchaVerdict{Codes: []string{"timeout-or-duplicate"}})
	proud := func(i *stage.Identification) { i.Pretend = false }
	refused := wrong(identification, failedSentence)
	refused.Grounds = late
	stranger := wrong(identification, failedSentence)
	stranger.Learned, stranger.Facts, stranger.Grounds = execution.Context{"pending_user": dummy("eve")}, []execution.Event{unknown("eve", false)}, good
	lateStranger := stranger
	lateStranger.Grounds = late
	right, tooLate := `{"success":true}`, `{"success":false,"error-codes":["timeout-or-duplicate"]}`
	knownPassword := told{
		Pass: true, Learned: execution.Context{"auth_method": "password"}, Grounds: good,
		Facts: []execution.Event{
			identified("username", "ada"),
			execution.FactorVerified{Factor: execution.Factor{Method: "password", Kind: "knowledge"}, Backend: stage.InbuiltBackend},
		},
	}
	tests := map[string]struct {
		change   func(*stage.Identification)
		answer   string
		response string
		want     told
		asked    string // the token that the provider gets; "-" for nobody asked
		hashes   int
	}{
		"a proof that is right":                  {nil, right, `{"uid_field":"ada","captcha_token":"T"}`, told{Pass: true, Grounds: good, Facts: []execution.Event{identified("username", "ada")}}, "T", 0},
		"one that came late fails like any":      {nil, tooLate, `{"uid_field":"ada","captcha_token":"T"}`, refused, "T", 0},
		"the provider judges no token, too":      {nil, tooLate, `{"uid_field":"ada"}`, refused, "", 0},
		"a stranger is pretended without":        {nil, tooLate, `{"uid_field":"eve"}`, told{Pass: true, Learned: stranger.Learned, Facts: []execution.Event{unknown("eve", true), execution.SubjectIdentified{By: "identification", Identifier: "eve"}}}, "-", 0},
		"a stranger fails after as many asked":   {proud, right, `{"uid_field":"eve","captcha_token":"T"}`, stranger, "T", 0},
		"with a password, both have to be right": {withPassword, right, `{"uid_field":"ada","password":"right","captcha_token":"T"}`, knownPassword, "T", 1},
		"no password is verified for a machine":  {withPassword, tooLate, `{"uid_field":"ada","password":"right","captcha_token":"T"}`, refused, "T", 0},
		"for a stranger neither":                 {withPassword, tooLate, `{"uid_field":"eve","password":"right","captcha_token":"T"}`, lateStranger, "T", 0},
		"but one for a human stranger":           {withPassword, right, `{"uid_field":"eve","password":"right","captcha_token":"T"}`, stranger, "T", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, p := world(), &provider{answer: tt.answer}
			e.objects["captcha"] = captchaOf(nil)
			in := at(e, nobody)
			in.Services = p
			i := identify(tt.change)
			i.CaptchaStage = ptr("captcha")
			o, err := i.Respond(t.Context(), in, json.RawMessage(tt.response))
			compare(t, tt.want, o, err)
			got := "-"
			for _, q := range p.asked {
				got = q.Response.Reveal()
			}
			if got != tt.asked || len(p.asked) > 1 || e.hashes != tt.hashes {
				t.Errorf("asked for %q, %d times, after %d hashes; want %q, %d", got, len(p.asked), e.hashes, tt.asked, tt.hashes)
			}
		})
	}
}

func TestIdentificationShowsItsCaptcha(t *testing.T) {
	e := world()
	e.objects["captcha"] = captchaOf(nil)
	in := at(e, nobody)
	in.State.Context = execution.Context{execution.KeyCaptchaSiteKey: "a policy's"}
	i := identify(nil)
	i.CaptchaStage = ptr("captcha")
	in.State.Query = map[string]string{"login_hint": "ada"}
	o, err := i.Enter(t.Context(), in)
	compare(t, told{Ask: identification}, o, err)
	want := map[string]any{
		"component": captchaPage, "site_key": "site key", "js_url": "https://www.recaptcha.net/recaptcha/api.js", "interactive": false,
		"pending_user": "", "pending_user_avatar": stage.Avatar,
	}
	if diff := cmp.Diff(any(want), onWire(t, in, o)["captcha_stage"]); diff != "" {
		t.Errorf("captcha_stage (-want +got):\n%s", diff)
	}
	delete(e.objects, "captcha")
	o, err = i.Enter(t.Context(), in)
	if err != nil || onWire(t, in, o)["captcha_stage"] != nil {
		t.Errorf("a stage that is gone is shown: %v, %v", onWire(t, in, o)["captcha_stage"], err)
	}
	o, err = i.Respond(t.Context(), in, json.RawMessage(`{"uid_field":"ada"}`))
	compare(t, told{Pass: true, Facts: []execution.Event{identified("username", "ada")}}, o, err)
}
