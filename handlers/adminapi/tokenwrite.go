package adminapi

import (
	"net/http"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
)

// createToken makes a token. The answer holds the key, in a field that the
// contract does not have: nothing else ever shows it.
func (s *Server) createToken(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	wish, err := s.judgeToken(r.Context(), c, Token{User: c.User, Intent: token.API}, input, false)
	if err != nil {
		return err
	}
	create := wish.create(c, s.Now())
	id := s.NewID()
	key, digest := s.Keys.Mint()
	create.Digest, create.Credential = digest, id
	// A crash after this leaves a token whose key nobody was told. It shows in
	// the list, and ends at its time.
	if _, err := s.Tokens.Handle(r.Context(), eventstore.Stream("token", id), create, s.meta(c, "user:"+create.User)); err != nil {
		return err
	}
	return s.writeToken(w, r, http.StatusCreated, create.Identifier, map[string]any{"key": key})
}

// create makes a token of the wish for the caller.
func (w tokenWish) create(c session.Caller, now time.Time) token.Create {
	create := token.Create{Intent: token.API, Expiring: true, Expires: now.Add(token.Life), User: c.User, By: c.User, Producer: via}
	overwrite(&create.Identifier, w.identifier)
	overwrite(&create.Intent, w.intent)
	overwrite(&create.Description, w.description)
	overwrite(&create.User, w.user)
	overwrite(&create.Expires, w.expires)
	overwrite(&create.Expiring, w.expiring)
	overwrite(&create.Scope, w.scope)
	return create
}

// changeToken replaces or patches. What is not said stays.
func (s *Server) changeToken(partial bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		input, err := readObject(r)
		if err != nil {
			return err
		}
		leave, err := s.turn(r.Context())
		if err != nil {
			return err
		}
		defer leave()
		t, err := s.findToken(r, c)
		if err != nil {
			return err
		}
		seen, present, err := s.compared(r, "token", t.ID)
		if err != nil {
			return err
		}
		wish, err := s.judgeToken(r.Context(), c, t, input, partial)
		if err != nil {
			return err
		}
		if wish.expiring != nil && *wish.expiring && wish.expires == nil && t.Expires.IsZero() {
			return invalid("expires", "A token that expires needs a time.")
		}
		change := token.Change{
			Identifier: wish.identifier, Intent: wish.intent, User: wish.user, Description: wish.description,
			Expires: wish.expires, Expiring: wish.expiring, Scope: wish.scope, By: c.User, Via: via,
		}
		owner, identifier := t.User, t.Identifier
		overwrite(&owner, wish.user)
		overwrite(&identifier, wish.identifier)
		if _, err := s.Tokens.Handle(r.Context(), eventstore.Stream("token", t.ID), when(seen, present, change), s.meta(c, "user:"+owner)); err != nil {
			return err
		}
		return s.writeToken(w, r, http.StatusOK, identifier, nil)
	}
}

// setKey gives a token the key that the client chose. Only its digest is kept.
func (s *Server) setKey(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	t, err := s.findToken(r, c)
	if err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	text, ok := input["key"].(string)
	switch {
	case input["key"] == nil:
		return invalid("key", "This field is required.")
	case !ok:
		return invalid("key", "Not a valid string.")
	case !c.Superuser && t.User != c.User:
		return domain.Errorf(domain.Forbidden, "Only superusers may set the keys of other users' tokens.")
	}
	if fault := beyond(c, t.Intent, t.Scope); fault != "" {
		return domain.Errorf(domain.Forbidden, "%s", fault)
	}
	key := domain.NewSecret(text)
	if fault := token.CheckKey(key); fault != "" {
		return invalid("key", fault)
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	rotate := token.Rotate{Digest: s.Keys.Digest(key), By: c.User, Via: via}
	if _, err := s.Tokens.Handle(r.Context(), eventstore.Stream("token", t.ID), rotate, s.meta(c, "user:"+t.User)); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// deleteToken revokes a token; it proves nobody from then on. A crash before
// its key is dropped leaves that for the sweeper.
func (s *Server) deleteToken(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	t, err := s.findToken(r, c)
	if err != nil {
		return err
	}
	seen, present, err := s.compared(r, "token", t.ID)
	if err != nil {
		return err
	}
	revoke := when(seen, present, token.Revoke{By: c.User, Cause: "admin"})
	_, err = s.Tokens.Handle(r.Context(), eventstore.Stream("token", t.ID), revoke, s.meta(c, "user:"+t.User))
	if err != nil {
		return err
	}
	if err := s.Keys.Drop(r.Context(), t.ID); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}
