package stage

import (
	"context"
	"encoding/json"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

func init() {
	register(kind{
		Model: "authentik_stages_captcha.captchastage", Path: "captcha", Name: "Captcha Stage", Form: "ak-stage-captcha-form",
		About: "Asks for a proof that somebody is human.",
		Config: func() Stage {
			return &Captcha{
				JSURL: "https://www.recaptcha.net/recaptcha/api.js", APIURL: "https://www.recaptcha.net/recaptcha/api/siteverify",
				ContentType: "application/x-www-form-urlencoded", ScoreMin: 0.5, ScoreMax: 1, ErrorOnScore: true,
			}
		},
	})
}

// Captcha asks for a proof that somebody is human, and has the provider verify
// it (spec/stages.md 3.9). Which provider that is, the two URLs say.
type Captcha struct {
	Named
	PublicKey    string  `json:"public_key" catalog:"required"`
	PrivateKey   string  `json:"private_key" catalog:"required,secret"` // never loaded: see Services
	JSURL        string  `json:"js_url"`
	APIURL       string  `json:"api_url"`
	ContentType  string  `json:"request_content_type" catalog:"enum=application/x-www-form-urlencoded|application/json"`
	Interactive  bool    `json:"interactive"`
	ScoreMin     float64 `json:"score_min_threshold"`
	ScoreMax     float64 `json:"score_max_threshold"`
	ErrorOnScore bool    `json:"error_on_invalid_score"`
}

type captchaChallenge struct {
	pendingUser
	SiteKey     string `json:"site_key"`
	JSURL       string `json:"js_url"`
	Interactive bool   `json:"interactive"`
}

const captchaComponent = "ak-stage-captcha"

func (captchaChallenge) Component() string { return captchaComponent }

// Enter implements [Stage].
func (c *Captcha) Enter(_ context.Context, in Input) (execution.Outcome, error) {
	return execution.Ask{Challenge: c.challenge(in)}, nil
}

func (c *Captcha) challenge(in Input) captchaChallenge {
	ch := captchaChallenge{pendingUser: shown(in), SiteKey: c.PublicKey, JSURL: c.JSURL, Interactive: c.Interactive}
	if key := override(in, execution.KeyCaptchaSiteKey); !key.Empty() {
		ch.SiteKey = key.Reveal()
	}
	return ch
}

// Respond implements [Stage].
func (c *Captcha) Respond(ctx context.Context, in Input, response json.RawMessage) (execution.Outcome, error) {
	token, problems := read(response).text("token", rule{required: true})
	if problems != nil {
		return again(c.challenge(in), problems), nil
	}
	proof, err := c.verify(ctx, in, in.Entry.Stage, token)
	if err != nil {
		return nil, err
	}
	if proof.problem != "" {
		o := again(c.challenge(in), problem("token", "invalid", proof.problem))
		o.Grounds = proof.grounds()
		return o, nil
	}
	return execution.Pass{Learned: proof.learned(in.Entry.Stage), Grounds: proof.grounds()}, nil
}

// override is a key that a policy has put in the place of the stage's.
func override(in Input, key string) domain.Secret {
	switch v := in.State.Context[key].(type) {
	case domain.Secret:
		return v
	case string:
		return domain.NewSecret(v)
	}
	return domain.Secret{}
}
