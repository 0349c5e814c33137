package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/console"
	"github.com/flowledger/flowledger/projections"
)

// changeContents tells what a change was about.
type changeContents struct{ app *app }

// Content implements console.Changes.
func (p changeContents) Content(ctx context.Context, change projections.ConfigurationChange) (console.ChangeContent, error) {
	d, err := p.app.opened(ctx, change.Stream, eventstore.Revision(change.Revision))
	if err != nil {
		return console.ChangeContent{}, err
	}
	out, err := p.content(ctx, d)
	if err != nil {
		return out, err
	}
	if d.Stream.Category() == "user" {
		out.Person = d.Stream.ID()
	}
	out.File, out.Digest, err = p.importOf(ctx, d.Header)
	return out, err
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

// content says which fields an event changes. Of what is sealed for a person
// only what the profile was and is gets opened.
func (p changeContents) content(ctx context.Context, d codec.Decoded) (out console.ChangeContent, err error) {
	switch e := d.Event.(type) {
	case object.ObjectCreated:
		out.After, out.Secrets = e.Set, slices.Sorted(maps.Keys(e.Secrets))
	case object.ObjectChanged:
		out.Before, out.After, out.Secrets = e.Previous, e.Set, slices.Sorted(maps.Keys(e.Secrets))
	case object.ObjectRemoved:
		if d.Revision == 0 {
			return out, nil
		}
		s, _, err := p.app.objectHandler.LoadAt(ctx, d.Stream, d.Revision-1)
		out.Before = s.Fields
		return out, err
	case user.UserProfileChanged:
		out.Opened = []string{"P", "T"}
		if len(d.Forgotten) > 0 {
			out.Opened, out.Nothing = nil, "What changed of the person cannot be read any more: it was forgotten."
			return out, nil
		}
		out.Before, err = profileFields(e.Previous)
		if err == nil {
			out.After, err = profileFields(e.Set)
		}
	case user.UserRenamed:
		out.Opened = []string{"P", "T"}
		if len(d.Forgotten) > 0 {
			out.Opened, out.Nothing = nil, "The names cannot be read any more: they were forgotten."
			return out, nil
		}
		out.Before, out.After = map[string]any{"username": e.Previous}, map[string]any{"username": e.Username}
	default:
		out.After, err = clearFields(d)
	}
	return out, err
}

// profileFields are the parts of a profile by name, attributes one by one. What
// looks like a secret among them was masked before it was stored.
func profileFields(p user.Profile) (map[string]any, error) {
	fields := map[string]any{}
	if p.Name != nil {
		fields["name"] = *p.Name
	}
	if p.Email != nil {
		fields["email"] = *p.Email
	}
	for key, value := range p.Attributes {
		fields["attributes."+key] = value
	}
	return fields, nil
}

// clearFields are what an event says in the clear, but for who and by which
// way, which is told of every change.
func clearFields(d codec.Decoded) (map[string]any, error) {
	fields := map[string]any{}
	if err := json.Unmarshal(d.Payload, &fields); err != nil {
		return nil, err
	}
	for _, name := range []string{"by", "via"} {
		delete(fields, name)
	}
	return fields, nil
}

// importOf finds the blueprint that a change came with.
func (p changeContents) importOf(ctx context.Context, h codec.Header) (file, digest string, err error) {
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
