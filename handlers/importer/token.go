package importer

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

// token writes a token: its terms, then its key, of which only a digest is
// kept. A new one without a key has one that nobody knows, until somebody sets
// another.
func (i *Importer) token(ctx context.Context, c blueprint.Change, w account.Writer) error {
	stream := eventstore.Stream("token", c.PK)
	s, _, err := i.Tokens.Load(ctx, stream)
	if err != nil {
		return err
	}
	owner, given, err := i.ownerOf(ctx, c)
	if err != nil {
		return err
	}
	if !given {
		owner = s.User
	}
	w.Meta.Subject = "user:" + owner
	if c.Action == blueprint.Removed {
		_, err := i.Tokens.Handle(ctx, stream, token.Revoke{By: w.By, Cause: "blueprint"}, w.Meta)
		return err
	}
	if s.Status == "" {
		_, err := i.Tokens.Handle(ctx, stream, i.newToken(c, owner, w), w.Meta)
		return err
	}
	change := changeOf(c.Set, w)
	if given {
		change.User = &owner
	}
	if _, err := i.Tokens.Handle(ctx, stream, change, w.Meta); err != nil {
		return err
	}
	key, _ := c.Set["key"].(domain.Secret)
	if key.Empty() {
		return nil
	}
	// A crash before this leaves the old key; the import is resumed, and sets
	// the new one.
	w.Meta.Command = derived(w.Meta.Command, "key")
	_, err = i.Tokens.Handle(ctx, stream, token.Rotate{Digest: i.Digest(key), By: w.By, Via: w.Via}, w.Meta)
	return err
}

// ownerOf returns the id of the user whom a change of a token names, who may
// have been made a moment ago.
func (i *Importer) ownerOf(ctx context.Context, c blueprint.Change) (id string, given bool, err error) {
	key, given := c.Set["user"]
	if !given {
		return "", false, nil
	}
	if err := i.Wait(ctx); err != nil {
		return "", true, err
	}
	id, err = i.Users.UserID(ctx, integer(key))
	if err == nil && id == "" {
		err = fmt.Errorf("token %s: there is no user %d", c.PK, integer(key))
	}
	return id, true, err
}

// newToken is the command that makes a token. One that expires and does not
// say when has the usual life.
func (i *Importer) newToken(c blueprint.Change, owner string, w account.Writer) token.Create {
	create := token.Create{Intent: token.API, User: owner, By: w.By, Producer: w.Via, Credential: c.PK, Expiring: true}
	change := changeOf(c.Set, w)
	for to, from := range map[*string]*string{
		&create.Identifier: change.Identifier, &create.Intent: change.Intent, &create.Description: change.Description,
	} {
		if from != nil {
			*to = *from
		}
	}
	if change.Expiring != nil {
		create.Expiring = *change.Expiring
	}
	if change.Expires != nil {
		create.Expires = *change.Expires
	}
	if create.Expiring && create.Expires.IsZero() {
		create.Expires = i.Now().Add(token.Life)
	}
	if change.Scope != nil {
		create.Scope = *change.Scope
	}
	key, _ := c.Set["key"].(domain.Secret)
	if key.Empty() {
		key = domain.NewSecret(rand.Text() + rand.Text())
	}
	create.Digest = i.Digest(key)
	return create
}

// changeOf are the terms of a token that are set, but for its user.
func changeOf(set map[string]any, w account.Writer) token.Change {
	change := token.Change{By: w.By, Via: w.Via}
	for name, to := range map[string]**string{
		"identifier": &change.Identifier, "intent": &change.Intent, "description": &change.Description,
	} {
		if text, ok := set[name].(string); ok {
			*to = &text
		}
	}
	if text, ok := set["expires"].(string); ok {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			change.Expires = &at
		}
	}
	if expiring, ok := set["expiring"].(bool); ok {
		change.Expiring = &expiring
	}
	if scope, ok := set["scope"].([]any); ok {
		permissions := texts(scope)
		change.Scope = &permissions
	}
	return change
}
