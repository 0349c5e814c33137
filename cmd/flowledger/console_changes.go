package main

import (
	"context"
	"fmt"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/console"
	"github.com/flowledger/flowledger/projections"
)

// consoleChanges tells the console what was changed.
type consoleChanges struct {
	*projections.Changes
	app *app
}

// Content implements console.Changes. Of what is sealed for a person it opens
// what the profile was and is, and says so.
func (p *consoleChanges) Content(ctx context.Context, change projections.ConfigurationChange) (out console.ChangeContent, err error) {
	fields, err := p.Detail(ctx, change)
	if err != nil {
		return out, err
	}
	d, err := p.app.opened(ctx, change.Stream, eventstore.Revision(change.Revision))
	if err != nil {
		return out, err
	}
	if d.Stream.Category() == "user" {
		out.Person = d.Stream.ID()
	}
	out.Before, out.After = profileChange(d)
	if len(out.After) > 0 {
		out.Opened = []string{"P", "T"}
	}
	for _, f := range fields {
		switch {
		case f.Secret:
			out.Secrets = append(out.Secrets, f.Path)
		case f.Personal && len(out.After) == 0:
			out.Sealed = append(out.Sealed, f.Path)
		case f.Personal:
		default:
			put(out.Before, f.Path, f.Old)
			put(out.After, f.Path, f.New)
		}
	}
	out.File, out.Digest, err = p.importOf(ctx, d.Header)
	return out, err
}

func put(to map[string]any, name string, value any) {
	if value != nil {
		to[name] = value
	}
}

// opened reads one event and opens it.
func (a *app) opened(ctx context.Context, stream eventstore.StreamID, at eventstore.Revision) (codec.Decoded, error) {
	for e, err := range a.store.ReadStream(ctx, stream, at) {
		if err != nil {
			return codec.Decoded{}, err
		}
		return a.codec.Decode(ctx, e)
	}
	return codec.Decoded{}, fmt.Errorf("the ledger has no revision %d of %s", at, stream)
}

// profileChange is what describes a person, before and after an event; nothing
// where that is forgotten. What looks like a secret among the attributes was
// masked before it was stored.
func profileChange(d codec.Decoded) (before, after map[string]any) {
	before, after = map[string]any{}, map[string]any{}
	if len(d.Forgotten) > 0 {
		return before, after
	}
	switch e := d.Event.(type) {
	case user.UserProfileChanged:
		profileFields(e.Previous, before)
		profileFields(e.Set, after)
	case user.UserRenamed:
		before["username"], after["username"] = e.Previous, e.Username
	}
	return before, after
}

// profileFields are the parts of a profile by name, attributes one by one.
func profileFields(p user.Profile, to map[string]any) {
	if p.Name != nil {
		to["name"] = *p.Name
	}
	if p.Email != nil {
		to["email"] = *p.Email
	}
	for key, value := range p.Attributes {
		to["attributes."+key] = value
	}
}

// importOf finds the blueprint that a change came with.
func (p *consoleChanges) importOf(ctx context.Context, h codec.Header) (file, digest string, err error) {
	entry, ok, err := p.app.audit.ByID(ctx, h.Causation)
	if err != nil || !ok || entry.Stream.Category() != "blueprint" {
		return "", "", err
	}
	d, err := p.app.opened(ctx, entry.Stream, entry.Revision)
	if started, ok := d.Event.(blueprint.BlueprintImportStarted); ok && err == nil {
		return started.File, started.Digest, nil
	}
	return "", "", err
}
