package console

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/looked"
	"github.com/flowledger/flowledger/handlers/web"
)

// patience is how long a page waits for the read models to have seen what was
// written before it was asked for. Behind that it shows what there is, and how
// old that is.
const patience = time.Second

// maxForm limits the bytes of a posted form.
const maxForm = 64 << 10

// handle finds out who calls and whether they may, runs a page, and turns its
// error into one.
func (s *Server) handle(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.Secure(w.Header(), true)
		c, err := s.Callers.Of(w, r)
		if err == nil && !c.Scoped && !web.SignedIn(&c) {
			http.Redirect(w, r, web.LoginFor(back(r)), http.StatusFound)
			return
		}
		if err == nil {
			err = s.admit(r, &c, p)
		}
		allowed := err == nil
		if err == nil && p.method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			err = s.Forgery.Check(r, r.PostFormValue("csrfmiddlewaretoken"))
		}
		if err == nil {
			s.wait(r.Context())
			err = p.run(w, r, &c)
		}
		if err != nil {
			s.fail(w, r, &c, allowed, err)
		}
	})
}

// back is where somebody comes back to who has to log in first: a page, never
// the address that a form was sent to.
func back(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	return base
}

// admit refuses whoever may not look, and records that.
func (s *Server) admit(r *http.Request, c *session.Caller, p page) error {
	if c.Scoped { // its permissions are for the API, and it has no browser
		return domain.Errorf(domain.Forbidden, "A token that is limited to some permissions cannot be used for pages.")
	}
	if c.May(p.needs) {
		return nil
	}
	answer := domain.Errorf(domain.Forbidden, "You are logged in, but you may not see this. It takes %s.", whatItTakes(p.needs))
	return cmp.Or[error](s.Looks.Refused(r.Context(), *c, looked.Refusal{View: p.view, Cause: "permission"}), answer)
}

// whatItTakes says who may see something.
func whatItTakes(permission string) string {
	if permission == "" {
		return "a superuser"
	}
	return "the permission " + permission + ", which an administrator can give to you"
}

// wait gives the read models a moment to catch up.
func (s *Server) wait(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = s.Wait(ctx) // each page says how old it is
}

// looked records that somebody asked for audit data, before it is shown. About
// is the id of the user who was asked for, if it was one.
func (s *Server) looked(r *http.Request, c *session.Caller, view, about string, count int) error {
	filters := map[string]string{}
	for name, values := range r.URL.Query() {
		if name != "page" && strings.Join(values, "") != "" {
			filters[name] = strings.Join(values, ",")
		}
	}
	return s.Looks.Queried(r.Context(), *c, looked.Look{View: view, Filters: filters, Count: count, About: about})
}

// A failedView is an error for its template.
type failedView struct {
	frame
	Message string
	Fields  map[string][]string
}

// fail shows an error as a page. What is ours is logged.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, c *session.Caller, allowed bool, err error) {
	status, title, sentence, ours := web.Failed(err)
	if ours && r.Context().Err() == nil { // else the client has left, which is no fault
		s.Log.ErrorContext(r.Context(), "page failed", "request", c.Request, "route", c.Route, "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	v := failedView{frame: s.frame(r, c, title), Message: sentence}
	if !allowed {
		v.Sections, v.Fresh = nil, nil // they show nothing to those who may see nothing
	}
	if !ours {
		v.Fields = fieldsOf(err)
	}
	if err := render(w, status, "failed", v); err != nil {
		s.Log.ErrorContext(r.Context(), "page failed", "request", c.Request, "error", err)
		http.Error(w, "Internal error.", http.StatusInternalServerError)
	}
}
