package adminapi

import (
	"net/http"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
)

// me describes who calls, to themselves.
func (s *Server) me(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	u, ok, err := s.People.UserByID(r.Context(), c.User)
	if err != nil {
		return err
	}
	if !ok {
		return domain.Errorf(domain.Unauthenticated, "Authentication credentials were not provided.")
	}
	groups := []any{}
	for _, g := range u.Groups {
		groups = append(groups, map[string]any{"name": g.Name, "pk": g.ID})
	}
	settings, _ := u.Attributes["settings"].(map[string]any)
	return writeJSON(w, http.StatusOK, map[string]any{
		"user": map[string]any{
			"pk": u.Key, "username": u.Username, "name": u.Name, "is_active": u.Active, "is_superuser": u.Superuser,
			"is_current": true, "groups": groups, "roles": []any{}, "email": u.Email, "avatar": avatar, "uid": uid(u),
			"settings": attributes(settings), "type": u.Type, "system_permissions": []any{},
		},
		"users": []any{},
	})
}
