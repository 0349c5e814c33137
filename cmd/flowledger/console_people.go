package main

import (
	"context"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/console"
	"github.com/flowledger/flowledger/projections"
)

// consolePersons tells the console of people, and of how they log in.
type consolePersons struct{ pageAccount }

// Find implements console.Persons.
func (p *consolePersons) Find(ctx context.Context, words, order string, pg projections.Page) ([]console.Person, int, error) {
	found, total, err := p.app.users.List(ctx, projections.UserFilter{Search: words}, order, pg)
	out := make([]console.Person, len(found))
	for i, u := range found {
		out[i] = consolePerson(u)
	}
	return out, total, err
}

func consolePerson(u projections.User) console.Person {
	return console.Person{
		ID: u.ID, Username: u.Username, Name: u.Name, Email: u.Email, Active: u.Active, Superuser: u.Superuser, Type: u.Type,
		Joined: u.Joined, LastLogin: u.LastLogin, PasswordChanged: u.PasswordChanged,
	}
}

// Person implements console.Persons.
func (p *consolePersons) Person(ctx context.Context, id string) (console.Person, bool, error) {
	u, ok, err := p.app.users.ByID(ctx, id)
	if err != nil || !ok {
		return console.Person{}, false, err
	}
	out := consolePerson(u)
	groups, err := p.app.users.Groups(ctx, id, true)
	if err != nil {
		return out, false, err
	}
	for _, g := range groups {
		out.Groups = append(out.Groups, g.Name)
	}
	roles, _, err := p.app.roles.List(ctx, projections.RoleFilter{User: id, Inherited: true}, false, projections.Page{})
	if err != nil {
		return out, false, err
	}
	for _, r := range roles {
		out.Roles = append(out.Roles, r.Name)
	}
	out.Permissions, err = p.app.roles.Granted(ctx, id)
	return out, err == nil, err
}

// Failures implements console.Persons.
func (p *consolePersons) Failures(ctx context.Context, id string, since time.Time) (int, error) {
	f := projections.AuditFilter{Users: []string{id}, Actions: []string{"login_failed"}, From: since}
	n, _, err := p.app.audit.Count(ctx, f)
	return n, err
}

// End implements console.Logins.
func (p *consolePersons) End(ctx context.Context, c session.Caller, userID, id string) error {
	stream := eventstore.Stream("session", id)
	state, _, err := p.app.sessionHandler.Load(ctx, stream)
	if err != nil {
		return err
	}
	if state.User != userID || userID == "" {
		return domain.Errorf(domain.NotFound, "There is no such session.")
	}
	// Dying behind this line leaves a session that has ended; its cookie proves
	// nobody, and the sweeper drops what it leads to.
	if _, err := p.app.sessionHandler.Handle(ctx, stream, session.Revoke{By: c.User, Cause: "admin"}, caused("user:"+userID, c)); err != nil {
		return err
	}
	if err := p.app.vault.DropSession(ctx, id); err != nil {
		return err
	}
	return p.app.wait(ctx)
}
