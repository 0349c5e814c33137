package adminapi

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
)

// mountPermissions adds the table of permissions, and their assignment.
func (s *Server) mountPermissions(r *mux.Router) {
	const path = "rbac/permissions/"
	s.route(r, path, of(role.Model), verbs{http.MethodGet: s.listPermissions})
	s.route(r, path+"roles/", of(role.Model), verbs{http.MethodGet: s.listObjectPermissions})
	s.route(r, path+"assigned_by_roles/", of(role.Model), verbs{http.MethodGet: s.listAssigned})
	s.route(r, path+"assigned_by_roles/{key}/assign/", action("authentik_rbac.assign_role_permissions"), verbs{http.MethodPost: s.assign})
	s.route(r, path+"assigned_by_roles/{key}/unassign/", action("authentik_rbac.unassign_role_permissions"), verbs{http.MethodPatch: s.unassign})
	s.route(r, path+"{key}/", of(role.Model), verbs{http.MethodGet: s.getPermission})
}

// modelPermission is a permission as the contract shows those of roles.
func modelPermission(p role.Permission) map[string]any {
	return map[string]any{"id": p.ID(), "codename": p.Codename, "model": p.Model, "app_label": p.App, "name": p.Title}
}

// fullPermission is a permission as the table shows one.
func fullPermission(p role.Permission) map[string]any {
	out := modelPermission(p)
	maps.Copy(out, map[string]any{"app_label_verbose": p.AppTitle(), "model_verbose": p.ModelTitle})
	return out
}

// listPermissions shows the table, or of it what a role has.
func (s *Server) listPermissions(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	all := role.Permissions()
	if text := q.Get("role"); text != "" {
		id, err := uuid.Parse(text)
		if err != nil {
			return invalid("role", "“"+cut(text)+"” is not a valid UUID.")
		}
		found, _, err := s.Roles.Role(r.Context(), id.String())
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(p role.Permission) bool { return !slices.Contains(found.Permissions, p.Name()) })
	}
	all = selectPermissions(all, q)
	var results []any
	for _, p := range slice(pg, all) {
		results = append(results, fullPermission(p))
	}
	return writeList(w, pg, len(all), results)
}

// permissionOrder are the fields that the table can be ordered by.
var permissionOrder = map[string]func(role.Permission) string{
	"codename":                func(p role.Permission) string { return p.Codename },
	"name":                    func(p role.Permission) string { return p.Title },
	"content_type__app_label": func(p role.Permission) string { return p.App },
	"content_type__model":     func(p role.Permission) string { return p.Model },
}

// selectPermissions applies filters, search and order.
func selectPermissions(all []role.Permission, q url.Values) []role.Permission {
	words := strings.Fields(strings.ToLower(q.Get("search")))
	all = slices.DeleteFunc(all, func(p role.Permission) bool {
		for of, is := range map[string]string{"codename": p.Codename, "content_type__app_label": p.App, "content_type__model": p.Model} {
			if wanted := q.Get(of); wanted != "" && wanted != is {
				return true
			}
		}
		text := strings.ToLower(p.Name() + " " + p.Model + " " + p.Title)
		return slices.ContainsFunc(words[:min(len(words), maxWords)], func(word string) bool { return !strings.Contains(text, word) })
	})
	name, descending := strings.CutPrefix(q.Get("ordering"), "-")
	by, known := permissionOrder[name]
	if !known {
		return all
	}
	slices.SortStableFunc(all, func(a, b role.Permission) int {
		if descending {
			a, b = b, a
		}
		return cmp.Compare(by(a), by(b))
	})
	return all
}

func (s *Server) getPermission(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	id, err := strconv.Atoi(mux.Vars(r)["key"])
	if err == nil {
		for _, p := range role.Permissions() {
			if p.ID() == id {
				return writeJSON(w, http.StatusOK, fullPermission(p))
			}
		}
	}
	return notFound("Permission")
}

// wholeModels is why object_pk is refused: a permission on one thing that was
// taken for one on all of them would permit too much, and one that was left
// out silently, too little.
const wholeModels = "Permissions are on all objects of a model; there are none on single objects."

// listObjectPermissions is always empty, for there are none.
func (s *Server) listObjectPermissions(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	if text := q.Get("uuid"); text != "" {
		if _, err := uuid.Parse(text); err != nil {
			return invalid("uuid", "“"+cut(text)+"” is not a valid UUID.")
		}
	}
	return writeList(w, pg, 0, nil)
}

// listAssigned shows which roles have permissions on a model.
func (s *Server) listAssigned(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	var problems catalog.Problems
	if q.Get("model") == "" {
		problems.Add("model", "This field is required.")
	}
	if q.Get("object_pk") != "" {
		problems.Add("object_pk", wholeModels)
	}
	on := permissionsOn(q.Get("model"))
	if len(problems) == 0 && len(on) == 0 {
		problems.Add("model", "Select a valid choice. %s is not one of the available choices.", cut(q.Get("model")))
	}
	if err := problems.Err(); err != nil {
		return err
	}
	f := RoleFilter{Search: q.Get("search"), Permissions: slices.Sorted(maps.Keys(on))}
	found, total, err := s.Roles.Roles(r.Context(), f, strings.HasPrefix(q.Get("ordering"), "-"), pg.page())
	if err != nil {
		return err
	}
	var results []any
	for _, one := range found {
		assigned := []any{}
		for _, name := range one.Permissions {
			if p, about := on[name]; about {
				assigned = append(assigned, modelPermission(p))
			}
		}
		results = append(results, map[string]any{
			"role_pk": one.ID, "name": one.Name, "model_permissions": assigned, "object_permissions": []any{},
		})
	}
	return writeList(w, pg, total, results)
}

// permissionsOn are the permissions about a model, by name.
func permissionsOn(model string) map[string]role.Permission {
	out := map[string]role.Permission{}
	for _, p := range role.Permissions() {
		if strings.EqualFold(p.App+"."+p.Model, model) {
			out[p.Name()] = p
		}
	}
	return out
}

// assign gives permissions to a role.
func (s *Server) assign(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	found, names, err := s.assignment(r, c)
	if err != nil {
		return err
	}
	if err := s.writeRole(r.Context(), c, found.ID, role.Grant{Add: names, By: c.User}); err != nil {
		return err
	}
	out := []any{}
	for _, name := range names {
		p, _ := role.Lookup(name)
		out = append(out, map[string]any{"id": strconv.Itoa(p.ID())})
	}
	return writeJSON(w, http.StatusOK, out)
}

// unassign takes permissions from a role.
func (s *Server) unassign(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	found, names, err := s.assignment(r, c)
	if err != nil {
		return err
	}
	if err := s.writeRole(r.Context(), c, found.ID, role.Grant{Remove: names, By: c.User}); err != nil {
		return err
	}
	return done(w)
}

// assignment reads which permissions a role is to be given, or to lose. A
// codename alone is one of the model's app.
func (s *Server) assignment(r *http.Request, c session.Caller) (Role, []string, error) {
	found, err := s.findRole(r)
	if err != nil {
		return found, nil, err
	}
	input, err := readObject(r)
	if err != nil {
		return found, nil, err
	}
	var problems catalog.Problems
	if input["object_pk"] != nil {
		problems.Add("object_pk", wholeModels)
	}
	model, _ := input["model"].(string)
	if input["model"] != nil && len(permissionsOn(model)) == 0 {
		problems.Add("model", "\"%s\" is not a valid choice.", cut(written(input["model"])))
	}
	list, ok := input["permissions"].([]any)
	switch {
	case input["permissions"] == nil:
		problems.Add("permissions", "This field is required.")
	case !ok:
		problems.Add("permissions", "Expected a list of items but got type \"%s\".", typeName(input["permissions"]))
	case len(list) > maxScope:
		problems.Add("permissions", "Ensure this field has no more than %d elements.", maxScope)
	}
	app, _, _ := strings.Cut(model, ".")
	names := []string{}
	for _, item := range list {
		name, _ := item.(string)
		if !strings.Contains(name, ".") && app != "" {
			name = app + "." + name
		}
		if _, known := role.Lookup(name); !known {
			problems.Add("permissions", "There is no permission \"%s\".", cut(name))
		}
		names = append(names, name)
	}
	if err := problems.Err(); err != nil {
		return found, nil, err
	}
	if err := mayGrant(c, names); err != nil {
		return found, nil, err
	}
	return found, names, s.overRoles(r.Context(), c, found.ID)
}
