package projections

import (
	"context"
	"encoding/json"

	"zombiezen.com/go/sqlite"
)

// Names returns the user names of those ids that are somebody's.
func (u *Users) Names(ctx context.Context, ids []string) (map[string]string, error) {
	list, err := json.Marshal(ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	names := make(map[string]string, len(ids))
	q := "SELECT id, username FROM users WHERE id IN (SELECT value FROM json_each(?))"
	err = u.views.read(ctx, "names of users", q, []any{string(list)}, func(s *sqlite.Stmt) error {
		names[s.GetText("id")] = s.GetText("username")
		return nil
	})
	return names, err
}
