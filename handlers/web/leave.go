package web

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/flowledger/flowledger/domain/session"
)

// leave sends the browser to a target that the engine named, on this site or
// another.
//
// Our policy for forms, form-action 'self', also holds for the redirects that
// follow a post, so a browser would refuse to arrive at another site. A page
// in between ends the chain, and says where the journey goes.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, c *session.Caller, target string) error {
	if foreign(target, *c) {
		u, err := url.Parse(target)
		if err != nil {
			return fmt.Errorf("read redirect target: %w", err)
		}
		w.Header().Set("Refresh", "0; url="+u.String())
		return render(w, http.StatusOK, "leave", leaveView{
			frame: s.frame(r, *c, "On to "+u.Host), Host: u.Host, Target: u.String(),
		})
	}
	if u, err := url.Parse(target); local(target) || err == nil && u.Host != "" && u.Scheme+"://"+u.Host == c.BaseURL {
		return seeOther(w, r, target)
	}
	return fmt.Errorf("redirect to %q: neither a path nor a web address", target)
}

// A leaveView says goodbye.
type leaveView struct {
	frame
	Host   string
	Target string
}
