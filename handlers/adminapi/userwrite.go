package adminapi

import (
	"context"
	"maps"
	"net/http"
	"net/mail"
	"slices"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

// maxPassword is how long a password may be, in bytes.
const maxPassword = user.MaxPassword

// judgeUser cleans what is to be written of a user. Passwords have an
// endpoint of their own.
func (s *Server) judgeUser(ctx context.Context, input map[string]any, partial bool) (map[string]any, error) {
	k, _ := catalog.Lookup(object.UserModel)
	input = maps.Clone(input)
	for _, f := range k.Fields() {
		if f.Secret {
			delete(input, f.Name)
		}
	}
	set, problems := k.Clean(input, partial)
	if text, ok := set["email"].(string); ok && text != "" {
		if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
			problems.Add("email", "Enter a valid email address.")
		}
	}
	if err := s.dangling(ctx, k, set, &problems); err != nil {
		return nil, err
	}
	return set, problems.Err()
}

// createUser makes a user, then puts them into groups. A crash in between
// leaves a user who is in fewer; the client has had no answer, and finds out.
func (s *Server) createUser(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	set, err := s.judgeUser(r.Context(), input, false)
	if err != nil {
		return err
	}
	if err := s.mayBelong(r.Context(), c, User{}, set); err != nil {
		return err
	}
	id, by := s.NewID(), s.writer(c)
	if _, err := s.Accounts.Create(r.Context(), account.New{ID: id, Fields: user.FieldsOf(set)}, by); err != nil {
		return err
	}
	if err := s.Accounts.Join(r.Context(), id, texts(set["groups"]), by); err != nil {
		return err
	}
	return s.writeUser(w, r, http.StatusCreated, id)
}

// changeUser replaces or patches. Groups that are named become the only ones;
// if none are, they stay.
func (s *Server) changeUser(partial bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		u, err := s.findUser(r)
		if err != nil {
			return err
		}
		input, err := readObject(r)
		if err != nil {
			return err
		}
		leave, err := s.turn(r.Context())
		if err != nil {
			return err
		}
		defer leave()
		by, u, err := s.rewriter(r, c, u)
		if err != nil {
			return err
		}
		set, err := s.judgeUser(r.Context(), input, partial)
		if err != nil {
			return err
		}
		if err := s.overUser(r.Context(), c, u); err != nil {
			return err
		}
		if err := s.mayBelong(r.Context(), c, u, set); err != nil {
			return err
		}
		if _, err := s.Accounts.Write(r.Context(), u.ID, user.FieldsOf(set), by); err != nil {
			return err
		}
		if groups, given := set["groups"]; given {
			if err := s.setGroups(r.Context(), c, u, texts(groups)); err != nil {
				return err
			}
		}
		return s.writeUser(w, r, http.StatusOK, u.ID)
	}
}

// rewriter is the writer of a change to a user as of now, with the condition
// that the request sets.
func (s *Server) rewriter(r *http.Request, c session.Caller, u User) (account.Writer, User, error) {
	by := s.writer(c)
	seen, err := matchOf(r)
	if err != nil {
		return by, u, err
	}
	present, err := s.tagged(r.Context(), "user", u.ID)
	if err != nil {
		return by, u, err
	}
	now, ok, err := s.People.UserByID(r.Context(), u.ID)
	if err == nil && !ok {
		err = notFound("User")
	}
	if err == nil {
		err = seen.holds(present.with(now.Groups))
	}
	if seen.given && !seen.any {
		by.Seen = &present.revision
	}
	return by, now, err
}

// mayBelong refuses groups and roles by which the user would come to what the
// caller may not, or lose it.
func (s *Server) mayBelong(ctx context.Context, c session.Caller, u User, set map[string]any) error {
	if groups, given := set["groups"]; given {
		old := []string{}
		for _, g := range u.Groups {
			old = append(old, g.ID)
		}
		if err := s.overGroups(ctx, c, differing(old, texts(groups))...); err != nil {
			return err
		}
	}
	if roles, given := set["roles"]; given {
		return s.overRoles(ctx, c, differing(roleIDs(u.Roles), texts(roles))...)
	}
	return nil
}

// setGroups makes these the groups of a user, and no others.
func (s *Server) setGroups(ctx context.Context, c session.Caller, u User, wanted []string) error {
	for _, g := range u.Groups {
		if slices.Contains(wanted, g.ID) {
			continue
		}
		_, err := s.Groups.Handle(ctx, eventstore.Stream("group", g.ID), group.RemoveMember{User: u.ID, By: c.User, Via: via}, s.meta(c, "user:"+u.ID))
		if err != nil {
			return err
		}
	}
	return s.Accounts.Join(ctx, u.ID, wanted, s.writer(c))
}

// writeUser waits for what was written, and shows the user.
func (s *Server) writeUser(w http.ResponseWriter, r *http.Request, status int, id string) error {
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return s.showUser(w, r, status, id)
}

// showUser shows a user, and as of which revision.
func (s *Server) showUser(w http.ResponseWriter, r *http.Request, status int, id string) error {
	as, err := s.tagged(r.Context(), "user", id)
	if err != nil {
		return err
	}
	u, ok, err := s.People.UserByID(r.Context(), id)
	if err == nil && !ok {
		err = notFound("User")
	}
	if err != nil {
		return err
	}
	as.with(u.Groups).show(w)
	return writeJSON(w, status, fullUser(u))
}

// deleteUser ends a user, and the bindings that are about nobody else.
func (s *Server) deleteUser(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	u, err := s.findUser(r)
	if err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	by, u, err := s.rewriter(r, c, u)
	if err != nil {
		return err
	}
	k, _ := catalog.Lookup(object.UserModel)
	if err := s.overUser(r.Context(), c, u); err != nil {
		return err
	}
	if err := s.mayRelease(c, k, float64(u.Key)); err != nil {
		return err
	}
	if err := s.release(r.Context(), c, k, float64(u.Key), u.ID); err != nil {
		return err
	}
	if err := s.Accounts.Delete(r.Context(), u.ID, by); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// texts are the texts in a list.
func texts(list any) []string {
	out := []string{}
	for _, item := range keysOf(list) {
		out = append(out, written(item))
	}
	return out
}
