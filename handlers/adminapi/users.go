package adminapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// mountUsers adds the users, who are addressed by the contract's integer keys.
func (s *Server) mountUsers(r *mux.Router) {
	const path = "core/users/"
	s.route(r, path, of("authentik_core.user"), verbs{http.MethodGet: s.listUsers, http.MethodPost: s.createUser})
	s.route(r, path+"paths/", of("authentik_core.user"), verbs{http.MethodGet: s.userPaths})
	s.route(r, path+"service_account/", of("authentik_core.user"), verbs{http.MethodPost: s.createService})
	s.route(r, path+"me/", members, verbs{http.MethodGet: s.me})
	s.edit(r, path+"{key}/", of("authentik_core.user"), verbs{
		http.MethodGet: s.getUser, http.MethodPut: s.changeUser(false), http.MethodPatch: s.changeUser(true), http.MethodDelete: s.deleteUser,
	})
	s.route(r, path+"{key}/set_password/", action("authentik_core.reset_user_password"), verbs{http.MethodPost: s.setPassword})
	s.route(r, path+"{key}/set_password_hash/", action("authentik_core.reset_user_password"), verbs{http.MethodPost: s.setPasswordHash})
	s.route(r, path+"{key}/recovery/", action("authentik_core.reset_user_password"), verbs{http.MethodPost: s.recoverByLink})
	s.route(r, path+"{key}/recovery_email/", action("authentik_core.reset_user_password"), verbs{http.MethodPost: s.recoverByMail})
	s.route(r, path+"{key}/used_by/", of("authentik_core.user"), verbs{http.MethodGet: s.userUses})
}

// listUsers shows users. Filtering and ordering are the read model's work:
// there may be a great many.
func (s *Server) listUsers(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f, err := userFilter(q)
	if err != nil {
		return err
	}
	found, total, err := s.People.Users(r.Context(), f, q.Get("ordering"), pg.page())
	if err != nil {
		return err
	}
	var results []any
	for _, u := range found {
		shown := fullUser(u)
		for _, part := range []string{"groups", "roles"} {
			if include := boolParam(q, "include_"+part); include != nil && !*include {
				shown[part+"_obj"] = nil
			}
		}
		results = append(results, shown)
	}
	return writeList(w, pg, total, results)
}

// userPaths lists the folders that users lie in.
func (s *Server) userPaths(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	paths, err := s.Paths(r.Context(), r.URL.Query().Get("search"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"paths": listed(paths)})
}

// findUser returns the user that the path names by the integer key.
func (s *Server) findUser(r *http.Request) (User, error) {
	key, err := strconv.Atoi(mux.Vars(r)["key"])
	if err != nil {
		return User{}, notFound("User")
	}
	u, ok, err := s.People.UserByKey(r.Context(), key)
	if err == nil && !ok {
		err = notFound("User")
	}
	return u, err
}

// userField returns the user whom a field of the input names by the key.
func (s *Server) userField(ctx context.Context, input map[string]any, name string) (User, error) {
	f := catalog.Problems{}
	key, ok := number(input[name])
	if text, isText := input[name].(string); isText {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		key, ok = float64(n), err == nil
	}
	switch {
	case input[name] == nil:
		f.Add(name, "This field is required.")
	case !ok:
		f.Add(name, "A valid integer is required.")
	}
	if err := f.Err(); err != nil {
		return User{}, err
	}
	u, found, err := s.People.UserByKey(ctx, int(key))
	if err == nil && !found {
		err = invalid(name, "Invalid pk \""+written(key)+"\" - object does not exist.")
	}
	return u, err
}

func (s *Server) getUser(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	u, err := s.findUser(r)
	if err != nil {
		return err
	}
	return s.showUser(w, r, http.StatusOK, u.ID)
}

// userUses tells what refers to a user. References hold the integer key.
func (s *Server) userUses(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	u, err := s.findUser(r)
	if err != nil {
		return err
	}
	k, _ := catalog.Lookup(object.UserModel)
	return s.writeUses(w, k, float64(u.Key))
}

// setPassword gives a user a password. It is in the body and nowhere else.
func (s *Server) setPassword(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	u, err := s.findUser(r)
	if err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	typed, ok := input["password"].(string)
	switch {
	case input["password"] == nil:
		return invalid("password", "This field is required.")
	case !ok:
		return invalid("password", "Not a valid string.")
	case strings.TrimSpace(typed) == "":
		return invalid("password", "This field may not be blank.")
	case len(typed) > maxPassword:
		return invalid("password", "Ensure this field has no more than 4096 characters.")
	}
	if err := s.overUser(r.Context(), c, u); err != nil {
		return err
	}
	if err := s.Accounts.SetPassword(r.Context(), u.ID, domain.NewSecret(typed), s.writer(c)); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// setPasswordHash gives a user a password of which only the stored form is
// known. It must be one that passwords can be compared with.
func (s *Server) setPasswordHash(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	u, err := s.findUser(r)
	if err != nil {
		return err
	}
	input, err := readObject(r)
	if err != nil {
		return err
	}
	text, ok := input["password"].(string)
	hash := domain.NewSecret(text)
	switch {
	case input["password"] == nil:
		return invalid("password", "This field is required.")
	case !ok:
		return invalid("password", "Not a valid string.")
	case !user.Known(hash):
		return invalid("password", "This is no password hash of a known form.")
	}
	if err := s.overUser(r.Context(), c, u); err != nil {
		return err
	}
	if err := s.Hashes.SetHash(r.Context(), u.ID, hash, s.writer(c)); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}
