package stage_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/stage"
)

const captchaPage = "ak-stage-captcha"

// A provider is one whose answer is known, and what it was asked.
type provider struct {
	answer string // JSON; empty for none
	broken error
	asked  []stage.SiteVerify
}

// Secret implements [stage.Services].
func (p *provider) Secret(_ context.Context, of domain.Ref, field string) (domain.Secret, error) {
	return domain.NewSecret(field + " of " + of.ID), p.broken
}

// VerifyCaptcha implements [stage.Services].
func (p *provider) VerifyCaptcha(_ context.Context, q stage.SiteVerify) (map[string]any, error) {
	p.asked = append(p.asked, q)
	var answer map[string]any
	if p.answer != "" {
		if err := json.Unmarshal([]byte(p.answer), &answer); err != nil {
			return nil, err
		}
	}
	return answer, p.broken
}

func captchaOf(change func(*stage.Captcha)) *stage.Captcha {
	s, err := stage.Load("authentik_stages_captcha.captchastage", map[string]any{"name": "human", "public_key": "site key"})
	if err != nil {
		panic(err)
	}
	c := s.(*stage.Captcha)
	c.APIURL = "https://captcha.example/verify"
	if change != nil {
		change(c)
	}
	return c
}

// grounds are what is recorded of a verdict.
func grounds(v execution.CaptchaVerdict, score ...float64) execution.Grounds {
	if len(score) > 0 {
		v.Score = &score[0]
	}
	return execution.Grounds{Captcha: &v}
}

func TestCaptchaAsks(t *testing.T) {
	in := at(world(), ada)
	c := captchaOf(func(c *stage.Captcha) { c.Interactive = true })
	o, err := c.Enter(t.Context(), in)
	compare(t, told{Ask: captchaPage}, o, err)
	want := map[string]any{
		"site_key": "site key", "js_url": "https://www.recaptcha.net/recaptcha/api.js", "interactive": true,
		"pending_user": "ada", "pending_user_avatar": stage.Avatar,
	}
	for key, v := range want {
		if got := onWire(t, in, o)[key]; got != v {
			t.Errorf("%s is %v, want %v", key, got, v)
		}
	}
	in.State.Context = execution.Context{execution.KeyCaptchaSiteKey: domain.NewSecret("a policy's")}
	o, err = c.Enter(t.Context(), in)
	if err != nil || onWire(t, in, o)["site_key"] != "a policy's" {
		t.Errorf("got %v, %v; want the key of the policy", onWire(t, in, o), err)
	}
}

func TestCaptchaJudges(t *testing.T) {
	lenient := func(c *stage.Captcha) { c.ErrorOnScore = false }
	unbounded := func(c *stage.Captcha) { c.ScoreMin, c.ScoreMax = -1, -1 }
	refused := func(text string, v execution.CaptchaVerdict, score ...float64) told {
		w := wrong(captchaPage, "token invalid "+text)
		w.Grounds = grounds(v, score...)
		return w
	}
	passed := func(answer map[string]any, v execution.CaptchaVerdict, score ...float64) told {
		return told{Pass: true, Grounds: grounds(v, score...), Learned: execution.Context{"captcha": map[string]any{
			"response": answer, "stage": map[string]any{"pk": "s1", "name": "the stage"},
		}}}
	}
	const (
		invalid   = "Invalid captcha response"
		retriable = "Invalid captcha response. Retrying may solve this issue."
		failed    = "Failed to validate token"
	)
	yes := execution.CaptchaVerdict{Success: true}
	no := func(codes ...string) execution.CaptchaVerdict { return execution.CaptchaVerdict{Codes: codes} }
	tests := map[string]struct {
		change func(*stage.Captcha)
		answer string
		want   told
	}{
		"success without a score passes":            {nil, `{"success":true}`, passed(map[string]any{"success": true}, yes)},
		"a score inside of the bounds passes":       {nil, `{"success":true,"score":0.5}`, passed(map[string]any{"success": true, "score": 0.5}, yes, 0.5)},
		"one below does not":                        {nil, `{"success":true,"score":0.49}`, refused(invalid, yes, 0.49)},
		"nor does one above":                        {nil, `{"success":true,"score":1.01}`, refused(invalid, yes, 1.01)},
		"without bounds any score passes":           {unbounded, `{"success":true,"score":-3}`, passed(map[string]any{"success": true, "score": -3.0}, yes, -3)},
		"a score that is no number is none to read": {nil, `{"success":true,"score":"1"}`, refused(failed, yes)},
		"not even where scores do not count":        {lenient, `{"success":true,"score":null}`, refused(failed, yes)},
		"no success does not pass":                  {nil, `{}`, refused(invalid, no())},
		"nor does a success that is not true":       {nil, `{"success":"true"}`, refused(invalid, no())},
		"a token that is too old may be replaced":   {nil, `{"success":false,"error-codes":["timeout-or-duplicate"]}`, refused(retriable, no("timeout-or-duplicate"))},
		"no codes leave hope":                       {nil, `{"success":false,"error-codes":[]}`, refused(retriable, no())},
		"one final code leaves none":                {nil, `{"success":false,"error-codes":["timeout-or-duplicate","bad-request"]}`, refused(invalid, no("timeout-or-duplicate", "bad-request"))},
		"a code that is no text leaves none":        {nil, `{"success":false,"error-codes":[5]}`, refused(invalid, no())},
		"what is no code is not recorded":           {nil, `{"success":false,"error-codes":["T0KEN of the client","` + strings.Repeat("x", 50) + `"]}`, refused(invalid, no())},
		"a bad score passes where policies decide":  {lenient, `{"success":true,"score":-3}`, passed(map[string]any{"success": true, "score": -3.0}, yes, -3)},
		"and so does no success":                    {lenient, `{"success":false}`, passed(map[string]any{"success": false}, no())},
		"no answer never passes":                    {lenient, ``, refused(failed, no("no_answer"))},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := &provider{answer: tt.answer}
			in := at(world(), ada)
			in.Services = p
			o, err := captchaOf(tt.change).Respond(t.Context(), in, json.RawMessage(`{"token":" T0KEN "}`))
			compare(t, tt.want, o, err)
			want := []stage.SiteVerify{{
				URL: "https://captcha.example/verify", ContentType: "application/x-www-form-urlencoded",
				Secret: domain.NewSecret("private_key of s1"), Response: domain.NewSecret("T0KEN"), RemoteIP: "192.0.2.1",
			}}
			if diff := cmp.Diff(want, p.asked, likeness); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCaptchaWithoutATokenAsksNobody(t *testing.T) {
	tests := map[string]struct{ response, want string }{
		"none":    {`{}`, "token required This field is required."},
		"null":    {`{"token":null}`, "token null This field may not be null."},
		"blank":   {`{"token":" "}`, "token blank This field may not be blank."},
		"no text": {`{"token":[]}`, "token invalid Not a valid string."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := &provider{answer: `{"success":true}`}
			in := at(world(), ada)
			in.Services = p
			o, err := captchaOf(nil).Respond(t.Context(), in, json.RawMessage(tt.response))
			compare(t, wrong(captchaPage, tt.want), o, err)
			if len(p.asked) > 0 {
				t.Error("the provider was asked")
			}
		})
	}
}

func TestCaptchaTakesThePrivateKeyOfAPolicy(t *testing.T) {
	p := &provider{answer: `{"success":true}`}
	in := at(world(), ada)
	in.Services = p
	in.State.Context = execution.Context{execution.KeyCaptchaPrivateKey: domain.NewSecret("a policy's")}
	if _, err := captchaOf(nil).Respond(t.Context(), in, json.RawMessage(`{"token":"T"}`)); err != nil {
		t.Fatal(err)
	}
	if len(p.asked) != 1 || p.asked[0].Secret.Reveal() != "a policy's" {
		t.Errorf("the provider was asked %d times, with another key than the policy's", len(p.asked))
	}
}

func TestCaptchaPassesFaultsOn(t *testing.T) {
	in := at(world(), ada)
	in.Services = &provider{broken: errDown}
	if _, err := captchaOf(nil).Respond(t.Context(), in, json.RawMessage(`{"token":"T"}`)); !errors.Is(err, errDown) {
		t.Errorf("got %v, want %v", err, errDown)
	}
}
