package caller

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/session"
)

// The names of the contract.
const (
	csrfCookie = "authentik_csrf"
	csrfHeader = "X-authentik-CSRF"
)

// csrfToken follows from the session, so nothing needs to be kept: whoever
// cannot read the cookie does not know it.
func (s *Callers) csrfToken(sessionID string) string {
	return base64.RawURLEncoding.EncodeToString(s.Bearers.Digest("csrf", sessionID))
}

func (s *Callers) setCSRF(w http.ResponseWriter, r *http.Request, sessionID string) {
	http.SetCookie(w, &http.Cookie{
		Name: csrfCookie, Value: s.csrfToken(sessionID), Path: "/", Secure: s.Network.secure(r), SameSite: http.SameSiteLaxMode,
	})
}

// CheckCSRF refuses a request that changes something in the name of a session
// without proof that the session's own page made it. Bearer tokens need none:
// no browser sends them unasked.
func (s *Callers) CheckCSRF(r *http.Request, c session.Caller) error {
	if c.Token != "" || c.User == "" {
		return nil
	}
	return s.check(c.Session, r.Header.Get(csrfHeader))
}

// CheckForm is CheckCSRF for a form of a page, which carries the token in a
// field, and for strangers too: nobody is to be logged in by another site.
func (s *Callers) CheckForm(c session.Caller, token string) error { return s.check(c.Session, token) }

// FormToken returns the token for a form of a page.
func (s *Callers) FormToken(c session.Caller) string { return s.csrfToken(c.Session) }

func (s *Callers) check(sessionID, token string) error {
	if token == "" {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token missing.")
	}
	if sessionID == "" || subtle.ConstantTimeCompare([]byte(token), []byte(s.csrfToken(sessionID))) != 1 {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token incorrect.")
	}
	return nil
}
