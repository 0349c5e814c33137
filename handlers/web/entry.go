package web

import (
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
)

// Where people are sent.
const (
	userPage   = "/if/user/"
	loginPage  = "/flows/-/default/authentication/"
	logoutPage = "/flows/-/default/invalidation/"
)

// designations are the words that may follow /flows/-/default/.
var designations = map[string]bool{
	"authentication": true, "authorization": true, "invalidation": true, "enrollment": true,
	"unenrollment": true, "recovery": true, "stage_configuration": true,
}

// mountEntries adds the paths that show nothing and lead somewhere.
func (s *Server) mountEntries(m *mux.Router) {
	m.Handle("/", s.handle(s.root)).Methods(http.MethodGet, http.MethodHead)
	m.Handle("/flows/-/default/{designation}/", s.handle(s.defaultFlow)).Methods(http.MethodGet, http.MethodHead)
	m.Handle("/flows/-/cancel/", s.handle(s.cancel)).Methods(http.MethodGet)
	m.Handle("/flows/-/configure/{stage}/", s.handle(s.configure)).Methods(http.MethodGet)
}

func (s *Server) root(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	target := userPage
	if !signedIn(c) {
		target = loginFor("/")
	}
	http.Redirect(w, r, target, http.StatusFound)
	return nil
}

func (s *Server) defaultFlow(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	designation := mux.Vars(r)["designation"]
	if !designations[designation] {
		return domain.Errorf(domain.NotFound, "There is no such kind of flow.")
	}
	slug, err := s.Flows.Default(r.Context(), designation, *c)
	if err != nil {
		return err
	}
	http.Redirect(w, r, withQuery(flowPath(slug), r), http.StatusFound)
	return nil
}

// cancel forgets what is under way. Without a place to go on to it leads to
// the logout, as authentik's clients expect.
func (s *Server) cancel(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	if err := s.Flows.Cancel(r.Context(), *c); err != nil {
		return err
	}
	target := r.URL.Query().Get("next")
	if !local(target) {
		target = logoutPage
	}
	http.Redirect(w, r, target, http.StatusFound)
	return nil
}

func (s *Server) configure(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	if !signedIn(c) {
		http.Redirect(w, r, loginFor(r.URL.RequestURI()), http.StatusFound)
		return nil
	}
	slug, err := s.Flows.Configure(r.Context(), mux.Vars(r)["stage"], r.URL.Query(), *c)
	if err != nil {
		return err
	}
	http.Redirect(w, r, withQuery(flowPath(slug), r), http.StatusFound)
	return nil
}

// signedIn tells whether c is somebody in a browser. A bearer token opens the
// API, not the pages.
func signedIn(c *session.Caller) bool {
	return c.User != "" && c.Session != "" && !c.Stale
}

// loginFor returns the address of the login that comes back to next.
func loginFor(next string) string {
	return loginPage + "?" + url.Values{"next": {next}}.Encode()
}

// andBack appends to path that its flow comes back to the person's own page,
// and so does whoever breaks it off.
func andBack(path string) string {
	return path + "?" + url.Values{"next": {userPage}}.Encode()
}

// flowPath returns the path of a flow's page.
func flowPath(slug string) string {
	return "/if/flow/" + url.PathEscape(slug) + "/"
}
