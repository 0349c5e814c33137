package policy

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
	"github.com/flowledger/flowledger/domain/object"
)

// httpRequest is the client's request as expressions see it.
type httpRequest struct {
	*HTTP
	e     *evaluation
	parts map[string]expr.Value // that were asked for
}

// Type implements [expr.Value].
func (*httpRequest) Type() string { return "HttpRequest" }

// Text implements [expr.Texter].
func (h *httpRequest) Text() string { return "<HttpRequest: " + h.Method + " '" + h.Path + "'>" }

// Attr implements [expr.Attrs].
func (h *httpRequest) Attr(name string) (expr.Value, bool) {
	switch name {
	case "path", "path_info":
		return expr.Str(h.Path), true
	case "method":
		return expr.Str(h.Method), true
	case "scheme":
		return expr.Str(h.base().Scheme), true
	case "user":
		return &person{Person: h.User, e: h.e}, true
	case "brand":
		return brandOf(h.Brand), true
	}
	if make, ok := requestParts[name]; ok {
		if h.parts[name] == nil {
			h.parts[name] = make(h)
		}
		return h.parts[name], true
	}
	method, ok := requestMethods[name]
	if !ok {
		return nil, false
	}
	return expr.Builtin(name, func(c *expr.Call) (expr.Value, error) { return method(h, c) }), true
}

// requestParts are what a request has that is made when it is asked for, once.
var requestParts = map[string]func(h *httpRequest) expr.Value{
	"GET":     func(h *httpRequest) expr.Value { return h.query() },
	"META":    func(h *httpRequest) expr.Value { return h.meta() },
	"headers": func(h *httpRequest) expr.Value { return h.headers() },
	"session": func(h *httpRequest) expr.Value { return h.session() },
	// What was typed is in prompt_data, and cookies are secrets.
	"POST":    func(*httpRequest) expr.Value { return newMapping("QueryDict", false, true) },
	"COOKIES": func(*httpRequest) expr.Value { return newMapping("QueryDict", false, true) },
}

// requestMethods are what can be called of a request.
var requestMethods = map[string]func(h *httpRequest, c *expr.Call) (expr.Value, error){
	"build_absolute_uri": (*httpRequest).absolute,
	"is_secure": func(h *httpRequest, c *expr.Call) (expr.Value, error) {
		return expr.Bool(h.base().Scheme == "https"), bare(c)
	},
	"get_host": func(h *httpRequest, c *expr.Call) (expr.Value, error) { return expr.Str(h.base().Host), bare(c) },
	"get_port": func(h *httpRequest, c *expr.Call) (expr.Value, error) { return expr.Str(h.port()), bare(c) },
	"get_full_path": func(h *httpRequest, c *expr.Call) (expr.Value, error) {
		args, err := c.Bind("force_append_slash?")
		path := h.Path
		if args != nil && args[0] != nil && expr.Truth(args[0]) && !strings.HasSuffix(path, "/") {
			path += "/"
		}
		if query := h.Query.Encode(); query != "" {
			path += "?" + query
		}
		return expr.Str(path), err
	},
}

// base is the address under which the client sees the server.
func (h *httpRequest) base() *url.URL {
	u, err := url.Parse(h.Caller.BaseURL)
	if err != nil {
		return &url.URL{}
	}
	return u
}

func (h *httpRequest) port() string {
	base := h.base()
	switch {
	case base.Port() != "":
		return base.Port()
	case base.Scheme == "https":
		return "443"
	}
	return "80"
}

// query is the page's query; of several values the last one counts.
func (h *httpRequest) query() *mapping {
	m := newMapping("QueryDict", false, true)
	for _, name := range slices.Sorted(maps.Keys(h.Query)) {
		for _, v := range h.Query[name] {
			m.put(name, expr.FromGo(v))
		}
	}
	return m
}

// session is what expressions read of it: the plan, and the query that the
// flow was entered with.
func (h *httpRequest) session() *mapping {
	m := newMapping("SessionStore", false, false)
	m.put(sessionGet, h.query())
	if h.e.q.Plan != nil {
		m.put(sessionPlan, &flowPlan{e: h.e})
	}
	return m
}

// The keys of the session.
const (
	sessionGet  = "authentik/flows/get"
	sessionPlan = "authentik/flows/plan"
)

func (h *httpRequest) meta() *mapping {
	n := h.Caller.Network
	m := newMapping("dict", false, false)
	for _, pair := range [][2]string{
		{"REMOTE_ADDR", n.IP}, {"HTTP_USER_AGENT", n.UserAgent}, {"HTTP_ACCEPT_LANGUAGE", n.AcceptLanguage},
		{"HTTP_X_FORWARDED_FOR", strings.Join(n.Forwarded, ", ")}, {"REQUEST_METHOD", h.Method}, {"PATH_INFO", h.Path},
		{"QUERY_STRING", h.Query.Encode()}, {"HTTP_HOST", h.base().Host}, {"SERVER_NAME", h.base().Hostname()}, {"SERVER_PORT", h.port()},
	} {
		m.put(pair[0], expr.FromGo(pair[1]))
	}
	return m
}

func (h *httpRequest) headers() *mapping {
	n := h.Caller.Network
	m := newMapping("HttpHeaders", true, false)
	m.put("Host", expr.FromGo(h.base().Host))
	for _, pair := range [][2]string{
		{"User-Agent", n.UserAgent}, {"Accept-Language", n.AcceptLanguage}, {"X-Forwarded-For", strings.Join(n.Forwarded, ", ")},
	} {
		if pair[1] != "" {
			m.put(pair[0], expr.FromGo(pair[1]))
		}
	}
	return m
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

// brand is a brand as expressions see one.
type brand struct{ object.Brand }

// Type implements [expr.Value].
func (brand) Type() string { return "Brand" }

// Text implements [expr.Texter].
func (b brand) Text() string { return b.Domain }

// brandOf is the brand that is in force; without any, what the contract falls
// back to.
func brandOf(b object.Brand) brand {
	if b.Domain == "" {
		b.Domain = "fallback"
	}
	return brand{b}
}

// Attr implements [expr.Attrs].
func (b brand) Attr(name string) (expr.Value, bool) {
	switch name {
	case "attributes":
		return fromPlain(anyMap(b.Attributes)), true
	case "default":
		return expr.Bool(b.Default), true
	}
	for field, v := range map[string]string{
		"domain": b.Domain, "branding_title": b.Title, "branding_logo": b.Logo, "branding_favicon": b.Favicon,
		"branding_custom_css": b.CustomCSS, "branding_default_flow_background": b.Background,
	} {
		if name == field {
			return expr.FromGo(v), true
		}
	}
	return nil, false
}
