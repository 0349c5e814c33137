package importer

import (
	"context"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

// role writes a role, in one append.
func (i *Importer) role(ctx context.Context, c blueprint.Change, w account.Writer) error {
	write := role.Write{By: w.By, Via: w.Via}
	if name, ok := c.Set["name"].(string); ok {
		write.Name = &name
	}
	if permissions, ok := c.Set["permissions"].([]any); ok {
		write.Permissions = texts(permissions)
	}
	var do domain.Command[role.State] = write
	if c.Action == blueprint.Removed {
		do = role.Delete{By: w.By, Via: w.Via}
	}
	_, err := i.Roles.Handle(ctx, eventstore.Stream("role", c.PK), do, w.Meta)
	return err
}
