package adminapi

import (
	"context"
	"net/http"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

func (s *Server) createRole(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	return s.putRole(w, r, c, Role{ID: s.NewID()}, http.StatusCreated)
}

// changeRole replaces or patches. A role has a name here and nothing else, so
// the two differ in whether it must be said.
func (s *Server) changeRole(partial bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		found, err := s.findRole(r)
		if err != nil {
			return err
		}
		if err := s.overRoles(r.Context(), c, found.ID); err != nil {
			return err
		}
		if partial {
			return s.putRole(w, r, c, found, http.StatusOK)
		}
		found.Name = ""
		return s.putRole(w, r, c, found, http.StatusOK)
	}
}

// putRole judges what is wanted of a role, writes it, and shows the role. The
// name that it has counts as said; one without must be given one.
func (s *Server) putRole(w http.ResponseWriter, r *http.Request, c session.Caller, old Role, status int) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	seen, present, err := s.compared(r, "role", old.ID)
	if err != nil {
		return err
	}
	write := role.Write{By: c.User, Via: via, Create: status == http.StatusCreated}
	if write.Name, err = s.judgeRole(r.Context(), old, input); err != nil {
		return err
	}
	if err := s.writeRole(r.Context(), c, old.ID, when(seen, present, write)); err != nil {
		return err
	}
	return s.showRole(w, r, status, old.ID)
}

// judgeRole reads the name of a role.
func (s *Server) judgeRole(ctx context.Context, old Role, input map[string]any) (*string, error) {
	k, _ := catalog.Lookup(role.Model)
	set, problems := k.Clean(input, old.Name != "")
	name, given := set["name"].(string)
	if err := problems.Err(); err != nil || !given {
		return nil, err
	}
	found, _, err := s.Roles.Roles(ctx, RoleFilter{Name: name}, false, Page{Limit: 1})
	if err == nil && len(found) > 0 && found[0].ID != old.ID {
		err = invalid("name", "Role with this name already exists.")
	}
	return &name, err
}

// writeRole is one append; a crash leaves all of it, or nothing.
func (s *Server) writeRole(ctx context.Context, c session.Caller, id string, do domain.Command[role.State]) error {
	if _, err := s.RoleStates.Handle(ctx, eventstore.Stream("role", id), do, s.meta(c, "role:"+id)); err != nil {
		return err
	}
	return s.changed(ctx)
}

// deleteRole ends a role. Nobody has it from then on, and nothing else goes
// with it.
func (s *Server) deleteRole(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	found, err := s.findRole(r)
	if err != nil {
		return err
	}
	if err := s.overRoles(r.Context(), c, found.ID); err != nil {
		return err
	}
	seen, present, err := s.compared(r, "role", found.ID)
	if err != nil {
		return err
	}
	if err := s.writeRole(r.Context(), c, found.ID, when(seen, present, role.Delete{By: c.User, Via: via})); err != nil {
		return err
	}
	return done(w)
}
