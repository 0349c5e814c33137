package projections

import (
	"cmp"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// What happens to a thing.
const (
	VerbCreated  = "created"
	VerbChanged  = "changed"
	VerbRemoved  = "removed"
	VerbImported = "imported"
	VerbErased   = "erased" // its keys were destroyed
)

// KindRetention is the kind of a change of how long the ledger stays readable.
const KindRetention = "retention"

// changeOf reads a change off its event; false for what is none.
func changeOf(e codec.Decoded) (ConfigurationChange, bool) {
	c := ConfigurationChange{
		Position: e.Position, Event: e.ID.String(), At: e.RecordedAt, Stream: e.Stream, Revision: int64(e.Revision), Object: e.Stream.ID(),
		Actor: e.Header.Actor.ID, ActorKind: e.Header.Actor.Kind, Origin: originOf(e.Header),
	}
	by, ok := "", false
	switch event := e.Event.(type) {
	case object.Event:
		by, ok = c.ofObject(event)
	case group.Event:
		by, ok = c.ofGroup(event)
	case role.Event:
		by, ok = c.ofRole(event)
	case user.Event:
		by, ok = c.ofUser(event)
		ok = ok && e.Stream.Category() == "user" && !ownDoing(e)
	case token.Event:
		by, ok = c.ofToken(event)
		ok = ok && e.Header.Execution == ""
	case invitation.Event:
		by, ok = c.ofInvitation(event)
		ok = ok && e.Header.Execution == ""
	case blueprint.Event:
		by, ok = c.ofBlueprint(event)
	case key.Event:
		by, ok = c.ofKey(event)
	case retention.LedgerRetentionChanged:
		c.Kind, c.Verb, by, ok = KindRetention, VerbChanged, event.By, true
		c.Fields = []string{"network_months", "profile", "rows_months", "trace_months"}
	}
	c.Actor = cmp.Or(c.Actor, by)
	return c, ok
}

// ownDoing tells whether users did something to themselves, or became users in
// an execution of their own.
func ownDoing(e codec.Decoded) bool {
	actor := e.Header.Actor.ID
	return actor == e.Stream.ID() || actor == "" && e.Header.Execution != ""
}

// ofObject also takes up removals that another took along.
func (c *ConfigurationChange) ofObject(e object.Event) (by string, ok bool) {
	switch e := e.(type) {
	case object.ObjectCreated:
		c.Kind, c.Name, c.Verb, c.Via, c.Fields = e.Kind, e.Name, VerbCreated, e.Via, sortedKeys(e.Set, e.Secrets)
		return e.By, true
	case object.ObjectChanged:
		c.Kind, c.Name, c.Verb, c.Via, c.Fields = e.Kind, e.Name, VerbChanged, e.Via, sortedKeys(e.Set, e.Secrets)
		return e.By, true
	case object.ObjectRemoved:
		c.Kind, c.Name, c.Verb, c.Via = e.Kind, e.Name, VerbRemoved, e.Via
		return e.By, true
	}
	return "", false
}

// sortedKeys are the names of fields and of secret fields.
func sortedKeys[A, B any](fields map[string]A, secrets map[string]B) []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range maps.Keys(fields) {
			if !yield(name) {
				return
			}
		}
		for name := range maps.Keys(secrets) {
			if _, both := fields[name]; !both && !yield(name) {
				return
			}
		}
	})
}

func (c *ConfigurationChange) ofGroup(e group.Event) (by string, ok bool) {
	c.Kind, c.Verb = object.GroupModel, VerbChanged
	switch e := e.(type) {
	case group.GroupCreated:
		c.Verb, c.Name, c.Via, c.Fields = VerbCreated, e.Name, e.Via, []string{"is_superuser", "name", "parents"}
		return e.By, true
	case group.GroupRenamed:
		c.Name, c.Fields = e.To, []string{"name"}
		return e.By, true
	case group.GroupMemberAdded:
		c.Via, c.Fields = e.Via, []string{"users"}
		return e.By, true
	case group.GroupMemberRemoved:
		c.Via, c.Fields = e.Via, []string{"users"}
		return e.By, true
	case group.GroupParentsChanged:
		c.Fields = []string{"parents"}
		return e.By, true
	case group.GroupSuperuserChanged:
		c.Fields = []string{"is_superuser"}
		return e.By, true
	case group.GroupAttributesChanged:
		c.Fields = e.Fields
		return e.By, true
	case group.GroupRolesChanged:
		c.Fields = []string{"roles"}
		return e.By, true
	case group.GroupDeleted:
		c.Verb, c.Via = VerbRemoved, e.Via
		return e.By, true
	}
	return "", false
}

func (c *ConfigurationChange) ofRole(e role.Event) (by string, ok bool) {
	c.Kind, c.Verb = role.Model, VerbChanged
	switch e := e.(type) {
	case role.RoleCreated:
		c.Verb, c.Name, c.Via, c.Fields = VerbCreated, e.Name, e.Via, []string{"name"}
		return e.By, true
	case role.RoleRenamed:
		c.Name, c.Fields = e.To, []string{"name"}
		return e.By, true
	case role.RolePermissionsChanged:
		c.Fields = []string{"permissions"}
		return e.By, true
	case role.RoleDeleted:
		c.Verb, c.Via = VerbRemoved, e.Via
		return e.By, true
	}
	return "", false
}

// ofUser leaves out what the program does for itself, such as another form of
// the same password.
func (c *ConfigurationChange) ofUser(e user.Event) (by string, ok bool) {
	c.Kind, c.Verb = object.UserModel, VerbChanged
	switch e := e.(type) {
	case user.UserCreated:
		c.Verb, c.Via, c.Fields = VerbCreated, e.Via, []string{"attributes", "email", "is_active", "name", "path", "type", "username"}
		return e.By, true
	case user.UserProfileChanged:
		c.Via, c.Fields = e.Via, e.Fields
		return e.By, true
	case user.UserRenamed:
		c.Via, c.Fields = e.Via, []string{"username"}
		return e.By, true
	case user.UserPasswordSet:
		c.Via, c.Fields = e.Via, []string{"password"}
		return e.By, true
	case user.UserPasswordRemoved:
		c.Fields = []string{"password"}
		return e.By, true
	case user.UserActivated:
		c.Fields = []string{"is_active"}
		return e.By, true
	case user.UserDeactivated:
		c.Fields = []string{"is_active"}
		return e.By, true
	case user.UserTypeChanged:
		c.Fields = []string{"type"}
		return e.By, true
	case user.UserMoved:
		c.Fields = []string{"path"}
		return e.By, true
	case user.UserRolesChanged:
		c.Fields = []string{"roles"}
		return e.By, true
	case user.UserDeleted:
		c.Verb, c.Via = VerbRemoved, e.Via
		return e.By, true
	}
	return "", false
}

func (c *ConfigurationChange) ofToken(e token.Event) (by string, ok bool) {
	c.Kind, c.Verb = TokenModel, VerbChanged
	switch e := e.(type) {
	case token.TokenCreated:
		c.Verb, c.Name, c.Via, c.Fields = VerbCreated, e.Identifier, e.Producer, []string{"expires", "expiring", "identifier", "intent", "user"}
		return e.By, true
	case token.TokenChanged:
		c.Name, c.Via, c.Fields = e.To.Identifier, e.Via, e.Fields
		return e.By, true
	case token.TokenRotated:
		c.Via, c.Fields = e.Via, []string{"key"}
		return e.By, true
	case token.TokenRevoked:
		c.Verb = VerbRemoved
		return e.By, true
	}
	return "", false
}

// ofInvitation: names of invitations name people, so they are sealed.
func (c *ConfigurationChange) ofInvitation(e invitation.Event) (by string, ok bool) {
	c.Kind = object.InvitationModel
	switch e := e.(type) {
	case invitation.InvitationCreated:
		c.Verb, c.Via, c.Fields = VerbCreated, e.Via, []string{"expires", "fixed_data", "flow", "name", "single_use"}
		if len(e.Changed) > 0 {
			c.Verb, c.Fields = VerbChanged, e.Changed
		}
		return e.By, true
	case invitation.InvitationRemoved:
		c.Verb = VerbRemoved
		return e.By, true
	}
	return "", false
}

func (c *ConfigurationChange) ofBlueprint(e blueprint.Event) (by string, ok bool) {
	c.Kind = blueprint.InstanceModel
	switch e := e.(type) {
	case blueprint.BlueprintAdded:
		c.Verb, c.Name, c.Via, c.Fields = VerbCreated, e.Name, e.Via, []string{"content", "context", "enabled", "name", "path"}
		return e.By, true
	case blueprint.BlueprintChanged:
		c.Verb, c.Name, c.Via, c.Fields = VerbChanged, e.Name, e.Via, e.Changed
		return e.By, true
	case blueprint.BlueprintRemoved:
		c.Verb, c.Name, c.Via = VerbRemoved, e.Name, e.Via
		return e.By, true
	case blueprint.BlueprintImportFinished:
		c.Verb = VerbImported
		return "", true
	}
	return "", false
}

// ofKey: keys of executions and sessions go with those of their users.
func (c *ConfigurationChange) ofKey(e key.Event) (by string, ok bool) {
	c.Verb = VerbErased
	switch e := e.(type) {
	case key.SubjectKeyDestroyed:
		c.Kind = object.UserModel
		return e.By, e.Kind == key.User
	case key.EpochKeyDestroyed:
		c.Kind, c.Object = KindEpoch, e.Class+"."+e.Epoch
		return "", true
	}
	return "", false
}
