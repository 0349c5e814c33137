package stage

import (
	"context"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
)

// What clients are told of a token that does not pass.
const (
	captchaUnverified = "Failed to validate token"
	captchaInvalid    = "Invalid captcha response"
	captchaRetriable  = "Invalid captcha response. Retrying may solve this issue."
)

// retriable are the error codes for which the next token may be better.
var retriable = []string{
	"missing-input-response", "invalid-input-response", "timeout-or-duplicate", "expired-input-response", "already-seen-response",
}

// unchecked is the score threshold that is none.
const unchecked = -1

// A captchaProof is what became of a token.
type captchaProof struct {
	problem string // what to tell the client; empty when it passes
	answer  map[string]any
	verdict *execution.CaptchaVerdict // nil where no proof was asked for
}

// verify has the provider verify a token, with the private key of the stage at
// its revision, or a policy's.
func (c *Captcha) verify(ctx context.Context, in Input, of domain.Ref, token string) (captchaProof, error) {
	secret := override(in, execution.KeyCaptchaPrivateKey)
	if secret.Empty() {
		var err error
		if secret, err = in.Services.Secret(ctx, of, "private_key"); err != nil {
			return captchaProof{}, err
		}
	}
	answer, err := in.Services.VerifyCaptcha(ctx, SiteVerify{
		URL: c.APIURL, ContentType: c.ContentType, Secret: secret, Response: domain.NewSecret(token), RemoteIP: in.Caller.Network.IP,
	})
	if err != nil {
		return captchaProof{}, err
	}
	p := captchaProof{answer: answer, verdict: &execution.CaptchaVerdict{}}
	p.problem = c.judge(answer, p.verdict)
	return p, nil
}

// judge says what is wrong with an answer, and notes what it rests on. A score
// that is no number is an answer that cannot be read, so it never passes for a
// good one.
func (c *Captcha) judge(answer map[string]any, v *execution.CaptchaVerdict) string {
	if answer == nil {
		v.Codes = []string{"no_answer"}
		return captchaUnverified
	}
	codes, _ := answer["error-codes"].([]any)
	v.Success, _ = answer["success"].(bool)
	v.Codes = noted(codes)
	if score, scored := answer["score"]; scored {
		n, ok := score.(float64)
		if !ok {
			return captchaUnverified
		}
		v.Score = &n
	}
	switch {
	case !c.ErrorOnScore:
		return ""
	case !v.Success && codes != nil && !slices.ContainsFunc(codes, final):
		return captchaRetriable
	case !v.Success:
		return captchaInvalid
	case v.Score != nil && (c.ScoreMax > unchecked && *v.Score > c.ScoreMax || c.ScoreMin > unchecked && *v.Score < c.ScoreMin):
		return captchaInvalid
	}
	return ""
}

// final tells whether an error code is none of those that may be better the
// next time.
func final(code any) bool {
	text, _ := code.(string)
	return !slices.Contains(retriable, text)
}

// noted are the codes that are recorded: what does not look like one may be
// anything, a token among others.
func noted(codes []any) (out []string) {
	const most, longest = 8, 40
	for _, v := range codes {
		code, _ := v.(string)
		odd := strings.ContainsFunc(code, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '_' })
		if code != "" && len(code) <= longest && !odd && len(out) < most {
			out = append(out, code)
		}
	}
	return out
}

// grounds are what is recorded of it.
func (p captchaProof) grounds() execution.Grounds { return execution.Grounds{Captcha: p.verdict} }

// learned is what policies get to see of it.
func (p captchaProof) learned(of domain.Ref) execution.Context {
	return execution.Context{execution.KeyCaptcha: map[string]any{
		"response": p.answer, "stage": map[string]any{"pk": of.ID, "name": of.Name},
	}}
}
