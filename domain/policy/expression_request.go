package policy

import (
	"context"
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

// addresses are ip_address and ip_network of the language's own module, which
// expressions find without an import.
var addresses = map[string]*expr.Program{}

func init() {
	for _, name := range []string{"ip_address", "ip_network"} {
		p, err := expr.Compile("import ipaddress\nreturn ipaddress." + name)
		if err != nil {
			panic("policy: " + err.Error())
		}
		addresses[name] = p
	}
	p, err := expr.Compile("import ipaddress\nreturn ipaddress.ip_address(text)")
	if err != nil {
		panic("policy: " + err.Error())
	}
	addresses["of"] = p
}

// clientIP is the client's address as an address object; nil for a text that
// is none.
func clientIP(ctx context.Context, ip string) expr.Value {
	r, err := addresses["of"].Eval(ctx, expr.Env{Names: map[string]expr.Value{"text": expr.Str(ip)}})
	if err != nil {
		return nil
	}
	return r.Value
}
