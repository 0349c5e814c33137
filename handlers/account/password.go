package account

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// SetPassword gives a user a new password.
func (a *Accounts) SetPassword(ctx context.Context, id string, typed domain.Secret, w Writer) error {
	hash, err := a.Passwords.Hash(ctx, typed)
	if err != nil {
		return err
	}
	return a.SetHash(ctx, id, hash, w)
}

// SetHash gives a user a password whose stored form is known.
func (a *Accounts) SetHash(ctx context.Context, id string, hash domain.Secret, w Writer) error {
	credential := uuid.NewString()
	if w.Meta.Command != uuid.Nil {
		credential = uuid.NewSHA1(w.Meta.Command, []byte("credential")).String()
	}
	after, err := a.Users.Handle(ctx, streamOf(id), user.SetPassword{
		Hash: hash, Credential: credential, By: w.By, Via: w.Via, Now: a.Now(),
	}, step(about(w.Meta, id), "password", id))
	if err != nil {
		return err
	}
	if err := a.sweep(ctx, after); err != nil {
		return err
	}
	return a.revoke(ctx, id, "password_changed", w)
}

// RemovePassword leaves a user without a password, if it is still the one with
// this credential. Whoever is gone meanwhile has none. Like any change of the
// password it ends the other sessions.
func (a *Accounts) RemovePassword(ctx context.Context, id, credential string, w Writer) error {
	after, err := a.Users.Handle(ctx, streamOf(id), user.RemovePassword{
		By: w.By, Replaces: credential, Now: a.Now(),
	}, step(about(w.Meta, id), "remove password", id))
	if code, _ := domain.Explain(err); code == domain.NotFound {
		return nil
	}
	if err != nil || after.Credential != "" {
		return err // there is another password, and whoever set it ended the sessions
	}
	if err := a.sweep(ctx, after); err != nil {
		return err
	}
	return a.revoke(ctx, id, "password_changed", w)
}

// Rehash stores the password with a credential in another form, whose
// credential is the id of the command. Sessions go on: the password is the
// same.
func (a *Accounts) Rehash(ctx context.Context, id, credential string, hash domain.Secret, meta codec.Meta) error {
	after, err := a.Users.Handle(ctx, streamOf(id), user.Rehash{
		Hash: hash, Credential: meta.Command.String(), Replaces: credential,
	}, about(meta, id))
	if err != nil {
		return err
	}
	return a.sweep(ctx, after)
}

// sweep destroys what nobody needs of the passwords that a user had: a former
// hash is of use to an attacker only, unless a policy asks whether a password
// was used before. What a crash keeps from being destroyed is destroyed with
// the next change.
func (a *Accounts) sweep(ctx context.Context, s user.State) error {
	told := 0
	if a.Told != nil {
		var err error
		if told, err = a.Told(ctx); err != nil {
			return fmt.Errorf("count the passwords to keep: %w", err)
		}
	}
	return a.destroy(ctx, s.Expendable(told))
}

func (a *Accounts) destroy(ctx context.Context, credentials []string) error {
	for _, c := range credentials {
		if err := a.Forget(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// revoke ends the sessions of a user but for the one that asks: whoever knew
// the old password is to be out. A crash in between leaves some of them; the
// next change of the password ends them.
func (a *Accounts) revoke(ctx context.Context, id, cause string, w Writer) error {
	living, err := a.Living(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range living {
		if s == w.Meta.Header.Actor.Session {
			continue
		}
		meta := step(about(w.Meta, id), "revoke", s)
		if _, err := a.Sessions.Handle(ctx, eventstore.Stream("session", s), session.Revoke{By: w.By, Cause: cause}, meta); err != nil {
			return err
		}
	}
	return nil
}
