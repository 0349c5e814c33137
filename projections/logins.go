package projections

import (
	"context"

	"github.com/flowledger/flowledger/domain/execution"
)

// Logins returns the newest logins of a user, at most limit.
func (a *Audit) Logins(ctx context.Context, userID string, limit int) ([]SignIn, error) {
	if userID == "" || limit <= 0 {
		return nil, nil
	}
	return a.signIns(ctx, loginsOf(userID), limit)
}

func loginsOf(userID string) AuditFilter {
	return AuditFilter{Subject: userID, Types: []string{execution.UserLoggedIn{}.EventType()}}
}

// newest is the end of a query for the newest events.
func newest(limit int) string { return " ORDER BY n DESC" + Page{Limit: limit}.sql() }
