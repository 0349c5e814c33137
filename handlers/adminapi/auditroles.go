package adminapi

import (
	"context"

	"github.com/flowledger/flowledger/domain/role"
)

// roleContext names the role, and says what it came to permit or does not
// permit any more. Later names are looked up, and are gone with the role.
func (s *Server) roleContext(ctx context.Context, e AuditEntry, event role.Event) (map[string]any, error) {
	found, _, err := s.Roles.Role(ctx, e.Stream.ID())
	out := map[string]any{"model": modelRef(role.Model, e.Stream.ID(), found.Name)}
	switch event := event.(type) {
	case role.RoleCreated:
		out["model"] = modelRef(role.Model, e.Stream.ID(), event.Name)
	case role.RoleRenamed:
		out["diff"] = diff(map[string]any{"name": event.To}, map[string]any{"name": event.From})
	case role.RolePermissionsChanged:
		out["permissions"] = map[string]any{"added": listed(event.Added), "removed": listed(event.Removed)}
	}
	return out, err
}
