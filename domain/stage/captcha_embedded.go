package stage

import (
	"context"

	"github.com/flowledger/flowledger/domain"
)

// An embeddedCaptcha is a captcha inside the challenge of another stage: it
// tells of nobody.
type embeddedCaptcha struct {
	Is string `json:"component"`
	captchaChallenge
}

func (c *Captcha) embedded() embeddedCaptcha {
	return embeddedCaptcha{captchaComponent, captchaChallenge{
		pendingUser: pendingUser{Avatar: Avatar}, SiteKey: c.PublicKey, JSURL: c.JSURL, Interactive: c.Interactive,
	}}
}

// captcha is the stage whose proof is asked for in the same step, and its
// reference; nil for none. Whoever removes it asks for no proof any more.
func (i *Identification) captcha(ctx context.Context, in Input) (*Captcha, domain.Ref, error) {
	if i.CaptchaStage == nil {
		return nil, domain.Ref{}, nil
	}
	o, err := in.Env.Object(ctx, *i.CaptchaStage)
	if err != nil {
		return nil, domain.Ref{}, err
	}
	c, _ := o.Config.(*Captcha)
	return c, o.Ref, nil
}

// human has the token verified that came along. Where no proof is asked for,
// none is missing. The provider is asked about no token at all, too.
func (i *Identification) human(ctx context.Context, in Input, token string) (captchaProof, error) {
	c, ref, err := i.captcha(ctx, in)
	if err != nil || c == nil {
		return captchaProof{}, err
	}
	return c.verify(ctx, in, ref, token)
}
