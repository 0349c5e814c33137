package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/handlers/web"
	"github.com/flowledger/flowledger/projections"
)

// Logins are how people log in, and where they are logged in.
type Logins interface {
	// Sessions returns the live sessions of a user, the last used first.
	Sessions(ctx context.Context, user string) ([]web.Session, error)
	// SignIns returns the newest attempts to sign in as a user.
	SignIns(ctx context.Context, user string, limit int) ([]web.SignIn, error)
	// End ends a session of a user for somebody else. It fails with NotFound
	// when the session is not of that user.
	End(ctx context.Context, c session.Caller, user, session string) error
}

// endSession is the permission to end other people's sessions.
const endSession = "authentik_core.delete_authenticatedsession"

// How much a person's page shows.
const (
	personSignIns    = 10
	personExecutions = 20
	personChanges    = 10
	personLooks      = 20
)

// A usage is how often something was used.
type usage struct {
	Name  string
	Count int
}

// A personView is one person for the template.
type personView struct {
	frame
	naming
	ID         string
	Gone       bool // nobody has this id any more
	Erased     *projections.Erasure
	Person     Person
	Sessions   []web.Session
	SignIns    []web.SignIn
	Executions []projections.Execution
	Total      int // executions in all
	Exact      bool
	Factors    []usage
	About, By  []changeRow
	Looks      []projections.Access
	Current    string // id of the session that asks
	MayEnd     bool
	CSRF       string
}

// Pseudonym is how the page calls somebody who is gone.
func (v personView) Pseudonym() string { return pseudonym(v.ID) }

func (s *Server) person(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	v := personView{ID: mux.Vars(r)["person"], Current: c.Session, MayEnd: c.May(endSession)}
	ctx := r.Context()
	who, ok, err := s.Persons.Person(ctx, v.ID)
	if err != nil {
		return err
	}
	v.Person, v.Gone = who, !ok
	if v.Gone {
		if v.Erased, err = s.erasureOf(ctx, v.ID); err != nil {
			return err
		}
	}
	if err := s.pastOf(ctx, &v); err != nil {
		return err
	}
	if v.Gone && v.Erased == nil && v.Total == 0 && len(v.About) == 0 {
		return domain.Errorf(domain.NotFound, "There is nobody %q.", v.ID)
	}
	if !v.Gone {
		if v.Sessions, err = s.Logins.Sessions(ctx, v.ID); err != nil {
			return err
		}
		if v.SignIns, err = s.Logins.SignIns(ctx, v.ID, personSignIns); err != nil {
			return err
		}
	}
	if v.Looks, err = s.looksInto(ctx, v.Executions); err != nil {
		return err
	}
	ids := []string{}
	for _, l := range v.Looks {
		ids = append(ids, l.By)
	}
	if v.Erased != nil {
		ids = append(ids, v.Erased.By)
	}
	if v.naming, err = s.named(ctx, ids...); err != nil {
		return err
	}
	look := looked.Look{View: "people", Filters: map[string]string{"user": v.ID}, Count: 1, Opened: []string{"N", "P"}}
	if !v.Gone {
		look.About = v.ID
	} else {
		look.Opened = nil // there is nothing left to open
	}
	if err := s.Looks.Queried(ctx, *c, look); err != nil {
		return err
	}
	v.CSRF = s.Forgery.Token(w, r)
	v.frame = s.frame(r, c, cmp.Or(v.Person.Username, v.Pseudonym()))
	return render(w, http.StatusOK, "person", v)
}

// pastOf finds what a person went through, and what was changed of them and by
// them.
func (s *Server) pastOf(ctx context.Context, v *personView) error {
	page, err := s.Executions.Search(ctx, projections.ExecutionFilter{User: v.ID}, "-started", projections.Page{Limit: personExecutions})
	if err != nil {
		return err
	}
	v.Executions, v.Total, v.Exact = page.Executions, page.Total, page.Exact
	v.Factors = factorsOf(v.Executions)
	for _, side := range []struct {
		rows *[]changeRow
		f    projections.ChangeFilter
	}{{&v.About, projections.ChangeFilter{Object: v.ID}}, {&v.By, projections.ChangeFilter{Actor: v.ID}}} {
		found, _, err := s.Changes.List(ctx, side.f, projections.Page{Limit: personChanges})
		if err != nil {
			return err
		}
		if *side.rows, err = s.changeRows(ctx, found); err != nil {
			return err
		}
	}
	return nil
}

// factorsOf counts with what somebody logged in, the most used first.
func factorsOf(executions []projections.Execution) (out []usage) {
	counts := map[string]int{}
	for _, x := range executions {
		for _, f := range x.Factors {
			counts[f]++
		}
	}
	for name, n := range counts {
		out = append(out, usage{name, n})
	}
	slices.SortFunc(out, func(a, b usage) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return out
}

// looksInto finds who looked into some executions, the newest first.
func (s *Server) looksInto(ctx context.Context, executions []projections.Execution) (out []projections.Access, err error) {
	for _, x := range executions {
		found, _, err := s.Accesses.List(ctx, projections.AccessFilter{Execution: x.ID}, projections.Page{Limit: personLooks})
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b projections.Access) int { return b.At.Compare(a.At) })
	return out[:min(len(out), personLooks)], nil
}

// endSession ends a session of somebody else.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	vars := mux.Vars(r)
	if err := s.Logins.End(r.Context(), *c, vars["person"], vars["session"]); err != nil {
		return err
	}
	return seeOther(w, r, "/if/admin/people/"+url.PathEscape(vars["person"])+"/")
}
