package stage

import (
	"context"

	"github.com/flowledger/flowledger/domain"
)

// Services are those of others that a stage asks, and what lets it in there.
type Services interface {
	// Secret returns a secret field of a configured thing, as it was at the
	// revision of the reference; an empty one if there is none.
	Secret(ctx context.Context, of domain.Ref, field string) (domain.Secret, error)

	// VerifyCaptcha asks a provider about a token. The answer is nil if there
	// is none, or one that cannot be read: an error is a fault of ours.
	VerifyCaptcha(ctx context.Context, q SiteVerify) (map[string]any, error)
}

// A SiteVerify is a question in the protocol that reCAPTCHA began and the
// other providers took up.
type SiteVerify struct {
	URL         string
	ContentType string // of the request: a form, or JSON
	Secret      domain.Secret
	Response    domain.Secret // the client's token
	RemoteIP    string
}
