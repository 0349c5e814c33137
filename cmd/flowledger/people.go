package main

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/projections"
)

// people answers what executions, policies and imports ask about users.
type people struct{ app *app }

// Person implements executor.People.
func (p *people) Person(ctx context.Context, id string) (user.Person, error) {
	return p.app.users.Person(ctx, id)
}

// FindPerson implements executor.People.
func (p *people) FindPerson(ctx context.Context, fields []string, value string, foldCase bool) (user.Person, error) {
	return p.app.users.FindPerson(ctx, fields, value, foldCase)
}

// LivingSessions implements executor.People.
func (p *people) LivingSessions(ctx context.Context, userID string) ([]stage.OtherSession, error) {
	return p.app.sessions.Living(ctx, userID, time.Now())
}

// living lists the ids of a user's sessions.
func (p *people) living(ctx context.Context, userID string) ([]string, error) {
	if err := p.app.wait(ctx); err != nil {
		return nil, err
	}
	all, err := p.LivingSessions(ctx, userID)
	ids := make([]string, len(all))
	for i, s := range all {
		ids[i] = s.ID
	}
	return ids, err
}

// UserID implements importer.Users.
func (p *people) UserID(ctx context.Context, key int) (string, error) {
	u, _, err := p.app.users.ByKey(ctx, key)
	return u.ID, err
}

// GroupsOf implements importer.Users.
func (p *people) GroupsOf(ctx context.Context, userID string) ([]string, error) {
	groups, err := p.app.users.Groups(ctx, userID, false)
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return ids, err
}

// Users implements policy.Directory.
func (p *people) Users(ctx context.Context, by map[string]any, limit int) ([]user.Person, int, error) {
	return p.app.users.Lookup(ctx, by, projections.Page{Limit: limit})
}

// Groups implements policy.Directory.
func (p *people) Groups(ctx context.Context, by map[string]any, limit int) ([]user.Group, int, error) {
	found, total, err := p.app.groups.Lookup(ctx, by, projections.Page{Limit: limit})
	out := make([]user.Group, len(found))
	for i, g := range found {
		out[i] = user.Group{ID: g.ID, Name: g.Name, Superuser: g.Superuser, Attributes: g.Attributes}
	}
	return out, total, err
}

// Policy implements policy.Directory.
func (p *people) Policy(_ context.Context, name string) (policy.Policy, error) {
	found := p.app.objects.Named(catalog.Policy, name)
	if len(found) == 0 {
		return nil, nil
	}
	return policy.Load(found[0].Kind, found[0].Fields)
}

// bearers finds tokens by their keys.
type bearers struct{ app *app }

// tokenPurpose separates the digests of tokens from all others.
const tokenPurpose = "token"

// digest is what is stored of a token's key.
func (b *bearers) digest(key string) string {
	return hex.EncodeToString(b.app.vault.Digest(tokenPurpose, key))
}

// Digest implements caller.Bearers.
func (b *bearers) Digest(purpose, text string) []byte { return b.app.vault.Digest(purpose, text) }

// Bearer implements caller.Bearers.
func (b *bearers) Bearer(ctx context.Context, key string) (id, userID string, err error) {
	t, ok, err := b.app.tokens.ByDigest(ctx, b.digest(key), time.Now())
	if err != nil || !ok || t.Intent != token.API {
		return "", "", err
	}
	return t.ID, t.User, nil
}

// Link implements executor.Links.
func (b *bearers) Link(ctx context.Context, key string) (id, flow, userID string, err error) {
	t, ok, err := b.app.tokens.ByDigest(ctx, b.digest(key), time.Now())
	if err != nil || !ok || t.Flow == "" {
		return "", "", "", err
	}
	return t.ID, t.Flow, t.User, nil
}

// AppPassword implements executor.Links.
func (b *bearers) AppPassword(ctx context.Context, key string) (string, error) {
	t, ok, err := b.app.tokens.ByDigest(ctx, b.digest(key), time.Now())
	if err != nil || !ok || t.Intent != token.AppPassword {
		return "", err
	}
	return t.ID, nil
}

// Mint implements executor.Links.
func (b *bearers) Mint() string { return newKey() }

// KeyDigest implements executor.Links.
func (b *bearers) KeyDigest(key string) domain.Secret { return domain.NewSecret(b.digest(key)) }
