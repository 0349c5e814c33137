package executor

import (
	"context"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/stage"
)

// Captchas are the providers of captchas.
type Captchas interface {
	// SiteVerify asks one about a token. If there is no answer that can be
	// read, the error says why, and neither the token nor the key is in it.
	SiteVerify(ctx context.Context, q stage.SiteVerify) (map[string]any, error)
}

// Secret implements [stage.Services].
func (e *env) Secret(ctx context.Context, of domain.Ref, field string) (domain.Secret, error) {
	all, err := e.x.Hidden(ctx, of)
	return all[field], wrap(err)
}

// VerifyCaptcha implements [stage.Services]. A provider that is down is no
// fault of ours, but one that operators want to hear of.
func (e *env) VerifyCaptcha(ctx context.Context, q stage.SiteVerify) (map[string]any, error) {
	answer, err := e.x.Captchas.SiteVerify(ctx, q)
	if err == nil || ctx.Err() != nil {
		return answer, wrap(ctx.Err())
	}
	if e.x.Log != nil {
		e.x.Log.WarnContext(ctx, "a provider of captchas gave no answer",
			"execution", e.d.id, "request", e.d.visit.Caller.Request, "flow", e.d.state.Slug, "error", err)
	}
	return nil, nil
}
