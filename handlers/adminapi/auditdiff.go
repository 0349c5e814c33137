package adminapi

import (
	"context"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
)

// objectDiff says what of a configured thing changed. Secrets differ, and no
// more is told of them.
func objectDiff(e object.ObjectChanged) map[string]any {
	out := diff(e.Set, e.Previous)
	for name := range e.Secrets {
		out[name] = map[string]any{"new_value": masked, "previous_value": masked}
	}
	return out
}

// groupContext names the group, and tells what of it changed. Its name when it
// was made is in the event; later ones are looked up, and are gone with the
// group.
func (s *Server) groupContext(ctx context.Context, e AuditEntry, event group.Event) (map[string]any, error) {
	g, _, err := s.People.Group(ctx, e.Stream.ID())
	name := g.Name
	if created, ok := event.(group.GroupCreated); ok {
		name = created.Name
	}
	out := map[string]any{"model": modelRef(object.GroupModel, e.Stream.ID(), name)}
	if field, now, before := groupChange(event); field != "" {
		out["diff"] = diff(map[string]any{field: now}, map[string]any{field: before})
	}
	return out, err
}

// groupChange is what an event changes of a group. Of members and roles, those
// who came are the new value, and those who left the previous one.
func groupChange(event group.Event) (field string, now, before any) {
	switch event := event.(type) {
	case group.GroupRenamed:
		return "name", event.To, event.From
	case group.GroupSuperuserChanged:
		return "is_superuser", event.To, !event.To
	case group.GroupParentsChanged:
		return "parents", listed(event.To), listed(event.From)
	case group.GroupAttributesChanged:
		return "attributes", attributes(event.Set), attributes(event.Previous)
	case group.GroupRolesChanged:
		return "roles", listed(event.Added), listed(event.Removed)
	case group.GroupMemberAdded:
		return "users", []any{event.User}, []any{}
	case group.GroupMemberRemoved:
		return "users", []any{}, []any{event.User}
	}
	return "", nil, nil
}

// invitationContext names an invitation, as far as the event does, and tells
// what of it changed.
func invitationContext(id string, event invitation.Event) map[string]any {
	e, ok := event.(invitation.InvitationCreated)
	out := map[string]any{"model": modelRef(object.InvitationModel, id, e.Name)}
	if !ok || e.Changed == nil {
		return out
	}
	now, before := map[string]any{}, map[string]any{}
	for _, field := range e.Changed {
		now[field], before[field] = invitationChange(e, field)
	}
	out["diff"] = diff(now, before)
	return out
}

func invitationChange(e invitation.InvitationCreated, field string) (now, before any) {
	switch old := e.Before; {
	case field == "name":
		return e.Name, e.PreviousName
	case field == "fixed_data":
		return attributes(e.FixedData), attributes(e.PreviousData)
	case field == "flow" && old != nil && old.Flow != nil:
		return e.Flow, *old.Flow
	case field == "single_use" && old != nil && old.SingleUse != nil:
		return e.SingleUse, *old.SingleUse
	case field == "expires" && old != nil && old.Expires != nil:
		return moment(e.Expires), moment(*old.Expires)
	}
	// An event from before old values were kept.
	return map[string]any{"flow": e.Flow, "single_use": e.SingleUse, "expires": moment(e.Expires)}[field], nil
}

// blueprintContext names a blueprint instance, and tells what of it changed.
// Its texts may hold secrets: that they differ is all that is told.
func blueprintContext(id string, event blueprint.Event) map[string]any {
	switch e := event.(type) {
	case blueprint.BlueprintAdded:
		return map[string]any{"model": modelRef(blueprint.InstanceModel, id, e.Name)}
	case blueprint.BlueprintRemoved:
		return map[string]any{"model": modelRef(blueprint.InstanceModel, id, e.Name)}
	case blueprint.BlueprintChanged:
		now := map[string]any{"name": e.Name, "path": e.Path, "enabled": e.Enabled}
		before := map[string]any{"name": told(e.Before.Name), "path": told(e.Before.Path), "enabled": told(e.Before.Enabled)}
		changes := map[string]any{}
		for _, field := range e.Changed {
			value, clear := now[field]
			if !clear {
				changes[field] = map[string]any{"new_value": masked, "previous_value": masked}
				continue
			}
			changes[field] = map[string]any{"new_value": value, "previous_value": before[field]}
		}
		return map[string]any{"model": modelRef(blueprint.InstanceModel, id, e.Name), "diff": changes}
	}
	return map[string]any{}
}

// told is a value, or null where none was kept.
func told[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}
