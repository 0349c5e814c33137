package outside

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/policy"
)

// Limits of what expressions may send.
const (
	maxURL     = 8 << 10
	maxBody    = 256 << 10
	maxHeaders = 64
	maxHeader  = 16 << 10 // all names and values together
)

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// reserved are the headers that are about the connection, which is not the
// expressions'. With them one request could be made to look like two.
var reserved = []string{
	"Connection", "Expect", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// checked judges a request as far as it can be judged without asking anybody.
func checked(q policy.Fetch) (*url.URL, error) {
	if !slices.Contains(methods, strings.ToUpper(q.Method)) {
		return nil, refused("Requests of expressions have one of the methods %s.", strings.Join(methods, ", "))
	}
	if len(q.URL) > maxURL {
		return nil, refused("The URL is longer than %d bytes.", maxURL)
	}
	to, err := url.Parse(q.URL)
	if err != nil {
		return nil, refused("The URL is malformed.")
	}
	if err := reachable(to); err != nil {
		return nil, err
	}
	if len(q.Body) > maxBody {
		return nil, refused("The body is larger than %d bytes.", maxBody)
	}
	if len(q.Header) > maxHeaders {
		return nil, refused("There are more than %d headers.", maxHeaders)
	}
	size := 0
	for name, value := range q.Header {
		size += len(name) + len(value)
		if !token(name) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, refused("A header has a name or a value that cannot be sent.")
		}
		if slices.Contains(reserved, http.CanonicalHeaderKey(name)) {
			return nil, refused("The header %s is not for expressions to set.", http.CanonicalHeaderKey(name))
		}
	}
	if size > maxHeader {
		return nil, refused("The headers are larger than %d bytes.", maxHeader)
	}
	return to, nil
}

// reachable judges a URL, be it an expression's or of a redirection.
func reachable(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refused("The URL must begin with http:// or https://.")
	case u.Hostname() == "" || u.Opaque != "" || len(u.Hostname()) > maxHost:
		return refused("The URL names no host.")
	case u.User != nil:
		return refused("The URL has credentials: send them in a header.")
	}
	return nil
}

// token tells what can be the name of a header (RFC 9110, 5.6.2).
func token(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
