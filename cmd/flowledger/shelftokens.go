package main

import (
	"time"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/projections"
)

// tokens are the tokens that f wants, but for those that lead into flows.
func (s *shelf) tokens(f projections.TokenFilter) []blueprint.Object {
	found, _, err := s.app.tokens.List(s.ctx, f, "", projections.Page{})
	s.read("list tokens", err)
	var out []blueprint.Object
	for _, t := range found {
		if t.Intent != token.API && t.Intent != token.AppPassword {
			continue
		}
		u, _, err := s.app.users.ByID(s.ctx, t.User)
		s.read("find the user of a token", err)
		fields := map[string]any{
			"identifier": t.Identifier, "user": int64(u.Key), "intent": t.Intent, "description": t.Description, "expires": nil,
			"expiring": t.Expiring, "scope": list(t.Scope),
		}
		if !t.Expires.IsZero() {
			fields["expires"] = t.Expires.Format(time.RFC3339Nano)
		}
		out = append(out, blueprint.Object{Model: token.Model, PK: t.ID, Fields: fields})
	}
	return out
}
