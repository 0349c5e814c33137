package main

import (
	"context"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/projections"
)

// backupsKept is how long operators may keep backups of the keys (spec/events.md
// 6.4): by then nothing of an erased user is left anywhere.
const backupsKept = 30 * 24 * time.Hour

// personal are the classes of what is sealed for people.
var personal = []domain.Sealed{domain.Profile, domain.Trace, domain.Network}

func letters(classes []domain.Sealed) (letters []string, bytes []byte) {
	for _, c := range classes {
		letters, bytes = append(letters, string(rune(c))), append(bytes, byte(c))
	}
	return letters, bytes
}

// erase destroys the keys of a user who was deleted: the user's own, and those
// of the executions and sessions that the user was in (spec/events.md 6.5).
// What is sealed stays in the ledger, and nobody can open it. A session that
// others use by now, and an execution that goes on, keep their keys until they
// end. The keys go first, then the record of it: a crash in between, or
// before, leaves a user without a record, and the sweeper does it again.
func (a *app) erase(ctx context.Context, userID, by string) error {
	stream := eventstore.Stream("key", userID)
	s, _, err := a.keyHandler.Load(ctx, stream)
	if err != nil || s.Destroyed {
		return err
	}
	who, _, err := a.userHandler.Load(ctx, eventstore.Stream("user", userID))
	if err != nil || who.Status != user.Deleted {
		return err
	}
	bound, head, err := a.boundTo(ctx, userID)
	if err != nil {
		return err
	}
	gone := key.SubjectKeyDestroyed{
		Kind: key.User, Cause: "erasure_request", By: by, BackupsGoneAt: time.Now().Add(backupsKept).UTC(), IndexedTo: head.String(),
	}
	owners, credentials, kept := []string{"user:" + userID}, []string{}, []string{}
	for _, one := range bound {
		switch {
		case one.Kind == "credential":
			// The credential of a link is called as its token is, and what the
			// link keeps for later is nobody's any more.
			credentials, kept = append(credentials, one.Name()), append(kept, token.SecretsOf(one.ID))
		case !one.Over:
			gone.Remaining = append(gone.Remaining, one.Name())
		default:
			gone.Bound++
			more, err := a.ownersOf(ctx, one)
			if err != nil {
				return err
			}
			owners = append(owners, more...)
		}
	}
	if err := a.vault.Forget(ctx, credentials, byte(domain.Credential)); err != nil {
		return err
	}
	if err := a.vault.Forget(ctx, kept, byte(domain.Transient)); err != nil {
		return err
	}
	classes, bytes := letters(personal)
	if err := a.vault.Forget(ctx, owners, bytes...); err != nil {
		return err
	}
	// Files of exported events hold what was opened, and no key would reach it.
	if err := newExportFiles(a.data).clear(); err != nil {
		return err
	}
	gone.Classes = append(classes, string(rune(domain.Credential)))
	_, err = a.keyHandler.Handle(ctx, stream, key.Destroy{SubjectKeyDestroyed: gone}, system("tenant"))
	return err
}

// boundTo lists what is tied to a user, once the executions that are about
// them have ended, and up to where the ledger was asked.
func (a *app) boundTo(ctx context.Context, userID string) ([]projections.Subject, eventstore.Position, error) {
	var bound []projections.Subject
	var head eventstore.Position
	for range 2 {
		var err error
		if head, err = a.store.Head(ctx); err != nil {
			return nil, head, err
		}
		if err = a.runner.WaitFor(ctx, head); err != nil {
			return nil, head, err
		}
		if bound, err = a.subjects.Of(ctx, userID); err != nil {
			return nil, head, err
		}
		for _, one := range bound {
			if one.Kind != key.Execution || one.Over {
				continue
			}
			if err := a.executor.Abandon(ctx, one.ID, userID); err != nil {
				return nil, head, err
			}
		}
	}
	return bound, head, nil
}

// ownersOf names what goes with a subject that is over: an execution's guest
// was named in its invitation. What memory still has of it goes, too.
func (a *app) ownersOf(ctx context.Context, one projections.Subject) ([]string, error) {
	owners := []string{one.Name()}
	a.executionHandler.Cache.Drop(eventstore.Stream("execution", one.ID))
	a.sessionHandler.Cache.Drop(eventstore.Stream("session", one.ID))
	if one.Kind != key.Execution {
		return owners, nil
	}
	guests, err := a.subjects.Guests(ctx, one.ID)
	for _, g := range guests {
		owners = append(owners, g.Name())
	}
	return owners, err
}

// eraseDeleted finishes a deletion that a crash interrupted.
func (a *app) eraseDeleted(ctx context.Context, userID string) error {
	return a.accounts.Delete(ctx, userID, account.Writer{Meta: system("tenant")})
}

// eraseLeft destroys the keys of what was in use when its user was erased, and
// is over.
func (a *app) eraseLeft(ctx context.Context, name string) error {
	kind, id, _ := strings.Cut(name, ":")
	owners, err := a.ownersOf(ctx, projections.Subject{Kind: kind, ID: id, Over: true})
	if err != nil {
		return err
	}
	classes, bytes := letters(personal)
	if err := a.vault.Forget(ctx, owners, bytes...); err != nil {
		return err
	}
	gone := key.SubjectKeyDestroyed{
		Kind: kind, Classes: classes, Cause: "erasure_request", BackupsGoneAt: time.Now().Add(backupsKept).UTC(), Bound: 1,
	}
	_, err = a.keyHandler.Handle(ctx, eventstore.Stream("key", id), key.Destroy{SubjectKeyDestroyed: gone}, system("tenant"))
	return err
}
