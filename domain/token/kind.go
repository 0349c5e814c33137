package token

import (
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/role"
)

// Model is what blueprints and permissions call a token.
const Model = "authentik_core.token"

// Life is how long a token that expires lives, unless its maker says
// otherwise.
const Life = 30 * time.Minute

func init() {
	catalog.Register(catalog.Kind{
		Model: Model, Category: catalog.Token, Path: "core/tokens", Name: "Token", Key: "identifier",
		Natural: [][]string{{"identifier"}},
		New:     func() any { return &Shape{Intent: API, Expiring: true} },
	})
}

// Shape is a token as blueprints write it. The admin API has the key
// elsewhere; nothing ever reads it back, for only a digest is kept.
type Shape struct {
	Identifier  string   `json:"identifier" catalog:"required,slug,max=255"`
	User        int      `json:"user" catalog:"required,ref=user"`
	Intent      string   `json:"intent" catalog:"enum=api|app_password"`
	Description string   `json:"description" catalog:"blank"`
	Expires     *string  `json:"expires" catalog:"time"`
	Expiring    bool     `json:"expiring"`
	Scope       []string `json:"scope"`
	Key         *string  `json:"key" catalog:"secret,verbatim"`
}

// Validate implements [catalog.Validator].
func (t *Shape) Validate() catalog.Problems {
	var p catalog.Problems
	for _, permission := range t.Scope {
		if _, known := role.Lookup(permission); !known {
			p.Add("scope", "There is no permission %q.", permission)
		}
	}
	if t.Intent == AppPassword && len(t.Scope) > 0 {
		p.Add("scope", "%s", UnlimitedPassword)
	}
	if t.Key != nil {
		if fault := CheckKey(domain.NewSecret(*t.Key)); fault != "" {
			p.Add("key", "%s", fault)
		}
	}
	return p
}

// UnlimitedPassword says why app passwords have no scope.
const UnlimitedPassword = "An app password cannot be limited: whoever logs in with it is its user."
