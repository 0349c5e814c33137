package caller

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"

	"github.com/google/uuid"

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
		Name: csrfCookie, Value: s.csrfToken(sessionID), Path: "/", Secure: s.Network.Secure(r), SameSite: http.SameSiteLaxMode,
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

// Token returns the token for the forms of a page: the one that this answer
// sets, or that the browser has; for a browser that has none, a new one.
func (s *Callers) Token(w http.ResponseWriter, r *http.Request) string {
	set := http.Response{Header: w.Header()}
	for _, cookie := range set.Cookies() {
		if cookie.Name == csrfCookie {
			return cookie.Value
		}
	}
	if cookie, err := r.Cookie(csrfCookie); err == nil && cookie.Value != "" && len(cookie.Value) <= 100 {
		return cookie.Value
	}
	stranger := uuid.NewString()
	s.setCSRF(w, r, stranger)
	return s.csrfToken(stranger)
}

// Check refuses a form whose token is not that of the browser's cookie: the
// page that sent it is not ours. It holds for strangers too, so that nobody is
// logged in by another site.
func (s *Callers) Check(r *http.Request, token string) error {
	cookie, err := r.Cookie(csrfCookie)
	if token == "" || err != nil {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token missing.")
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(cookie.Value)) != 1 {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token incorrect.")
	}
	return nil
}

func (s *Callers) check(sessionID, token string) error {
	if token == "" {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token missing.")
	}
	if sessionID == "" || subtle.ConstantTimeCompare([]byte(token), []byte(s.csrfToken(sessionID))) != 1 {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token incorrect.")
	}
	return nil
}
