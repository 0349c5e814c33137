package main

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/caller"
	"github.com/flowledger/flowledger/projections"
)

// admin makes the administration API.
func (a *app) admin(callers *caller.Callers) *adminapi.Server {
	d := &directory{a}
	var turn func(ctx context.Context) (func(), error)
	if a.cluster != nil {
		turn = a.turn
	}
	return &adminapi.Server{
		Turn:      turn,
		Instances: &instances{a}, Keeper: &instances{a},
		Callers: callers, Objects: &a.objectHandler, Groups: &a.groupHandler, Sessions: &a.sessionHandler, Tokens: &a.tokenHandler,
		Executions: &a.executionHandler, Revisions: a.revisions,
		Invitations: &a.invitationHandler, Invited: d, Consents: &a.consentHandler, Agreed: d,
		Notices: &a.noticeHandler, Mails: &a.mailHandler, Notifications: d, Courier: d, Sinks: sinksAPI{a.outgoing},
		Accounts: a.accounts, Hashes: a.accounts, Paths: a.users.Paths, Things: a.objects, Bindings: a.objects, People: d, Roles: d, RoleStates: &a.roleHandler, Users: &a.userHandler, Logins: d, Keys: d, Audit: d, Counts: d, Audits: &a.auditHandler, Exports: newExportFiles(a.data), Looks: a.looks, Scores: d,
		Importer: &uploads{a}, Exporter: &exports{a}, Tester: &trials{a}, Launcher: a.executor, Wait: a.wait, Now: time.Now,
		NewID: uuid.NewString, Log: a.log,
	}
}

// directory answers what the administration API asks the read models.
type directory struct{ app *app }

func page(p adminapi.Page) projections.Page { return projections.Page(p) }

// Users implements adminapi.People.
func (d *directory) Users(ctx context.Context, f adminapi.UserFilter, order string, p adminapi.Page) ([]adminapi.User, int, error) {
	found, total, err := d.app.users.List(ctx, projections.UserFilter(f), order, page(p))
	if err != nil {
		return nil, 0, err
	}
	out := make([]adminapi.User, len(found))
	ids := make([]string, len(found))
	for i, u := range found {
		out[i], ids[i] = bare(u), u.ID
	}
	if f.Bare {
		return out, total, nil
	}
	joined, err := d.app.users.Joined(ctx, ids...)
	if err != nil {
		return nil, 0, err
	}
	for i := range out {
		for _, g := range joined[out[i].ID] {
			out[i].Groups = append(out[i].Groups, grouped(g))
		}
	}
	return out, total, d.holdUsers(ctx, out)
}

// bare is a user without groups and roles.
func bare(u projections.User) adminapi.User {
	return adminapi.User{
		ID: u.ID, Key: u.Key, Username: u.Username, Name: u.Name, Email: u.Email, Active: u.Active, Superuser: u.Superuser,
		Type: u.Type, Path: u.Path, Attributes: u.Attributes, PasswordChanged: u.PasswordChanged, Joined: u.Joined,
		Updated: u.Updated, LastLogin: u.LastLogin,
	}
}

func (d *directory) user(ctx context.Context, u projections.User) (adminapi.User, error) {
	groups, err := d.app.users.Groups(ctx, u.ID, false)
	out := bare(u)
	for _, g := range groups {
		out.Groups = append(out.Groups, grouped(g))
	}
	return out, err
}

// oneUser is user with roles.
func (d *directory) oneUser(ctx context.Context, u projections.User) (adminapi.User, bool, error) {
	out := make([]adminapi.User, 1)
	var err error
	if out[0], err = d.user(ctx, u); err != nil {
		return out[0], false, err
	}
	err = d.holdUsers(ctx, out)
	return out[0], true, err
}

// UserByKey implements adminapi.People.
func (d *directory) UserByKey(ctx context.Context, key int) (adminapi.User, bool, error) {
	u, ok, err := d.app.users.ByKey(ctx, key)
	if err != nil || !ok {
		return adminapi.User{}, false, err
	}
	return d.oneUser(ctx, u)
}

// UserByID implements adminapi.People.
func (d *directory) UserByID(ctx context.Context, id string) (adminapi.User, bool, error) {
	u, ok, err := d.app.users.ByID(ctx, id)
	if err != nil || !ok {
		return adminapi.User{}, false, err
	}
	return d.oneUser(ctx, u)
}

// Groups implements adminapi.People.
func (d *directory) Groups(ctx context.Context, f adminapi.GroupFilter, descending bool, p adminapi.Page) ([]adminapi.Group, int, error) {
	found, total, err := d.app.groups.List(ctx, projections.GroupFilter(f), descending, page(p))
	out := make([]adminapi.Group, len(found))
	for i, g := range found {
		out[i] = grouped(g)
	}
	if err != nil {
		return nil, 0, err
	}
	return out, total, d.holdGroups(ctx, out)
}

// grouped is a group as the administration API has it.
func grouped(g projections.Group) adminapi.Group {
	return adminapi.Group{
		ID: g.ID, Name: g.Name, Superuser: g.Superuser, Parents: g.Parents, Children: g.Children, Members: g.Members, Keys: g.Keys,
		Attributes: g.Attributes,
	}
}

// Group implements adminapi.People.
func (d *directory) Group(ctx context.Context, id string) (adminapi.Group, bool, error) {
	g, ok, err := d.app.groups.Bare(ctx, id)
	if err != nil || !ok {
		return adminapi.Group{}, false, err
	}
	out := []adminapi.Group{grouped(g)}
	err = d.holdGroups(ctx, out)
	return out[0], true, err
}

// Logins implements adminapi.Logins.
func (d *directory) Logins(ctx context.Context, f adminapi.LoginFilter, p adminapi.Page) ([]adminapi.Login, int, error) {
	found, total, err := d.app.sessions.List(ctx, projections.SessionFilter{
		User: f.User, IP: f.IP, Agent: f.UserAgent, Search: f.Search, Order: f.Order, LoggedIn: true, At: time.Now(),
	}, page(p))
	out := make([]adminapi.Login, len(found))
	for i, s := range found {
		out[i] = d.login(s)
	}
	return out, total, err
}

// login is a session with what the databases tell of its address now.
func (d *directory) login(s projections.Session) adminapi.Login {
	return adminapi.Login{
		ID: s.ID, User: s.User, IP: s.IP, Origin: d.app.origin(s.IP), UserAgent: s.UserAgent, Seen: s.Seen, Expires: s.Expires,
	}
}

// Login implements adminapi.Logins.
func (d *directory) Login(ctx context.Context, id string) (adminapi.Login, bool, error) {
	s, ok, err := d.app.sessions.ByID(ctx, id)
	return d.login(s), ok && s.User != "", err
}

// Tokens implements adminapi.Keys.
func (d *directory) Tokens(ctx context.Context, f adminapi.TokenFilter, order string, p adminapi.Page) ([]adminapi.Token, int, error) {
	found, total, err := d.app.tokens.List(ctx, projections.TokenFilter{
		Identifier: f.Identifier, Intent: f.Intent, User: f.User, Description: f.Description, Expires: f.Expires, Expiring: f.Expiring,
		Search: f.Search, At: time.Now(),
	}, order, page(p))
	out := make([]adminapi.Token, len(found))
	for i, t := range found {
		out[i] = adminapi.Token{
			ID: t.ID, Identifier: t.Identifier, Intent: t.Intent, User: t.User, Description: t.Description,
			Expires: t.Expires, Expiring: t.Expiring, Scope: t.Scope, LastUsed: t.LastUsed,
		}
	}
	return out, total, err
}

// Invitations implements adminapi.Invited.
func (d *directory) Invitations(ctx context.Context) ([]adminapi.Invitation, error) {
	found, err := d.app.invitations.List(ctx, time.Now())
	out := make([]adminapi.Invitation, len(found))
	for i, one := range found {
		out[i] = adminapi.Invitation(one)
	}
	return out, err
}

// Invitation implements adminapi.Invited.
func (d *directory) Invitation(ctx context.Context, id string) (adminapi.Invitation, bool, error) {
	i, ok, err := d.app.invitations.ByID(ctx, id, time.Now())
	return adminapi.Invitation(i), ok, err
}

// Agreed implements adminapi.Agreed.
func (d *directory) Agreed(ctx context.Context, f adminapi.ConsentFilter, p adminapi.Page) ([]adminapi.Consent, int, error) {
	found, total, err := d.app.consents.List(ctx, projections.ConsentFilter{
		User: f.User, Application: f.Application, Key: f.Key, At: time.Now(),
	}, page(p))
	out := make([]adminapi.Consent, len(found))
	for i, one := range found {
		out[i] = adminapi.Consent(one)
	}
	return out, total, err
}

// Mint implements adminapi.Keys.
func (d *directory) Mint() (string, domain.Secret) {
	key := newKey()
	return key, domain.NewSecret((&bearers{app: d.app}).digest(key))
}

// Digest implements adminapi.Keys.
func (d *directory) Digest(key domain.Secret) domain.Secret {
	return domain.NewSecret((&bearers{app: d.app}).digest(key.Reveal()))
}

// Scores implements adminapi.Scores.
func (d *directory) Scores(ctx context.Context, f adminapi.ScoreFilter, order string, p adminapi.Page) ([]adminapi.Score, int, error) {
	found, total, err := d.app.reputation.List(ctx, projections.ScoreFilter{
		ID: f.ID, IP: f.IP, Identifiers: f.Identifiers, Score: f.Score, At: time.Now(),
	}, order, page(p))
	out := make([]adminapi.Score, len(found))
	for i, s := range found {
		out[i] = adminapi.Score{ID: s.ID, Identifier: s.Identifier, Network: s.Network, Score: s.Score, Updated: s.Updated}
	}
	return out, total, err
}
