package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	settling "github.com/flowledger/flowledger/handlers/worker"
)

// system says of an append that the program itself is the cause.
func system(subject string) codec.Meta {
	m := codec.Meta{Subject: subject, Time: time.Now()}
	m.Header.Actor.Kind = "system"
	return m
}

// caused says of an append that somebody's request is the cause.
func caused(subject string, c session.Caller) codec.Meta {
	m := codec.Meta{Subject: subject, Client: "user:" + c.User, Network: c.Network, Time: time.Now()}
	m.Header.Actor = codec.Actor{Kind: "user", ID: c.User, Session: c.Session, Token: c.Token}
	if c.Superuser {
		m.Header.Actor.Kind = "admin"
	}
	m.Header.Request = codec.Request{ID: c.Request, Method: c.Method, Route: c.Route}
	m.Header.Brand = c.Brand
	m.Header.Correlation = c.Request
	return m
}

// expireSession ends a session whose time is over, and what its cookies lead
// to.
func (a *app) expireSession(ctx context.Context, id string) error {
	if _, err := a.sessionHandler.Handle(ctx, eventstore.Stream("session", id), session.Expire{Now: time.Now()}, system("session:"+id)); err != nil {
		return err
	}
	return a.vault.DropSession(ctx, id)
}

func (a *app) expireToken(ctx context.Context, id string) error {
	if _, err := a.tokenHandler.Handle(ctx, eventstore.Stream("token", id), token.Expire{Now: time.Now()}, system("tenant")); err != nil {
		return err
	}
	return a.forgetToken(ctx, id)
}

// forgetToken destroys the key of what a token that is over kept for later.
func (a *app) forgetToken(ctx context.Context, id string) error {
	t, _, err := a.tokenHandler.Load(ctx, eventstore.Stream("token", id))
	if err != nil || len(t.Resumption.Secrets) == 0 {
		return err
	}
	return a.vault.Forget(ctx, []string{token.SecretsOf(id)}, byte(domain.Transient))
}

func (a *app) expireConsent(ctx context.Context, id string) error {
	_, err := a.consentHandler.Handle(ctx, eventstore.Stream("consent", id), consent.Expire{Now: time.Now()}, system("tenant"))
	return err
}

func (a *app) expireInvitation(ctx context.Context, id string) error {
	_, err := a.invitationHandler.Handle(ctx, eventstore.Stream("invitation", id), invitation.Expire{Now: time.Now()}, system("tenant"))
	return err
}

// forget destroys the key of a credential: what it sealed cannot be read any
// more.
func (a *app) forget(ctx context.Context, credential string) error {
	return a.vault.Forget(ctx, []string{"credential:" + credential}, byte(domain.Credential))
}

// park remembers an event that a worker gave up on.
func (a *app) park(ctx context.Context, name string, e eventstore.Recorded, cause error) error {
	parked := worker.WorkerEventParked{
		Worker: name, Event: e.ID.String(), Position: e.Position.String(), Attempts: settling.Attempts,
		Class: fmt.Sprintf("%T", cause), Detail: cause.Error(),
		Stream: string(e.Stream), Revision: int64(e.Revision),
	}
	meta := system("tenant")
	meta.Command = uuid.NewSHA1(e.ID, []byte(name))
	_, err := a.workerHandler.Handle(ctx, eventstore.Stream("worker", name), worker.Park{WorkerEventParked: parked}, meta)
	return err
}
