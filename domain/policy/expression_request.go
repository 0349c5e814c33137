package policy

import (
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
)

// httpRequest is the client's request as expressions see it.
type httpRequest struct {
	HTTP
	e *evaluation
}

// Type implements [expr.Value].
func (*httpRequest) Type() string { return "HttpRequest" }

// Attr implements [expr.Attrs].
func (h *httpRequest) Attr(name string) (expr.Value, bool) {
	switch name {
	case "path":
		return expr.Str(h.Path), true
	case "method":
		return expr.Str(h.Method), true
	case "user":
		return &person{Person: h.User, e: h.e}, true
	case "GET":
		return h.query(), true
	case "POST", "COOKIES":
		return expr.NewDict(), true // what was typed is in prompt_data, and cookies are secrets
	case "META":
		return h.meta(), true
	case "headers":
		return h.headers(), true
	case "session":
		session := expr.NewDict()
		session.Set("authentik/flows/get", h.query())
		return session, true
	case "brand":
		return attributes{"Brand", map[string]expr.Value{"domain": expr.Str("authentik-default")}}, true
	case "build_absolute_uri":
		return expr.Builtin(name, h.absolute), true
	}
	return nil, false
}

// query is the page's query; of several values the last one counts.
func (h *httpRequest) query() *expr.Dict {
	d := expr.NewDict()
	for name, values := range h.Query {
		if len(values) > 0 {
			d.Set(name, expr.Str(values[len(values)-1]))
		}
	}
	return d
}

func (h *httpRequest) meta() *expr.Dict {
	d := expr.NewDict()
	d.Set("REMOTE_ADDR", expr.Str(h.Caller.Network.IP))
	d.Set("HTTP_USER_AGENT", expr.Str(h.Caller.Network.UserAgent))
	d.Set("HTTP_ACCEPT_LANGUAGE", expr.Str(h.Caller.Network.AcceptLanguage))
	d.Set("HTTP_X_FORWARDED_FOR", expr.Str(strings.Join(h.Caller.Network.Forwarded, ", ")))
	d.Set("REQUEST_METHOD", expr.Str(h.Method))
	return d
}

func (h *httpRequest) headers() *expr.Dict {
	d := expr.NewDict()
	d.Set("User-Agent", expr.Str(h.Caller.Network.UserAgent))
	d.Set("Accept-Language", expr.Str(h.Caller.Network.AcceptLanguage))
	return d
}

func (h *httpRequest) absolute(c *expr.Call) (expr.Value, error) {
	args, err := c.Bind("location?")
	if err != nil {
		return nil, err
	}
	location := h.Path
	if args[0] != nil && args[0] != expr.None {
		location = text(args[0])
	}
	if strings.Contains(location, "://") {
		return expr.Str(location), nil
	}
	return expr.Str(h.Caller.BaseURL + "/" + strings.TrimPrefix(location, "/")), nil
}
