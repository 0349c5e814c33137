package expr

import (
	"html"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Django's exceptions of look-ups, for a host that has some.
var (
	ObjectDoesNotExist      = newException("ObjectDoesNotExist", exceptionClass)
	MultipleObjectsReturned = newException("MultipleObjectsReturned", exceptionClass)
	FieldError              = newException("FieldError", exceptionClass)
)

// validationError is Django's: its text is the list of its messages.
var validationError = &Class{name: "ValidationError", base: exceptionClass, str: validationText}

func makeValidationError(c *Call) (Value, error) {
	a, err := c.Bind("message", "code?", "params?")
	if err != nil {
		return nil, err
	}
	if a[1] == nil {
		a[1] = None
	}
	messages, ok := a[0].(*List)
	if !ok {
		messages = NewList(a[0])
	}
	return &exception{class: validationError, args: Tuple{a[0]}, attrs: map[string]Value{
		"message": a[0], "messages": messages, "code": a[1],
	}}, nil
}

func validationText(r *run, e *exception) (string, error) {
	if messages, ok := e.attrs["messages"]; ok {
		return r.repr(messages)
	}
	return r.repr(&List{e.args})
}

// invalid makes the error of a validator.
func invalid(message, code string) error {
	text := Str(message)
	return &Error{Kind: "ValidationError", Message: "['" + message + "']", exception: &exception{
		class: validationError, args: Tuple{text},
		attrs: map[string]Value{"message": text, "messages": NewList(text), "code": Str(code)},
	}}
}

var gettext = Builtin("gettext", func(c *Call) (Value, error) {
	a, err := c.Bind("message")
	if err != nil {
		return nil, err
	}
	return a[0], nil
})

var ngettext = Builtin("ngettext", func(c *Call) (Value, error) {
	a, err := c.Bind("singular", "plural", "number")
	if err != nil {
		return nil, err
	}
	if a[2] == Int(1) {
		return a[0], nil
	}
	return a[1], nil
})

var escapeFunction = Builtin("escape", func(c *Call) (Value, error) {
	a, err := c.Bind("text")
	if err != nil {
		return nil, err
	}
	s, err := c.r.str(a[0])
	if err != nil {
		return nil, err
	}
	if err := c.r.work(len(s)); err != nil {
		return nil, err
	}
	if err := c.r.grow(len(s)); err != nil {
		return nil, err
	}
	return c.r.text(strings.NewReplacer("&#39;", "&#x27;", "&#34;", "&quot;").Replace(html.EscapeString(s)))
})

// urlValidatorClass is URLValidator: its instances are called with a text.
var urlValidatorClass = &Class{name: "URLValidator", base: objectClass, make: makeURLValidator}

func makeURLValidator(c *Call) (Value, error) {
	a, err := c.Bind("schemes?")
	if err != nil {
		return nil, err
	}
	schemes := []string{"http", "https", "ftp", "ftps"}
	if a[0] != nil && a[0] != None {
		items, err := c.r.collect(a[0])
		if err != nil {
			return nil, err
		}
		schemes = schemes[:0]
		for _, item := range items {
			s, err := asText(item)
			if err != nil {
				return nil, err
			}
			schemes = append(schemes, s)
		}
	}
	return Builtin("URLValidator", func(c *Call) (Value, error) {
		a, err := c.Bind("value")
		if err != nil {
			return nil, err
		}
		s, ok := a[0].(Str)
		if !ok || !validURL(string(s), schemes) {
			return nil, invalid("Enter a valid URL.", "invalid")
		}
		return None, c.r.work(len(s))
	}), nil
}

// validURL reports whether s is a URL of one of the schemes, with a host.
func validURL(s string, schemes []string) bool {
	if len(s) > 2048 || strings.ContainsAny(s, "\t\r\n ") {
		return false
	}
	scheme, _, ok := strings.Cut(s, "://")
	found := false
	for _, known := range schemes {
		found = found || strings.EqualFold(scheme, known)
	}
	u, err := url.Parse(s)
	if !ok || !found || err != nil {
		return false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n > 65535 || len(port) > 5 {
			return false
		}
	}
	return validHost(u.Hostname(), strings.Contains(u.Host, "["))
}

func validHost(host string, brackets bool) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Is6() == brackets
	}
	if host == "localhost" {
		return true
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || len(host) > 253 || len(last) < 2 || strings.Trim(last, "0123456789") == "" {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if c < 0x80 && c != '-' && !('a' <= c|0x20 && c|0x20 <= 'z') && !('0' <= c && c <= '9') {
				return false
			}
		}
	}
	return true
}

func validateEmail(c *Call) (Value, error) {
	a, err := c.Bind("value")
	if err != nil {
		return nil, err
	}
	s, _ := a[0].(Str)
	at := strings.LastIndexByte(string(s), '@')
	if at < 1 || len(s) > 320 || strings.ContainsAny(string(s[:at]), " \t\r\n\"(),:;<>@[\\]") || !validHost(string(s[at+1:]), false) {
		return nil, invalid("Enter a valid email address.", "invalid")
	}
	return None, nil
}
