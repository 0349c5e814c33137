package web

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/session"
)

// maxSignIns is how many sign-ins a person's own page looks back.
const maxSignIns = 20

// mountAccount adds a person's own page.
func (s *Server) mountAccount(m *mux.Router) {
	m.Handle("/if/user/", s.handle(s.user)).Methods(http.MethodGet, http.MethodHead)
	m.Handle("/if/user/sessions/{session}/revoke/", s.handle(s.revoke)).Methods(http.MethodPost)
}

// A userView is a person's own page for the template.
type userView struct {
	frame
	CSRF      string
	Me        Profile
	Superuser bool
	Current   string // id of the session that asks
	Offers    Offers
	Sessions  []Session
	Tokens    []Token
	SignIns   []SignIn
	Now       time.Time
	LogOut    string
}

func (s *Server) user(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	if !signedIn(c) {
		return seeOther(w, r, loginFor(userPage))
	}
	v := userView{Superuser: c.Superuser, Current: c.Session, Now: c.Now, LogOut: logoutPage}
	var err error
	if v.Me, err = s.Account.Profile(r.Context(), c.User); err != nil {
		return err
	}
	if v.Offers, err = s.Flows.Offers(r.Context(), *c); err != nil {
		return err
	}
	if v.Sessions, err = s.Account.Sessions(r.Context(), c.User); err != nil {
		return err
	}
	if v.Tokens, err = s.Account.Tokens(r.Context(), c.User); err != nil {
		return err
	}
	if v.SignIns, err = s.Account.SignIns(r.Context(), c.User, maxSignIns); err != nil {
		return err
	}
	v.frame, v.CSRF = s.frame(r, *c, "Your account"), s.Forgery.Token(w, r)
	v.Wide = true
	return render(w, http.StatusOK, "user", v)
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request, c *session.Caller) error {
	if _, err := s.form(w, r); err != nil {
		return err
	}
	if !signedIn(c) {
		return seeOther(w, r, loginFor(userPage))
	}
	id := mux.Vars(r)["session"]
	if err := s.Account.Revoke(r.Context(), *c, id); err != nil {
		return err
	}
	if id != c.Session {
		return seeOther(w, r, userPage)
	}
	if err := s.Callers.End(w, r, c); err != nil {
		return err
	}
	return seeOther(w, r, "/")
}

// Name is how the page addresses the user.
func (v userView) Name() string {
	if v.Me.Name != "" {
		return v.Me.Name
	}
	return v.Me.Username
}

// Initial stands in for a picture.
func (v userView) Initial() string {
	for _, r := range v.Name() {
		return string(r)
	}
	return "?"
}

// Others counts the sessions besides the current one.
func (v userView) Others() int {
	n := 0
	for _, s := range v.Sessions {
		if s.ID != v.Current {
			n++
		}
	}
	return n
}

// age says how long before now t was, as people say it.
func age(now, t time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return plural(int(d/time.Hour), "hour")
	default:
		return plural(int(d/(24*time.Hour)), "day")
	}
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit + " ago"
	}
	return fmt.Sprintf("%d %ss ago", n, unit)
}
