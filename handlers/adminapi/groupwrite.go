package adminapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

func (s *Server) createGroup(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	return s.putGroup(w, r, c, Group{ID: s.NewID()}, groupPut{create: true})
}

func (s *Server) changeGroup(partial bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		g, err := s.findGroup(r)
		if err != nil {
			return err
		}
		return s.putGroup(w, r, c, g, groupPut{partial: partial})
	}
}

// A groupPut says how a group is to be written.
type groupPut struct{ create, partial bool }

// putGroup judges what is wanted of a group, writes it, and shows the group.
func (s *Server) putGroup(w http.ResponseWriter, r *http.Request, c session.Caller, g Group, how groupPut) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	seen, present, err := s.compared(r, "group", g.ID)
	if err == nil && !how.create { // what it gave to its members a moment ago, nobody may give back unasked
		g, err = s.findGroup(r)
	}
	if err != nil {
		return err
	}
	write, err := s.judgeGroup(r.Context(), g.ID, input, how.partial)
	if err != nil {
		return err
	}
	if err := s.mayWriteGroup(r.Context(), c, g, write, how.create); err != nil {
		return err
	}
	write.By, write.Via, write.Create = c.User, via, how.create
	if _, err := s.Groups.Handle(r.Context(), eventstore.Stream("group", g.ID), when(seen, present, write), s.meta(c, "group:"+g.ID)); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	status := http.StatusOK
	if how.create {
		status = http.StatusCreated
	}
	return s.writeGroup(w, r, status, g.ID)
}

// mayWriteGroup refuses what would let members come to what the caller may not,
// or lose it: by the group itself, by those above it, or by its roles. Only
// superusers make superusers.
func (s *Server) mayWriteGroup(ctx context.Context, c session.Caller, g Group, write group.Write, create bool) error {
	if write.Superuser != nil && *write.Superuser != g.Superuser && !c.Superuser {
		return domain.Errorf(domain.Forbidden, "Only superusers may say whether members of a group are superusers.")
	}
	concerned := []string{}
	if !create {
		concerned = append(concerned, g.ID)
	}
	if write.Parents != nil {
		concerned = append(concerned, differing(g.Parents, write.Parents)...)
	}
	if err := s.overGroups(ctx, c, concerned...); err != nil || write.Roles == nil {
		return err
	}
	return s.overRoles(ctx, c, differing(roleIDs(g.Roles), write.Roles)...)
}

// judgeGroup cleans what is to be written of a group.
func (s *Server) judgeGroup(ctx context.Context, id string, input map[string]any, partial bool) (group.Write, error) {
	k, _ := catalog.Lookup(object.GroupModel)
	set, problems := k.Clean(input, partial)
	if err := s.dangling(ctx, k, set, &problems); err != nil {
		return group.Write{}, err
	}
	var write group.Write
	if name, ok := set["name"].(string); ok {
		write.Name = &name
		found, _, err := s.People.Groups(ctx, GroupFilter{Name: name}, false, Page{Limit: 1})
		if err != nil {
			return write, err
		}
		if len(found) > 0 && found[0].ID != id {
			problems.Add("name", "Group with this name already exists.")
		}
	}
	if superuser, ok := set["is_superuser"].(bool); ok {
		write.Superuser = &superuser
	}
	if parents, given := set["parents"]; given {
		write.Parents = texts(parents)
		if err := s.judgeParents(ctx, id, write.Parents, &problems); err != nil {
			return write, err
		}
	}
	if roles, given := set["roles"]; given {
		write.Roles = texts(roles)
	}
	write.Attributes, _ = set["attributes"].(map[string]any)
	if err := problems.Err(); err != nil {
		return write, err
	}
	if keys, given := set["users"]; given {
		write.Members = []string{}
		for _, key := range keysOf(keys) {
			n, _ := number(key)
			u, _, err := s.People.UserByKey(ctx, int(n))
			if err != nil {
				return write, err
			}
			write.Members = append(write.Members, u.ID)
		}
	}
	return write, nil
}

// judgeParents refuses circles: whoever was in one of its groups would be in
// all of them, and nobody could tell why.
func (s *Server) judgeParents(ctx context.Context, id string, parents []string, problems *catalog.Problems) error {
	if slices.Contains(parents, id) {
		problems.Add("parents", "Cannot set group as parent of itself.")
		return nil
	}
	seen := map[string]bool{}
	for above := slices.Clone(parents); len(above) > 0; above = above[1:] {
		if above[0] == id {
			problems.Add("parents", "Cannot set a group as parent that is below this one.")
			return nil
		}
		if seen[above[0]] {
			continue
		}
		seen[above[0]] = true
		g, _, err := s.People.Group(ctx, above[0])
		if err != nil {
			return err
		}
		above = append(above, g.Parents...)
	}
	return nil
}

// deleteGroup ends a group: its children lose a parent, and bindings to it go.
func (s *Server) deleteGroup(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	g, err := s.findGroup(r)
	if err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	seen, present, err := s.compared(r, "group", g.ID)
	if err != nil {
		return err
	}
	k, _ := catalog.Lookup(object.GroupModel)
	if err := s.overGroups(r.Context(), c, g.ID); err != nil {
		return err
	}
	if err := s.mayRelease(c, k, g.ID); err != nil {
		return err
	}
	if err := s.release(r.Context(), c, k, g.ID, g.ID); err != nil {
		return err
	}
	for _, id := range g.Children {
		if err := s.orphan(r.Context(), c, id, g.ID); err != nil {
			return err
		}
	}
	_, err = s.Groups.Handle(r.Context(), eventstore.Stream("group", g.ID), when(seen, present, group.Delete{By: c.User, Via: via}), s.meta(c, "group:"+g.ID))
	if err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// orphan takes a parent away from a group.
func (s *Server) orphan(ctx context.Context, c session.Caller, id, parent string) error {
	child, ok, err := s.People.Group(ctx, id)
	if err != nil || !ok {
		return err
	}
	rest := []string{}
	for _, other := range child.Parents {
		if other != parent {
			rest = append(rest, other)
		}
	}
	_, err = s.Groups.Handle(ctx, eventstore.Stream("group", id), group.Write{Parents: rest, By: c.User, Via: via}, s.meta(c, "group:"+id))
	return err
}
