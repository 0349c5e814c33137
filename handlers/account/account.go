// Package account writes users where more than one stream is concerned: the
// claim of the user name, the integer key, the password, the groups. It
// decides nothing about who may.
package account

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/command"
)

// Accounts writes users. Its methods may be called concurrently.
type Accounts struct {
	Users     *command.Handler[user.State]
	Claims    *command.Handler[user.Claimed]
	Counters  *command.Handler[user.Counter]
	Groups    *command.Handler[group.State]
	Code      func(kind, folded string) string // keyed code of an identifier
	Sessions  *command.Handler[session.State]
	Living    func(ctx context.Context, userID string) ([]string, error) // ids of the sessions of a user
	Passwords Passwords
	Forget    func(ctx context.Context, credential string) error // destroys the key of a replaced hash
	Erase     func(ctx context.Context, userID, by string) error // destroys the keys of who was deleted
	Told      func(context.Context) (int, error)                 // how many of the last passwords are to be told; nil for none
	Now       func() time.Time
}

// Passwords does the expensive arithmetic.
type Passwords interface {
	Hash(ctx context.Context, typed domain.Secret) (domain.Secret, error)
}

// A Writer says who writes, and on the way of what.
type Writer struct {
	By   string // id of the user who asks; empty for the program
	Via  string // user_write, api, blueprint, bootstrap
	Meta codec.Meta

	Seen *eventstore.Revision // of the user, that the change was decided on; nil for whichever it is
}

// when makes a command to a user hold for what the writer has seen.
func (w Writer) when(c domain.Command[user.State]) domain.Command[user.State] {
	if w.Seen == nil {
		return c
	}
	return command.At[user.State]{Command: c, Revision: *w.Seen}
}

// outdated refuses a writer who has seen another revision than the present
// one, before anything is done that leads up to the change.
func (w Writer) outdated(id string, present eventstore.Revision) error {
	if w.Seen == nil || *w.Seen == present {
		return nil
	}
	return command.Outdated(present, fmt.Errorf("user %s, seen at %d", id, *w.Seen))
}

// streamOf names the stream of a user.
func streamOf(id string) eventstore.StreamID { return eventstore.Stream("user", id) }

// claimStream names the stream of the claim to a user name. Names that differ
// only in case are different names (spec/stages.md 2.1).
func (a *Accounts) claimStream(name string) eventstore.StreamID {
	return eventstore.Stream("username", a.Code("username", name))
}

// abandoned is how long a claim stands whose user never came to be.
const abandoned = time.Minute

// Claim takes a user name for a user who is to be written next. A crash after
// it leaves a claim without a user, which may be taken over after a minute.
func (a *Accounts) Claim(ctx context.Context, name, id string, meta codec.Meta) error {
	stream := a.claimStream(name)
	claim := user.Claim{User: id, Now: a.Now()}
	held, _, err := a.Claims.Load(ctx, stream)
	if err != nil {
		return err
	}
	if held.User != "" && held.User != id && a.Now().Sub(held.Since) > abandoned {
		holder, _, err := a.Users.Load(ctx, streamOf(held.User))
		if err != nil {
			return err
		}
		if holder.Status != user.Present || holder.Username != name {
			claim.From = held.User
		}
	}
	_, err = a.Claims.Handle(ctx, stream, claim, step(meta, "claim", name))
	if code, _ := domain.Explain(err); code == domain.Conflict {
		return &domain.Error{
			Code: domain.Invalid, Message: "The user name is taken.", Err: err,
			Fields: map[string][]string{"username": {"This field must be unique."}},
		}
	}
	return err
}

// Key takes the next integer key. A crash after it leaves a key that nobody
// has, which is no harm.
func (a *Accounts) Key(ctx context.Context, meta codec.Meta) (int, error) {
	meta.Command = uuid.Nil
	s, err := a.Counters.Handle(ctx, eventstore.Stream("counter", "user"), user.Advance{}, meta)
	return s.Last, err
}

// A New is a user who is to be.
type New struct {
	ID     string
	Key    int // taken before; 0 to take the next
	Fields user.Fields
	Hash   domain.Secret // may be empty
}

// Create makes a user: first the name is claimed, then a key is taken, then
// the user is written.
func (a *Accounts) Create(ctx context.Context, n New, w Writer) (user.State, error) {
	id, f := n.ID, n.Fields
	if f.Username == nil || strings.TrimSpace(*f.Username) == "" {
		return user.State{}, &domain.Error{
			Code: domain.Invalid, Message: "A user needs a user name.",
			Fields: map[string][]string{"username": {"This field is required."}},
		}
	}
	meta := about(w.Meta, id)
	if err := a.Claim(ctx, *f.Username, id, meta); err != nil {
		return user.State{}, err
	}
	s, _, err := a.Users.Load(ctx, streamOf(id))
	if err != nil || s.Status == user.Present {
		return s, err
	}
	key := n.Key
	if key == 0 {
		if key, err = a.Key(ctx, meta); err != nil {
			return user.State{}, err
		}
	}
	return a.Users.Handle(ctx, streamOf(id), user.Create{
		Key: key, Fields: f, Hash: n.Hash, Credential: uuid.NewString(), By: w.By, Via: w.Via, Now: a.Now(),
	}, step(meta, "create", id))
}

// Write changes fields of a user. A new name is claimed before, and the old
// one given back after: a crash in between leaves both with the user, and the
// old one is free once a minute has passed.
func (a *Accounts) Write(ctx context.Context, id string, f user.Fields, w Writer) (user.State, error) {
	before, revision, err := a.Users.Load(ctx, streamOf(id))
	if err == nil {
		err = w.outdated(id, revision)
	}
	if err != nil {
		return before, err
	}
	meta := about(w.Meta, id)
	renamed := f.Username != nil && *f.Username != before.Username && before.Status == user.Present
	if renamed {
		if err := a.Claim(ctx, *f.Username, id, meta); err != nil {
			return before, err
		}
	}
	after, err := a.Users.Handle(ctx, streamOf(id), w.when(user.Write{Fields: f, By: w.By, Via: w.Via}), step(meta, "write", id))
	if err != nil {
		return after, err
	}
	if f.Active != nil && !*f.Active {
		if err := a.revoke(ctx, id, "user_deactivated", w); err != nil {
			return after, err
		}
	}
	if !renamed {
		return after, nil
	}
	_, err = a.Claims.Handle(ctx, a.claimStream(before.Username), user.Release{User: id}, step(meta, "release", before.Username))
	return after, err
}

// Delete ends a user, gives the name back, and destroys the keys of all that is
// known of them. Doing it again finishes what a crash interrupted.
func (a *Accounts) Delete(ctx context.Context, id string, w Writer) error {
	before, _, err := a.Users.Load(ctx, streamOf(id))
	if err != nil || before.Status == "" {
		return err
	}
	meta := about(w.Meta, id)
	after, err := a.Users.Handle(ctx, streamOf(id), w.when(user.Delete{By: w.By, Via: w.Via}), step(meta, "delete", id))
	if err != nil {
		return err
	}
	if err := a.destroy(ctx, after.Expendable(0)); err != nil {
		return err
	}
	if err := a.revoke(ctx, id, "user_deactivated", w); err != nil {
		return err
	}
	if err := a.leave(ctx, id, w); err != nil {
		return err
	}
	if before.Status == user.Present {
		release := user.Release{User: id}
		if _, err := a.Claims.Handle(ctx, a.claimStream(before.Username), release, step(meta, "release", before.Username)); err != nil {
			return err
		}
	}
	return a.Erase(ctx, id, w.By)
}

// leave ends the session that asks, too, if it is the user's own.
func (a *Accounts) leave(ctx context.Context, id string, w Writer) error {
	asking := w.Meta.Header.Actor.Session
	if asking == "" {
		return nil
	}
	stream := eventstore.Stream("session", asking)
	s, _, err := a.Sessions.Load(ctx, stream)
	if err != nil || s.User != id {
		return err
	}
	_, err = a.Sessions.Handle(ctx, stream, session.Revoke{By: w.By, Cause: "user_deactivated"}, step(about(w.Meta, id), "revoke", asking))
	return err
}

// Join puts a user into groups.
func (a *Accounts) Join(ctx context.Context, id string, groups []string, w Writer) error {
	for _, g := range groups {
		_, err := a.Groups.Handle(ctx, eventstore.Stream("group", g), group.AddMember{User: id, By: w.By, Via: w.Via}, step(about(w.Meta, id), "join", g))
		if err != nil {
			return fmt.Errorf("add a member to group %s: %w", g, err)
		}
	}
	return nil
}

// about seals what is written under the user's own key.
func about(meta codec.Meta, id string) codec.Meta {
	meta.Subject = "user:" + id
	return meta
}

// step gives one append of several its own ids, when they are derived.
func step(meta codec.Meta, name, of string) codec.Meta {
	if meta.Command != uuid.Nil {
		meta.Command = uuid.NewSHA1(meta.Command, []byte(name+"/"+of))
	}
	return meta
}
