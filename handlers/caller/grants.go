package caller

import (
	"context"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// Roles knows what users may do.
type Roles interface {
	// Granted returns the permissions of a user by roles, their own and those
	// of their groups, as app.codename.
	Granted(ctx context.Context, userID string) ([]string, error)
}

// grants returns what a user may do by roles. Superusers may do everything,
// so nobody asks for theirs. Others' are asked for at each request and kept
// nowhere: what is taken from a role is gone at once.
func (s *Callers) grants(ctx context.Context, who user.Person) (session.Grants, error) {
	if who.Superuser {
		return nil, nil
	}
	names, err := s.Roles.Granted(ctx, who.ID)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	granted := make(session.Grants, len(names))
	for _, name := range names {
		granted[name] = true
	}
	return granted, nil
}
