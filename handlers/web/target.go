package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/flowledger/flowledger/domain/session"
)

// maxTarget limits how long a target may be that a visitor names.
const maxTarget = 2048

// local tells whether target is a path on this site. Browsers read "//host"
// and "/\host" as other hosts, and drop tabs and newlines before they look, so
// one leading slash and nothing of the kind is the rule.
func local(target string) bool {
	if len(target) > maxTarget || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		return false
	}
	if strings.ContainsRune(target, '\\') || strings.ContainsFunc(target, unicode.IsControl) {
		return false
	}
	u, err := url.Parse(target)
	return err == nil && u.Scheme == "" && u.Host == ""
}

// foreign tells whether target, named by the engine, is a whole address on
// another site than the one that c sees.
func foreign(target string, c session.Caller) bool {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return false
	}
	return c.BaseURL == "" || u.Scheme+"://"+u.Host != c.BaseURL
}

// seeOther sends the browser on to a page of ours, with GET.
func seeOther(w http.ResponseWriter, r *http.Request, target string) error {
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// withQuery appends the query string of r to path.
func withQuery(path string, r *http.Request) string {
	if r.URL.RawQuery == "" {
		return path
	}
	return path + "?" + r.URL.RawQuery
}
