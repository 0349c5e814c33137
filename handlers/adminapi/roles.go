package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
)

// Roles are the roles, and what they permit.
type Roles interface {
	// Roles returns a page of the roles that f wants, by name, and how many
	// there are on all pages.
	Roles(ctx context.Context, f RoleFilter, descending bool, p Page) ([]Role, int, error)
	Role(ctx context.Context, id string) (Role, bool, error)
	// Granted returns the permissions of a user by roles, the groups' included.
	Granted(ctx context.Context, user string) ([]string, error)
	// Conferred returns what members of any of these groups may do by them and
	// by those above them.
	Conferred(ctx context.Context, groups ...string) (superuser bool, permissions []string, err error)
}

// A Role is a role as lists show one.
type Role struct {
	ID          string
	Name        string
	Permissions []string // app.codename, sorted; need not be filled in of those that others have
}

// A RoleFilter says which roles are wanted. What is empty does not matter.
type RoleFilter struct {
	ID, Name    string
	Search      string // part of the name
	User, Group string // id of who has it
	Inherited   bool   // by a group of the user, or one above, too
	Permissions []string
}

// mountRoles adds the roles, and the permissions of which they are made.
func (s *Server) mountRoles(r *mux.Router) {
	const path = "rbac/roles/"
	s.route(r, path, of(role.Model), verbs{http.MethodGet: s.listRoles, http.MethodPost: s.createRole})
	s.edit(r, path+"{key}/", of(role.Model), verbs{
		http.MethodGet: s.getRole, http.MethodPut: s.changeRole(false), http.MethodPatch: s.changeRole(true), http.MethodDelete: s.deleteRole,
	})
	s.route(r, path+"{key}/add_user/", action("authentik_rbac.change_role"), verbs{http.MethodPost: s.assignUser(true)})
	s.route(r, path+"{key}/remove_user/", action("authentik_rbac.change_role"), verbs{http.MethodPost: s.assignUser(false)})
	s.route(r, path+"{key}/used_by/", of(role.Model), verbs{http.MethodGet: s.roleUses})
	s.mountPermissions(r)
}

func (s *Server) listRoles(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f, nothing, err := s.roleFilter(r.Context(), q)
	if err != nil {
		return err
	}
	if nothing {
		return writeList(w, pg, 0, nil)
	}
	found, total, err := s.Roles.Roles(r.Context(), f, strings.HasPrefix(q.Get("ordering"), "-"), pg.page())
	if err != nil {
		return err
	}
	return writeList(w, pg, total, shownRoles(found))
}

// roleFilter reads the filters of a list of roles. Nothing tells that no role
// can be meant: nothing manages roles here, and nobody has those of a user who
// does not exist.
func (s *Server) roleFilter(ctx context.Context, q url.Values) (f RoleFilter, nothing bool, err error) {
	f = RoleFilter{Name: q.Get("name"), Search: q.Get("search")}
	managed := boolParam(q, "managed__isnull")
	nothing = len(given(q["managed"])) > 0 || managed != nil && !*managed
	if inherited := boolParam(q, "inherited"); inherited != nil {
		f.Inherited = *inherited
	}
	if text := q.Get("groups"); text != "" {
		id, err := uuid.Parse(text)
		if err != nil {
			return f, false, invalid("groups", "“"+cut(text)+"” is not a valid UUID.")
		}
		f.Group = id.String()
	}
	text := q.Get("users")
	if text == "" {
		return f, nothing, nil
	}
	key, err := strconv.Atoi(text)
	if err != nil {
		return f, false, invalid("users", "Enter a number.")
	}
	u, ok, err := s.People.UserByKey(ctx, key)
	f.User = u.ID
	return f, nothing || !ok, err
}

// shownRole is a role on the wire.
func shownRole(r Role) map[string]any { return map[string]any{"pk": r.ID, "name": r.Name} }

func shownRoles(roles []Role) []any {
	out := []any{}
	for _, r := range roles {
		out = append(out, shownRole(r))
	}
	return out
}

// roleIDs are the keys of roles on the wire.
func roleIDs(roles []Role) []string {
	out := []string{}
	for _, r := range roles {
		out = append(out, r.ID)
	}
	return out
}

// findRole returns the role that the path names.
func (s *Server) findRole(r *http.Request) (Role, error) {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return Role{}, notFound("Role")
	}
	found, ok, err := s.Roles.Role(r.Context(), id.String())
	if err == nil && !ok {
		err = notFound("Role")
	}
	return found, err
}

func (s *Server) getRole(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	found, err := s.findRole(r)
	if err != nil {
		return err
	}
	return s.showRole(w, r, http.StatusOK, found.ID)
}

// showRole shows a role, and as of which revision.
func (s *Server) showRole(w http.ResponseWriter, r *http.Request, status int, id string) error {
	as, err := s.tagged(r.Context(), "role", id)
	if err != nil {
		return err
	}
	found, ok, err := s.Roles.Role(r.Context(), id)
	if err == nil && !ok {
		err = notFound("Role")
	}
	if err != nil {
		return err
	}
	as.show(w)
	return writeJSON(w, status, shownRole(found))
}

// maxUses is how many of those who have a role are told.
const maxUses = 100

// roleUses tells which groups and users have a role.
func (s *Server) roleUses(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	found, err := s.findRole(r)
	if err != nil {
		return err
	}
	groups, _, err := s.People.Groups(r.Context(), GroupFilter{Role: found.ID}, false, Page{Limit: maxUses})
	if err != nil {
		return err
	}
	users, _, err := s.People.Users(r.Context(), UserFilter{Roles: []string{found.ID}}, "", Page{Limit: maxUses})
	if err != nil {
		return err
	}
	out := []any{}
	use := func(model, pk, name string) {
		k, _ := catalog.Lookup(model)
		out = append(out, map[string]any{"app": k.App(), "model_name": k.Base(), "pk": pk, "name": name, "action": "cascade_many"})
	}
	for _, g := range groups {
		use(object.GroupModel, g.ID, g.Name)
	}
	for _, u := range users {
		use(object.UserModel, strconv.Itoa(u.Key), u.Username)
	}
	return writeJSON(w, http.StatusOK, out)
}

// assignUser gives the role to a user, or takes it. Nothing is said about who
// has it already.
func (s *Server) assignUser(give bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		found, err := s.findRole(r)
		if err != nil {
			return err
		}
		input, err := readObject(r)
		if err != nil {
			return err
		}
		u, err := s.userField(r.Context(), input, "pk")
		if err != nil {
			return err
		}
		if err := s.overRoles(r.Context(), c, found.ID); err != nil {
			return err
		}
		assign := user.Assign{Add: []string{found.ID}, By: c.User}
		if !give {
			assign = user.Assign{Remove: []string{found.ID}, By: c.User}
		}
		if _, err := s.Users.Handle(r.Context(), eventstore.Stream("user", u.ID), assign, s.meta(c, "user:"+u.ID)); err != nil {
			return err
		}
		if err := s.changed(r.Context()); err != nil {
			return err
		}
		return done(w)
	}
}
