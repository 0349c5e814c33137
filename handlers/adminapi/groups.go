package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// mountGroups adds the groups. They are in the catalog for their fields, and
// an aggregate of their own for everything else.
func (s *Server) mountGroups(r *mux.Router) {
	const path = "core/groups/"
	s.route(r, path, of("authentik_core.group"), verbs{http.MethodGet: s.listGroups, http.MethodPost: s.createGroup})
	s.edit(r, path+"{key}/", of("authentik_core.group"), verbs{
		http.MethodGet: s.getGroup, http.MethodPut: s.changeGroup(false), http.MethodPatch: s.changeGroup(true), http.MethodDelete: s.deleteGroup,
	})
	s.route(r, path+"{key}/add_user/", action("authentik_core.add_user_to_group"), verbs{http.MethodPost: s.addMember})
	s.route(r, path+"{key}/remove_user/", action("authentik_core.remove_user_from_group"), verbs{http.MethodPost: s.removeMember})
	s.route(r, path+"{key}/used_by/", of("authentik_core.group"), verbs{http.MethodGet: s.groupUses})
}

// listGroups shows groups by name; that is the only order they have.
func (s *Server) listGroups(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f, nobody, err := s.groupFilter(r.Context(), q)
	if err != nil {
		return err
	}
	if nobody {
		return writeList(w, pg, 0, nil)
	}
	descending := strings.HasPrefix(q.Get("ordering"), "-")
	found, total, err := s.People.Groups(r.Context(), f, descending, pg.page())
	if err != nil {
		return err
	}
	var results []any
	for _, g := range found {
		shown, err := s.fullGroup(r.Context(), q, g)
		if err != nil {
			return err
		}
		results = append(results, shown)
	}
	return writeList(w, pg, total, results)
}

// groupFilter reads the filters of a list of groups. Nobody tells that only
// members are asked for who do not exist, so no group has them.
func (s *Server) groupFilter(ctx context.Context, q url.Values) (f GroupFilter, nobody bool, err error) {
	f = GroupFilter{Name: q.Get("name"), Search: q.Get("search"), Superuser: boolParam(q, "is_superuser")}
	var problems catalog.Problems
	f.Attributes = attributesParam(q, &problems)
	keys, names := given(q["members_by_pk"]), given(q["members_by_username"])
	if len(keys)+len(names) > maxAskedMembers {
		problems.Add("members_by_pk", "Ask for no more than %d members at once.", maxAskedMembers)
	}
	var numbers []int
	for _, text := range keys {
		key, err := strconv.Atoi(text)
		if err != nil {
			problems.Add("members_by_pk", "Enter a number.")
		}
		numbers = append(numbers, key)
	}
	if err := problems.Err(); err != nil {
		return f, false, err
	}
	for _, key := range numbers {
		u, ok, err := s.People.UserByKey(ctx, key)
		if err != nil {
			return f, false, err
		}
		if ok {
			f.Members = append(f.Members, u.ID)
		}
	}
	for _, name := range names {
		u, ok, err := s.userNamed(ctx, name)
		if err != nil {
			return f, false, err
		}
		if ok {
			f.Members = append(f.Members, u.ID)
		}
	}
	return f, len(keys)+len(names) > 0 && len(f.Members) == 0, nil
}

// maxAskedMembers bounds the members that a list of groups is asked about.
const maxAskedMembers = 100

// userNamed returns the user with exactly this name.
func (s *Server) userNamed(ctx context.Context, name string) (User, bool, error) {
	found, _, err := s.People.Users(ctx, UserFilter{Username: name}, "", Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return User{}, false, err
	}
	return found[0], true, nil
}

// findGroup returns the group that the path names.
func (s *Server) findGroup(r *http.Request) (Group, error) {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return Group{}, notFound("Group")
	}
	g, ok, err := s.People.Group(r.Context(), id.String())
	if err == nil && !ok {
		err = notFound("Group")
	}
	return g, err
}

func (s *Server) getGroup(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	g, err := s.findGroup(r)
	if err != nil {
		return err
	}
	return s.writeGroup(w, r, http.StatusOK, g.ID)
}

// groupInFull returns a group with its members.
func (s *Server) groupInFull(ctx context.Context, id string) (Group, bool, error) {
	found, _, err := s.People.Groups(ctx, GroupFilter{ID: id}, false, Page{Limit: 1})
	if err != nil || len(found) == 0 || id == "" {
		return Group{}, false, err
	}
	return found[0], true, nil
}

// writeGroup shows a group, and as of which revision.
func (s *Server) writeGroup(w http.ResponseWriter, r *http.Request, status int, id string) error {
	as, err := s.tagged(r.Context(), "group", id)
	if err != nil {
		return err
	}
	g, ok, err := s.groupInFull(r.Context(), id)
	if err == nil && !ok {
		err = notFound("Group")
	}
	if err != nil {
		return err
	}
	shown, err := s.fullGroup(r.Context(), r.URL.Query(), g)
	if err != nil {
		return err
	}
	as.show(w)
	return writeJSON(w, status, shown)
}

func (s *Server) groupUses(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	g, err := s.findGroup(r)
	if err != nil {
		return err
	}
	k, _ := catalog.Lookup(object.GroupModel)
	return s.writeUses(w, k, g.ID)
}

// addMember puts a user into a group. Nothing is said about who is in it
// already: it makes no difference.
func (s *Server) addMember(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	return s.membership(w, r, c, func(member string) domain.Command[group.State] {
		return group.AddMember{User: member, By: c.User, Via: via}
	})
}

// removeMember takes a user out of a group, or leaves them out.
func (s *Server) removeMember(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	return s.membership(w, r, c, func(member string) domain.Command[group.State] {
		return group.RemoveMember{User: member, By: c.User, Via: via}
	})
}

// membership handles one command about a group and the user in the body. It
// is sealed under that user's key, and so forgotten with them.
func (s *Server) membership(w http.ResponseWriter, r *http.Request, c session.Caller, of func(member string) domain.Command[group.State]) error {
	g, err := s.findGroup(r)
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
	if err := s.overGroups(r.Context(), c, g.ID); err != nil {
		return err
	}
	if _, err := s.Groups.Handle(r.Context(), eventstore.Stream("group", g.ID), of(u.ID), s.meta(c, "user:"+u.ID)); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}
