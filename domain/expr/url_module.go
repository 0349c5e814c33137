package expr

import (
	"net/url"
	"strconv"
	"strings"
)

var urlModule = map[string]Value{
	"urlparse":     Builtin("urlparse", func(c *Call) (Value, error) { return urlParse(c, "ParseResult") }),
	"urlsplit":     Builtin("urlsplit", func(c *Call) (Value, error) { return urlParse(c, "SplitResult") }),
	"urlunparse":   Builtin("urlunparse", urlUnparse),
	"urlunsplit":   Builtin("urlunsplit", urlUnparse),
	"urljoin":      Builtin("urljoin", urlJoin),
	"urlencode":    Builtin("urlencode", urlEncode),
	"quote":        Builtin("quote", func(c *Call) (Value, error) { return urlQuote(c, "/", false) }),
	"quote_plus":   Builtin("quote_plus", func(c *Call) (Value, error) { return urlQuote(c, "", true) }),
	"unquote":      Builtin("unquote", func(c *Call) (Value, error) { return urlUnquote(c, false) }),
	"unquote_plus": Builtin("unquote_plus", func(c *Call) (Value, error) { return urlUnquote(c, true) }),
	"parse_qs":     Builtin("parse_qs", urlParseQS),
	"parse_qsl":    Builtin("parse_qsl", urlParseQSL),
}

// urlResult is what urlparse returns: a tuple whose parts have names.
type urlResult struct {
	name   string
	fields []string
	parts  Tuple
}

// Type implements [Value].
func (u *urlResult) Type() string { return u.name }

var urlResultClass = &Class{name: "ParseResult", base: objectClass, methods: map[string]method{
	"geturl": func(_ *Call, self Value) (Value, error) { return Str(unsplit(self.(*urlResult).parts)), nil },
	"_replace": func(c *Call, self Value) (Value, error) {
		u := self.(*urlResult)
		out := &urlResult{u.name, u.fields, append(Tuple{}, u.parts...)}
		for _, n := range c.Named {
			for i, field := range u.fields {
				if field == n.Name {
					out.parts[i] = n.Value
				}
			}
		}
		return out, nil
	},
}}

func (*urlResult) classOf() *Class { return urlResultClass }

// Items implements [Iterable].
func (u *urlResult) Items() []Value { return u.parts }

// Len implements [Lengther].
func (u *urlResult) Len() int { return len(u.parts) }

// Index implements [Indexer].
func (u *urlResult) Index(key Value) (Value, bool, error) {
	i, err := position("tuple", key, len(u.parts))
	if err != nil {
		return nil, false, err
	}
	return u.parts[i], true, nil
}

// Attr implements [Attrs].
func (u *urlResult) Attr(name string) (Value, bool) {
	for i, field := range u.fields {
		if field == name {
			return u.parts[i], true
		}
	}
	netloc, _ := u.parts[1].(Str)
	userinfo, host := "", string(netloc)
	at := strings.LastIndexByte(host, '@')
	if at >= 0 {
		userinfo, host = host[:at], host[at+1:]
	}
	user, password, hasPassword := strings.Cut(userinfo, ":")
	optional := func(s string, ok bool) (Value, bool) {
		if !ok {
			return None, true
		}
		return Str(s), true
	}
	name4, port := splitPort(host)
	switch name {
	case "hostname":
		return optional(strings.ToLower(name4), name4 != "")
	case "port":
		n, err := strconv.Atoi(port)
		if err != nil {
			return None, true
		}
		return Int(n), true
	case "username":
		return optional(user, at >= 0)
	case "password":
		return optional(password, hasPassword)
	}
	return nil, false
}

func splitPort(host string) (name, port string) {
	if strings.HasPrefix(host, "[") {
		name, port, _ = strings.Cut(host[1:], "]")
		return name, strings.TrimPrefix(port, ":")
	}
	name, port, _ = strings.Cut(host, ":")
	return name, port
}

func urlParse(c *Call, name string) (Value, error) {
	a, err := c.Bind("url", "scheme?")
	if err != nil {
		return nil, err
	}
	s, ok := a[0].(Str)
	if !ok {
		return nil, typeError.errorf("the URL must be a text, not %s", a[0].Type())
	}
	if err := c.r.work(len(s)); err != nil {
		return nil, err
	}
	scheme, netloc, path, query, fragment := splitURL(strings.TrimSpace(string(s)))
	if given, ok := a[1].(Str); ok && scheme == "" {
		scheme = string(given)
	}
	if name == "SplitResult" {
		return &urlResult{name, []string{"scheme", "netloc", "path", "query", "fragment"},
			Tuple{Str(scheme), Str(netloc), Str(path), Str(query), Str(fragment)}}, c.r.grow(200)
	}
	last := strings.LastIndexByte(path, '/') + 1
	file, params, _ := strings.Cut(path[last:], ";")
	return &urlResult{name, []string{"scheme", "netloc", "path", "params", "query", "fragment"},
		Tuple{Str(scheme), Str(netloc), Str(path[:last] + file), Str(params), Str(query), Str(fragment)}}, c.r.grow(200)
}

// splitURL cuts scheme://netloc/path?query#fragment.
func splitURL(s string) (scheme, netloc, path, query, fragment string) {
	if i := strings.IndexByte(s, ':'); i > 0 && strings.Trim(strings.ToLower(s[:i]), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == "" && s[0]|0x20 >= 'a' {
		scheme, s = strings.ToLower(s[:i]), s[i+1:]
	}
	if strings.HasPrefix(s, "//") {
		s = s[2:]
		end := strings.IndexAny(s, "/?#")
		if end < 0 {
			end = len(s)
		}
		netloc, s = s[:end], s[end:]
	}
	s, fragment, _ = strings.Cut(s, "#")
	path, query, _ = strings.Cut(s, "?")
	return scheme, netloc, path, query, fragment
}

// unsplit is the opposite of splitURL, of five or six parts.
func unsplit(parts Tuple) string {
	text := make([]string, len(parts))
	for i, p := range parts {
		s, _ := p.(Str)
		text[i] = string(s)
	}
	path, rest := text[2], text[3:]
	if len(parts) == 6 {
		if text[3] != "" {
			path += ";" + text[3]
		}
		rest = text[4:]
	}
	if text[1] != "" {
		if path != "" && path[0] != '/' {
			path = "/" + path
		}
		path = "//" + text[1] + path
	}
	if text[0] != "" {
		path = text[0] + ":" + path
	}
	if rest[0] != "" {
		path += "?" + rest[0]
	}
	if rest[1] != "" {
		path += "#" + rest[1]
	}
	return path
}

func urlUnparse(c *Call) (Value, error) {
	a, err := c.Bind("components")
	if err != nil {
		return nil, err
	}
	parts, err := c.r.collect(a[0])
	if err != nil {
		return nil, err
	}
	if want := map[string]int{"urlunparse": 6, "urlunsplit": 5}[c.Name]; len(parts) != want {
		return nil, valueError.errorf("not enough values to unpack (expected %d, got %d)", want, len(parts))
	}
	return c.r.text(unsplit(parts))
}

func urlJoin(c *Call) (Value, error) {
	a, err := c.Bind("base", "url")
	if err != nil {
		return nil, err
	}
	var parts [2]*url.URL
	for i, v := range a {
		s, err := asText(v)
		if err != nil {
			return nil, err
		}
		if err := c.r.work(8 * len(s)); err != nil {
			return nil, err
		}
		if parts[i], err = url.Parse(s); err != nil {
			return nil, valueError.errorf("invalid URL %s", quoted(s))
		}
	}
	return c.r.text(parts[0].ResolveReference(parts[1]).String())
}
