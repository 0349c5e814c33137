package adminapi

import (
	"context"
	"net/http"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/role"
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
	roles, system, err := s.powersOf(r.Context(), c, u)
	if err != nil {
		return err
	}
	settings, _ := u.Attributes["settings"].(map[string]any)
	return writeJSON(w, http.StatusOK, map[string]any{
		"user": map[string]any{
			"pk": u.Key, "username": u.Username, "name": u.Name, "is_active": u.Active, "is_superuser": u.Superuser,
			"is_current": true, "groups": groups, "roles": roles, "email": u.Email, "avatar": avatar, "uid": uid(u),
			"settings": attributes(settings), "type": u.Type, "system_permissions": system,
		},
		"users": []any{},
	})
}

// powersOf returns the roles of the caller, those by a group included, and
// which of the permissions about nothing in particular the caller has.
func (s *Server) powersOf(ctx context.Context, c session.Caller, u User) (roles, system []any, err error) {
	found, _, err := s.Roles.Roles(ctx, RoleFilter{User: u.ID, Inherited: true}, false, Page{})
	roles, system = []any{}, []any{}
	for _, r := range found {
		roles = append(roles, map[string]any{"name": r.Name, "pk": r.ID})
	}
	for _, p := range role.Permissions() {
		if p.System() && c.May(p.Name()) {
			system = append(system, p.Codename)
		}
	}
	return roles, system, err
}
