package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A FieldChange is what one field was before a change and is after it. Values
// are as JSON has them, whole texts included; nil where there is none.
type FieldChange struct {
	Path     string
	Old, New any
	Secret   bool // nobody is told what it is: neither value is here
	Personal bool // it describes a person and is sealed: neither value is here
}

// Detail returns what a change changed, field by field, in the order of their
// names. Of the configuration it tells the values; of people it tells what
// stands in clear, and no more than the names of what does not.
func (c *Changes) Detail(ctx context.Context, change ConfigurationChange) ([]FieldChange, error) {
	e, err := c.read(ctx, change)
	if err != nil {
		return nil, err
	}
	var fields []FieldChange
	switch event := e.Event.(type) {
	case object.ObjectRemoved:
		fields, err = c.removed(ctx, change)
	case object.Event:
		fields = fieldsOfObject(event)
	case group.Event:
		fields = fieldsOfGroup(event)
	case role.Event:
		fields = fieldsOfRole(event)
	case user.Event:
		fields = fieldsOfUser(event)
	case token.Event:
		fields = fieldsOfToken(event)
	case invitation.InvitationCreated:
		fields = fieldsOfInvitation(event)
	case blueprint.Event:
		fields = fieldsOfBlueprint(event)
	case retention.LedgerRetentionChanged:
		old := event.Before
		fields = []FieldChange{
			{Path: "profile", Old: old.Profile, New: event.Profile}, {Path: "trace_months", Old: old.Trace, New: event.Trace},
			{Path: "network_months", Old: old.Network, New: event.Network}, {Path: "rows_months", Old: old.Rows, New: event.Rows},
		}
	}
	if err != nil {
		return nil, err
	}
	return inFull(fields, change.Fields), nil
}

// inFull adds the fields that are known by name alone, and sorts all.
func inFull(fields []FieldChange, names []string) []FieldChange {
	for _, name := range names {
		if !slices.ContainsFunc(fields, func(f FieldChange) bool { return f.Path == name }) {
			fields = append(fields, FieldChange{Path: name, Personal: true})
		}
	}
	slices.SortStableFunc(fields, func(a, b FieldChange) int { return cmp.Compare(a.Path, b.Path) })
	return fields
}

// read reads the event of a change.
func (c *Changes) read(ctx context.Context, change ConfigurationChange) (codec.Decoded, error) {
	for e, err := range c.store.ReadStream(ctx, change.Stream, eventstore.Revision(change.Revision)) {
		if err == nil {
			return c.codec.Decode(ctx, e)
		}
		return codec.Decoded{}, fmt.Errorf("read change %s: %w", change.Event, err)
	}
	return codec.Decoded{}, fmt.Errorf("read change %s: %s has no revision %d", change.Event, change.Stream, change.Revision)
}

// removed folds what a thing was before it was removed.
func (c *Changes) removed(ctx context.Context, change ConfigurationChange) ([]FieldChange, error) {
	var s object.State
	for recorded, err := range c.store.ReadStream(ctx, change.Stream, 0) {
		if err != nil {
			return nil, fmt.Errorf("read what %s was: %w", change.Stream, err)
		}
		if int64(recorded.Revision) >= change.Revision {
			break
		}
		e, err := c.codec.Decode(ctx, recorded)
		if err != nil {
			return nil, fmt.Errorf("read what %s was: %w", change.Stream, err)
		}
		if event, ok := e.Event.(object.Event); ok {
			s = event.Evolve(s)
		}
	}
	var out []FieldChange
	for _, name := range sortedKeys(s.Fields, s.Secrets) {
		_, secret := s.Secrets[name]
		out = append(out, fieldOf(name, s.Fields[name], nil, secret))
	}
	return out, nil
}

// fieldOf keeps the values of secrets back.
func fieldOf(name string, before, after any, secret bool) FieldChange {
	if secret {
		return FieldChange{Path: name, Secret: true}
	}
	return FieldChange{Path: name, Old: before, New: after}
}

func fieldsOfObject(e object.Event) (out []FieldChange) {
	switch e := e.(type) {
	case object.ObjectCreated:
		for _, name := range sortedKeys(e.Set, e.Secrets) {
			_, secret := e.Secrets[name]
			out = append(out, fieldOf(name, nil, e.Set[name], secret))
		}
	case object.ObjectChanged:
		for _, name := range sortedKeys(e.Set, e.Secrets) {
			_, secret := e.Secrets[name]
			out = append(out, fieldOf(name, e.Previous[name], e.Set[name], secret))
		}
	}
	return out
}

// lists shows what was added and what was removed.
func lists(path string, added, removed []string) []FieldChange {
	f := FieldChange{Path: path}
	if len(removed) > 0 {
		f.Old = removed
	}
	if len(added) > 0 {
		f.New = added
	}
	return []FieldChange{f}
}

func fieldsOfGroup(e group.Event) []FieldChange {
	switch e := e.(type) {
	case group.GroupCreated:
		return []FieldChange{{Path: "name", New: e.Name}, {Path: "is_superuser", New: e.Superuser}, {Path: "parents", New: orNone(e.Parents)}}
	case group.GroupRenamed:
		return []FieldChange{{Path: "name", Old: e.From, New: e.To}}
	case group.GroupMemberAdded:
		return lists("users", []string{e.User}, nil)
	case group.GroupMemberRemoved:
		return lists("users", nil, []string{e.User})
	case group.GroupParentsChanged:
		return lists("parents", e.To, e.From)
	case group.GroupSuperuserChanged:
		return []FieldChange{{Path: "is_superuser", Old: !e.To, New: e.To}}
	case group.GroupRolesChanged:
		return lists("roles", e.Added, e.Removed)
	}
	return nil // attributes are sealed
}

// orNone is a list, or no value where there is nothing in it.
func orNone(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func fieldsOfRole(e role.Event) []FieldChange {
	switch e := e.(type) {
	case role.RoleCreated:
		return []FieldChange{{Path: "name", New: e.Name}}
	case role.RoleRenamed:
		return []FieldChange{{Path: "name", Old: e.From, New: e.To}}
	case role.RolePermissionsChanged:
		return lists("permissions", e.Added, e.Removed)
	}
	return nil
}

func fieldsOfUser(e user.Event) []FieldChange {
	switch e := e.(type) {
	case user.UserCreated:
		return []FieldChange{{Path: "type", New: e.Type}, {Path: "path", New: e.Path}, {Path: "is_active", New: e.Active}}
	case user.UserPasswordSet, user.UserPasswordRemoved:
		return []FieldChange{{Path: "password", Secret: true}}
	case user.UserActivated:
		return []FieldChange{{Path: "is_active", Old: false, New: true}}
	case user.UserDeactivated:
		return []FieldChange{{Path: "is_active", Old: true, New: false}}
	case user.UserTypeChanged:
		return []FieldChange{{Path: "type", Old: e.From, New: e.To}}
	case user.UserMoved:
		return []FieldChange{{Path: "path", Old: e.From, New: e.To}}
	case user.UserRolesChanged:
		return lists("roles", e.Added, e.Removed)
	}
	return nil // what describes a person is sealed
}

func fieldsOfToken(e token.Event) []FieldChange {
	switch e := e.(type) {
	case token.TokenCreated:
		return []FieldChange{
			{Path: "intent", New: e.Intent}, {Path: "user", New: e.User}, {Path: "identifier", New: e.Identifier},
			{Path: "expires", New: orNever(e.Expires)}, {Path: "expiring", New: e.Expiring},
		}
	case token.TokenChanged:
		of := func(t token.Terms) map[string]any {
			return map[string]any{
				"intent": t.Intent, "user": t.User, "identifier": t.Identifier, "expires": orNever(t.Expires), "expiring": t.Expiring,
				"scope": strings.Join(t.Scope, " "),
			}
		}
		return some(e.Fields, of(e.From), of(e.To))
	case token.TokenRotated:
		return []FieldChange{{Path: "key", Secret: true}}
	}
	return nil
}

// orNever is a time, or no value.
func orNever(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// some are those of the fields that are known to be in clear.
func some(names []string, before, after map[string]any) (out []FieldChange) {
	for _, name := range names {
		if value, ok := after[name]; ok {
			out = append(out, FieldChange{Path: name, Old: before[name], New: value})
		}
	}
	return out
}

func fieldsOfInvitation(e invitation.InvitationCreated) []FieldChange {
	names := e.Changed
	if len(names) == 0 {
		names = []string{"flow", "single_use", "expires"}
	}
	before := map[string]any{}
	if b := e.Before; b != nil {
		if b.Flow != nil {
			before["flow"] = *b.Flow
		}
		if b.SingleUse != nil {
			before["single_use"] = *b.SingleUse
		}
		if b.Expires != nil {
			before["expires"] = orNever(*b.Expires)
		}
	}
	return some(names, before, map[string]any{"flow": e.Flow, "single_use": e.SingleUse, "expires": orNever(e.Expires)})
}

func fieldsOfBlueprint(e blueprint.Event) []FieldChange {
	secret := []FieldChange{{Path: "content", Secret: true}, {Path: "context", Secret: true}}
	switch e := e.(type) {
	case blueprint.BlueprintAdded:
		return append(secret, FieldChange{Path: "name", New: e.Name}, FieldChange{Path: "path", New: e.Path}, FieldChange{Path: "enabled", New: e.Enabled})
	case blueprint.BlueprintChanged:
		before := map[string]any{}
		if e.Before.Name != nil {
			before["name"] = *e.Before.Name
		}
		if e.Before.Path != nil {
			before["path"] = *e.Before.Path
		}
		if e.Before.Enabled != nil {
			before["enabled"] = *e.Before.Enabled
		}
		secret = slices.DeleteFunc(secret, func(f FieldChange) bool { return !slices.Contains(e.Changed, f.Path) })
		return append(secret, some(e.Changed, before, map[string]any{"name": e.Name, "path": e.Path, "enabled": e.Enabled})...)
	case blueprint.BlueprintImportFinished:
		return []FieldChange{
			{Path: "status", New: e.Status}, {Path: "created", New: e.Created}, {Path: "updated", New: e.Updated},
			{Path: "deleted", New: e.Deleted}, {Path: "unchanged", New: e.Unchanged},
		}
	}
	return nil
}
