package executor

import (
	"context"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// A Recovery is a link into a flow that an administrator has made for a user.
type Recovery struct {
	Flow object.Thing
	User string // id
	Life time.Duration
	Via  *object.Thing // the stage that mails it; nil for none
}

// Recover makes a link for a user, and returns it, or has it mailed. Its flow
// is planned when it is opened. One in a mail asks before it is used up.
func (x *Executor) Recover(ctx context.Context, r Recovery, c session.Caller) (string, error) {
	who, err := x.People.Person(ctx, r.User)
	if err != nil {
		return "", err
	}
	config, err := flowConfig(r.Flow)
	if err != nil {
		return "", err
	}
	applies, err := x.applies(ctx, r, config, c)
	if err != nil {
		return "", err
	}
	if !applies {
		return "", catalog.Problems{catalog.NonField: {"Recovery flow not applicable to user"}}.Err()
	}
	link := execution.Link{
		Token: x.NewID(), Producer: "admin_recovery", Name: "ak-recovery-" + r.User, Expires: x.Now().Add(r.Life),
		Page: c.BaseURL + "/if/flow/" + config.Slug + "/", Key: domain.NewSecret(x.Links.Mint()),
	}
	meta := x.meta("", execution.State{Subject: execution.Subject{User: r.User}}, c)
	meta.Header.Correlation = c.Request
	_, err = x.Tokens.Handle(ctx, eventstore.Stream("token", link.Token), token.Create{
		Token: link.Token, Intent: token.Verification, Flow: r.Flow.ID, User: r.User, Producer: link.Producer, By: c.User,
		Identifier: identifier(link.Name, link.Token), Expires: link.Expires, Expiring: true, RevokeOnExecution: r.Via == nil,
		Digest: x.Links.KeyDigest(link.Key.Reveal()), Credential: link.Token, Resumption: token.Resumption{Confirm: r.Via != nil},
	}, meta)
	if err != nil || r.Via == nil {
		return linkTo(link).Reveal(), err
	}
	return "", x.mailRecovery(ctx, r, who, link, c, meta)
}

// applies tells whether a recovery flow is for a user whom a link leads there.
func (x *Executor) applies(ctx context.Context, r Recovery, config stage.Flow, c session.Caller) (bool, error) {
	d := &draft{
		id: x.NewID(), flow: r.Flow,
		visit: execution.Visit{Slug: config.Slug, Caller: session.Caller{Network: c.Network, Request: c.Request, Now: c.Now}},
		state: execution.State{
			Status: execution.Running, Flow: r.Flow.Ref(), Slug: config.Slug, Subject: execution.Subject{User: r.User},
			Context: execution.Context{execution.KeyIsRestored: "recovery"},
		},
	}
	if unmet(d.state, config, user.Person{}) != "" {
		return false, nil
	}
	q, err := x.request(ctx, d, nil)
	if err != nil {
		return false, err
	}
	e, err := x.evaluate(ctx, d, question{
		target: execution.Target{Kind: "flow", Ref: r.Flow.Ref()}, phase: "flow", mode: config.Engine,
	}, q)
	return e.Passing, err
}

// mailRecovery mails a link in the words of a stage, and over its connection.
func (x *Executor) mailRecovery(ctx context.Context, r Recovery, who user.Person, link execution.Link, c session.Caller, meta codec.Meta) error {
	e, err := load[*stage.Email](*r.Via)
	if err != nil {
		return err
	}
	id := derived(link.Token, "mail").String()
	request, err := x.letter(e.Message(who, r.Via.Ref(), "recovery", link), id, c)
	if err != nil {
		return err
	}
	request.User, request.Link = r.User, linkTo(link)
	_, err = x.Mails.Handle(ctx, eventstore.Stream("mail", id), mail.Request{MailRequested: request}, meta)
	return err
}
