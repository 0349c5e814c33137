package web

import (
	"net/http"

	"github.com/flowledger/flowledger/domain/session"
)

// What the pages of other packages have in common with these.

// Asset returns the address of an asset of ours.
func Asset(name string) string { return assetPath(name) }

// SignedIn tells whether c is somebody in a browser.
func SignedIn(c *session.Caller) bool { return signedIn(c) }

// LoginFor returns the address of the login that comes back to next, which is
// a path of ours.
func LoginFor(next string) string { return loginFor(next) }

// Logout is where people log out.
const Logout = logoutPage

// AccountPage is where people see what is known of themselves.
const AccountPage = userPage

// Failed returns the status and the title of the page that shows err, and a
// sentence for it. ours tells whether the fault is ours and belongs into the
// log.
func Failed(err error) (status int, title, sentence string, ours bool) {
	f, sentence, known := failureOf(err)
	return f.status, f.title, sentence, !known
}

// Secure sets the headers that every page has. A page that runs scripts of
// ours may let them ask this site.
func Secure(h http.Header, asks bool) {
	secure(h)
	if asks {
		h.Set("Content-Security-Policy", contentPolicy+"; connect-src 'self'")
	}
}
