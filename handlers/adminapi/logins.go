package adminapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Logins are the living sessions in which somebody is logged in.
type Logins interface {
	// Logins returns a page of them, and how many there are on all pages.
	Logins(ctx context.Context, f LoginFilter, p Page) ([]Login, int, error)
	Login(ctx context.Context, id string) (Login, bool, error)
}

// A Login is such a session.
type Login struct {
	ID        string
	User      string // id
	IP        string
	Origin    session.Origin // of that address
	UserAgent string
	Seen      time.Time
	Expires   time.Time
}

// A LoginFilter says which sessions are wanted. What is empty does not matter.
type LoginFilter struct {
	User, IP, UserAgent string
	Search              string // words of the user's name, the address or the browser
	Order               string // a field of the contract, with a minus in front to turn it around; else the last used first
}

// loginModel is what permissions call sessions.
const loginModel = "authentik_core.authenticatedsession"

// mountLogins adds the sessions. They are open to everybody for their own;
// each endpoint sees to that.
func (s *Server) mountLogins(r *mux.Router) {
	const path = "core/authenticated_sessions/"
	s.route(r, path, ownOr(loginModel), verbs{http.MethodGet: s.listLogins})
	s.route(r, path+"bulk_delete/", of(loginModel), verbs{http.MethodDelete: s.revokeLogins})
	s.route(r, path+"{key}/", ownOr(loginModel), verbs{http.MethodGet: s.getLogin, http.MethodDelete: s.revokeLogin})
	s.route(r, path+"{key}/used_by/", ownOr(loginModel), verbs{http.MethodGet: s.loginUses})
}

// listLogins shows everybody their own sessions, and superusers all.
func (s *Server) listLogins(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f := LoginFilter{
		IP: q.Get("session__last_ip"), UserAgent: q.Get("session__last_user_agent"), Search: q.Get("search"), Order: q.Get("ordering"),
	}
	if name := q.Get("user__username"); name != "" {
		u, ok, err := s.userNamed(r.Context(), name)
		if err != nil {
			return err
		}
		if !ok {
			return writeList(w, pg, 0, nil)
		}
		f.User = u.ID
	}
	if !c.May(ownOr(loginModel).needs(r.Method)) {
		if f.User != "" && f.User != c.User {
			return writeList(w, pg, 0, nil)
		}
		f.User = c.User
	}
	found, total, err := s.Logins.Logins(r.Context(), f, pg.page())
	if err != nil {
		return err
	}
	var results []any
	for _, l := range found {
		shown, err := s.showLogin(r.Context(), c, l)
		if err != nil {
			return err
		}
		results = append(results, shown)
	}
	return writeList(w, pg, total, results)
}

// showLogin shows a session.
func (s *Server) showLogin(ctx context.Context, c session.Caller, l Login) (map[string]any, error) {
	u, _, err := s.People.UserByID(ctx, l.User)
	return map[string]any{
		"uuid": l.ID, "current": c.Session != "" && l.ID == c.Session, "user_agent": parsedAgent(l.UserAgent),
		"geo_ip": l.Origin.Place.Shown(), "asn": l.Origin.System.Shown(),
		"user": u.Key, "last_ip": l.IP, "last_user_agent": l.UserAgent, "last_used": stamp(l.Seen), "expires": stamp(l.Expires),
	}, err
}

// findLogin returns the session that the path names. Somebody else's is none,
// unless a superuser asks.
func (s *Server) findLogin(r *http.Request, c session.Caller) (Login, error) {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return Login{}, notFound("Authenticated Session")
	}
	l, ok, err := s.Logins.Login(r.Context(), id.String())
	if err == nil && (!ok || l.User != c.User && !c.May(ownOr(loginModel).needs(r.Method))) {
		err = notFound("Authenticated Session")
	}
	return l, err
}

func (s *Server) getLogin(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	l, err := s.findLogin(r, c)
	if err != nil {
		return err
	}
	shown, err := s.showLogin(r.Context(), c, l)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shown)
}

// loginUses is always empty: nothing refers to sessions.
func (s *Server) loginUses(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	if _, err := s.findLogin(r, c); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, []any{})
}

// revokeLogin ends a session; it proves nobody from then on.
func (s *Server) revokeLogin(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	l, err := s.findLogin(r, c)
	if err != nil {
		return err
	}
	if err := s.revoke(r.Context(), c, l); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

func (s *Server) revoke(ctx context.Context, c session.Caller, l Login) error {
	_, err := s.Sessions.Handle(ctx, eventstore.Stream("session", l.ID), session.Revoke{By: c.User, Cause: "admin"}, s.meta(c, "user:"+l.User))
	return err
}

// maxRevoked bounds the users whose sessions one request can end.
const maxRevoked = 1000

// revokeLogins ends all sessions of some users. A crash in between leaves some
// of them; asking again ends the rest.
func (s *Server) revokeLogins(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	keys := split(given(r.URL.Query()["user_pks"]))
	switch {
	case len(keys) == 0:
		return invalid("user_pks", "This field is required.")
	case len(keys) > maxRevoked:
		return invalid("user_pks", "Ensure this field has no more than "+strconv.Itoa(maxRevoked)+" elements.")
	}
	var users []User
	for _, text := range keys {
		key, err := strconv.Atoi(text)
		if err != nil {
			return invalid("user_pks", "A valid integer is required.")
		}
		u, ok, err := s.People.UserByKey(r.Context(), key)
		if err != nil {
			return err
		}
		if ok {
			users = append(users, u)
		}
	}
	ended := 0
	for _, u := range users {
		found, _, err := s.Logins.Logins(r.Context(), LoginFilter{User: u.ID}, Page{})
		if err != nil {
			return err
		}
		for _, l := range found {
			if err := s.revoke(r.Context(), c, l); err != nil {
				return err
			}
			ended++
		}
		if err := s.changed(r.Context()); err != nil { // who is named twice has none left
			return err
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{"deleted": ended})
}
