package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

// apply performs the changes in their order, each an append to the stream of
// what it changes, under ids that follow from the import. An error, or a crash,
// leaves an import that has started and not finished: it is carried out by
// [Importer.Resume].
func (i *Importer) apply(ctx context.Context, id uuid.UUID, j Job, r blueprint.Result) error {
	begun := i.Now()
	done := counted(r.Changes)
	j.models = modelsOf(r.Changes)
	for _, c := range r.Changes {
		w := account.Writer{By: j.By, Via: j.Via, Meta: i.meta(j, id, c.Model+"/"+c.PK)}
		if err := i.change(ctx, id, c, w); err != nil {
			return fmt.Errorf("apply %s, entry %d, %s %s: %w", j.File, c.Entry, c.Model, c.Name, err)
		}
	}
	done.MS = i.Now().Sub(begun).Milliseconds()
	return i.finish(ctx, id, j, done)
}

// counted tells how many things of each sort there are among the changes of an
// import that succeeds.
func counted(changes []blueprint.Change) blueprint.BlueprintImportFinished {
	done := blueprint.BlueprintImportFinished{Status: blueprint.Successful}
	for _, c := range changes {
		switch c.Action {
		case blueprint.Created:
			done.Created++
		case blueprint.Updated:
			done.Updated++
		case blueprint.Removed:
			done.Deleted++
		default:
			done.Unchanged++
		}
	}
	return done
}

// finish says how an import ended, and forgets its text.
func (i *Importer) finish(ctx context.Context, id uuid.UUID, j Job, done blueprint.BlueprintImportFinished) error {
	finish := blueprint.FinishImport{Import: id.String(), BlueprintImportFinished: j.told(done)}
	_, err := i.Imports.Handle(ctx, j.stream(id), finish, i.meta(j, id, "finish"))
	if err != nil {
		return err
	}
	// The text is needed no more, and it may hold passwords. A crash before
	// this leaves it readable for whoever has the keys.
	if err := i.Forget(ctx, id.String()); err != nil {
		return err
	}
	return i.Wait(ctx)
}

func (i *Importer) change(ctx context.Context, id uuid.UUID, c blueprint.Change, w account.Writer) error {
	if c.Action == blueprint.Unchanged {
		return nil
	}
	switch c.Model {
	case object.UserModel:
		return i.user(ctx, id, c, person(w))
	case object.GroupModel:
		w.Meta.Subject = "group:" + c.PK
		return i.group(ctx, c, person(w))
	case role.Model:
		w.Meta.Subject = "role:" + c.PK
		return i.role(ctx, c, person(w))
	case token.Model:
		return i.token(ctx, c, w)
	}
	if c.Model == object.InvitationModel {
		w.Meta.Subject = "invitation:" + c.PK
		return i.invitation(ctx, c, person(w))
	}
	w.Meta.Subject = "object:" + c.PK
	stream := eventstore.Stream("object", c.PK)
	if c.Action == blueprint.Removed {
		_, err := i.Objects.Handle(ctx, stream, object.Remove{By: w.By, Via: w.Via, CascadeOf: c.CascadeOf}, w.Meta)
		return err
	}
	_, err := i.Objects.Handle(ctx, stream, object.Put{Kind: c.Model, Fields: c.Set, By: w.By, Via: w.Via}, w.Meta)
	return err
}

// person is w for users, groups and roles: of them the catalogue of events says that
// they came from a blueprint, whatever way that took.
func person(w account.Writer) account.Writer {
	if w.Via == "import" {
		w.Via = "blueprint"
	}
	return w
}

// user writes a user: fields, then password, then groups.
func (i *Importer) user(ctx context.Context, importID uuid.UUID, c blueprint.Change, w account.Writer) error {
	key, err := strconv.Atoi(c.PK)
	if err != nil {
		return fmt.Errorf("user key %q: %w", c.PK, err)
	}
	id, err := i.Users.UserID(ctx, key)
	if err != nil {
		return err
	}
	fields := maps.Clone(c.Set)
	hash, err := i.hash(ctx, fields)
	if err != nil {
		return err
	}
	switch {
	case c.Action == blueprint.Removed:
		return i.Accounts.Delete(ctx, id, w)
	case id == "":
		username, _ := fields["username"].(string)
		id = userID(importID, username)
		_, err = i.Accounts.Create(ctx, account.New{ID: id, Key: key, Fields: user.FieldsOf(fields), Hash: hash}, w)
	default:
		if _, err = i.Accounts.Write(ctx, id, user.FieldsOf(fields), w); err == nil && !hash.Empty() {
			err = i.Accounts.SetHash(ctx, id, hash, w)
		}
	}
	if err != nil {
		return err
	}
	wanted, given := fields["groups"].([]any)
	if !given {
		return nil
	}
	return i.memberships(ctx, id, texts(wanted), w)
}

// hash is the stored form of the password that an entry sets, if it does.
func (i *Importer) hash(ctx context.Context, fields map[string]any) (domain.Secret, error) {
	if typed, ok := fields["password"].(domain.Secret); ok && !typed.Empty() {
		return i.Accounts.Passwords.Hash(ctx, typed)
	}
	hash, _ := fields["password_hash"].(domain.Secret)
	return hash, nil
}

// derived is the id of a step of a change that takes several.
func derived(change uuid.UUID, step string) uuid.UUID { return uuid.NewSHA1(change, []byte(step)) }

// memberships makes the groups of a user these, and no others.
func (i *Importer) memberships(ctx context.Context, id string, wanted []string, w account.Writer) error {
	present, err := i.Users.GroupsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, g := range present {
		if slices.Contains(wanted, g) {
			continue
		}
		meta := w.Meta
		meta.Command = derived(meta.Command, "leave"+g)
		if _, err := i.Groups.Handle(ctx, eventstore.Stream("group", g), group.RemoveMember{User: id, By: w.By}, meta); err != nil {
			return err
		}
	}
	return i.Accounts.Join(ctx, id, wanted, w)
}

// group writes a group.
func (i *Importer) group(ctx context.Context, c blueprint.Change, w account.Writer) error {
	stream := eventstore.Stream("group", c.PK)
	if c.Action == blueprint.Removed {
		_, err := i.Groups.Handle(ctx, stream, group.Delete{By: w.By, Via: w.Via}, w.Meta)
		return err
	}
	write := group.Write{By: w.By, Via: w.Via}
	if name, ok := c.Set["name"].(string); ok {
		write.Name = &name
	}
	if superuser, ok := c.Set["is_superuser"].(bool); ok {
		write.Superuser = &superuser
	}
	write.Attributes, _ = c.Set["attributes"].(map[string]any)
	if parents, ok := c.Set["parents"].([]any); ok {
		write.Parents = texts(parents)
	}
	if roles, ok := c.Set["roles"].([]any); ok {
		write.Roles = texts(roles)
	}
	if members, ok := c.Set["users"].([]any); ok {
		if err := i.Wait(ctx); err != nil { // for users that an entry before this made
			return err
		}
		write.Members = []string{}
		for _, m := range members {
			id, err := i.Users.UserID(ctx, integer(m))
			if err != nil {
				return err
			}
			if id != "" {
				write.Members = append(write.Members, id)
			}
		}
	}
	_, err := i.Groups.Handle(ctx, stream, write, w.Meta)
	return err
}

// invitation writes an invitation.
func (i *Importer) invitation(ctx context.Context, c blueprint.Change, w account.Writer) error {
	var do domain.Command[invitation.State] = invitation.Write{Fields: c.Set, By: w.By, Via: w.Via}
	if c.Action == blueprint.Removed {
		do = invitation.Remove{By: w.By, Via: w.Via}
	}
	_, err := i.Invitations.Handle(ctx, eventstore.Stream("invitation", c.PK), do, w.Meta)
	return err
}

func texts(list []any) []string {
	out := []string{}
	for _, item := range list {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

func integer(v any) int {
	switch v := v.(type) {
	case int:
		return v
	case int64:
		return int(v)
	case float64:
		return int(v)
	}
	return 0
}
