package console

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/web"
)

// A frame is what every page of the console has around its content.
type frame struct {
	Brand    string
	Title    string
	Sections []section
	Path     string     // of the section that the page is in
	Fresh    *Freshness // nil where nobody knows
	Now      time.Time
	Request  string // id of the request, for the reference on error pages
	Super    bool
	Scripts  []string // assets of this page, beside those of all
	Refresh  int      // seconds until the page asks for itself again; 0 for never
	LogOut   string
	Account  string
}

// DocumentTitle is what the browser's tab says.
func (f frame) DocumentTitle() string { return f.Title + " · Audit · " + f.Brand }

// Failing tells whether the page is not the one that was asked for.
func (v failedView) Failing() bool { return true }

// Slow tells whether the pages show something too old.
func (f Freshness) Slow() bool { return f.Halted || f.Behind >= time.Second }

// frame makes the frame of a page in the section that the request's path is in.
func (s *Server) frame(r *http.Request, c *session.Caller, title string) frame {
	f := frame{
		Brand: "flowledger", Title: title, Now: s.Now(), Request: c.Request, Super: c.Superuser, LogOut: web.Logout, Account: web.AccountPage,
		Sections: sections,
	}
	if s.Brands != nil {
		if name := s.Brands.Title(r.Context(), *c); name != "" {
			f.Brand = name
		}
	}
	for _, section := range sections {
		if strings.HasPrefix(r.URL.Path+"/", section.Path) && len(section.Path) > len(f.Path) {
			f.Path = section.Path
		}
	}
	if fresh, err := s.Fresh(r.Context()); err == nil {
		f.Fresh = &fresh
	}
	return f
}

// render writes a page, all or nothing.
func render(w http.ResponseWriter, status int, name string, view any) error {
	var text bytes.Buffer
	t, ok := templates[name]
	if !ok {
		return fmt.Errorf("there is no template %s", name)
	}
	if err := t.Execute(&text, view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w) // the visitor has left; nobody is there to tell
	return nil
}

// fieldsOf are the parts of a question that are wrong, with what is wrong.
func fieldsOf(err error) map[string][]string {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Fields
	}
	return nil
}
