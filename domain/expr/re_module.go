package expr

import (
	"strings"
)

var reModule = map[string]Value{
	"compile":   Builtin("compile", func(c *Call) (Value, error) { x, _, err := c.pattern("flags?"); return x, err }),
	"search":    patternFunction("search"),
	"match":     patternFunction("match"),
	"fullmatch": patternFunction("fullmatch"),
	"findall":   patternFunction("findall"),
	"finditer":  patternFunction("finditer"),
	"split":     patternFunction("split"),
	"sub":       patternFunction("sub"),
	"subn":      patternFunction("subn"),
	"escape":    Builtin("escape", reEscape),
	"error":     regexError,
	"Pattern":   patternClass,
	"Match":     matchClass,

	"I": Int(flagIgnoreCase), "IGNORECASE": Int(flagIgnoreCase),
	"M": Int(flagMultiline), "MULTILINE": Int(flagMultiline),
	"S": Int(flagDotAll), "DOTALL": Int(flagDotAll),
	"X": Int(flagVerbose), "VERBOSE": Int(flagVerbose),
	"A": Int(flagASCII), "ASCII": Int(flagASCII),
	"U": Int(32), "UNICODE": Int(32),
}

var patternClass = &Class{name: "Pattern", base: objectClass, methods: patternMethods, fields: map[string]field{
	"pattern":    func(self Value) Value { return Str(self.(*regex).source) },
	"flags":      func(self Value) Value { return Int(self.(*regex).flags | 32) },
	"groups":     func(self Value) Value { return Int(len(self.(*regex).groups) - 1) },
	"groupindex": func(self Value) Value { return groupIndex(self.(*regex)) },
}}

func groupIndex(x *regex) Value {
	d := NewDict()
	for i, name := range x.groups {
		if name != "" {
			d.Set(name, Int(i))
		}
	}
	return d
}

// patternMethods take the text first; the functions of the module take the
// pattern before it.
var patternMethods = map[string]method{
	"search":    patternFind("search"),
	"match":     patternFind("match"),
	"fullmatch": patternFind("fullmatch"),
	"findall":   patternFindAll,
	"finditer":  patternFindIter,
	"split":     patternSplit,
	"sub":       func(c *Call, self Value) (Value, error) { s, _, err := patternSub(c, self); return s, err },
	"subn": func(c *Call, self Value) (Value, error) {
		s, n, err := patternSub(c, self)
		return Tuple{s, Int(n)}, err
	},
}

// pattern takes the pattern, and flags given by keyword, off the arguments.
func (c *Call) pattern(flags string) (*regex, []Value, error) {
	if len(c.Args) == 0 {
		return nil, nil, typeError.errorf("%s() missing 1 required positional argument: 'pattern'", c.Name)
	}
	given := 0
	var named []Named
	for _, n := range c.Named {
		if n.Name != "flags" {
			named = append(named, n)
			continue
		}
		var err error
		if given, err = asInt(n.Value); err != nil {
			return nil, nil, err
		}
	}
	c.Named = named
	rest := c.Args[1:]
	if flags != "" && len(rest) > 0 {
		var err error
		if given, err = asInt(rest[len(rest)-1]); err != nil {
			return nil, nil, err
		}
		rest = rest[:len(rest)-1]
	}
	if x, ok := c.Args[0].(*regex); ok {
		return x, rest, nil
	}
	source, ok := c.Args[0].(Str)
	if !ok {
		return nil, nil, typeError.errorf("first argument must be string or compiled pattern")
	}
	x, err := c.r.regex(string(source), given)
	return x, rest, err
}

// positional is how many arguments a function has before its flags.
var positional = map[string]int{"search": 2, "match": 2, "fullmatch": 2, "findall": 2, "finditer": 2, "split": 3, "sub": 4, "subn": 4}

func patternFunction(name string) Value {
	return Builtin(name, func(c *Call) (Value, error) {
		flags := ""
		if len(c.Args) > positional[name] {
			flags = "flags?"
		}
		x, rest, err := c.pattern(flags)
		if err != nil {
			return nil, err
		}
		return patternMethods[name](&Call{name, rest, c.Named, c.r}, x)
	})
}

// text reads an argument that is searched.
func searched(v Value) (string, error) {
	s, ok := v.(Str)
	if !ok {
		return "", typeError.errorf("expected string or bytes-like object, got '%s'", v.Type())
	}
	return string(s), nil
}

func patternFind(where string) method {
	return func(c *Call, self Value) (Value, error) {
		a, err := c.Bind("string")
		if err != nil {
			return nil, err
		}
		s, err := searched(a[0])
		if err != nil {
			return nil, err
		}
		m, err := c.r.find(self.(*regex), where, s)
		if m == nil || err != nil {
			return None, err
		}
		return m, nil
	}
}

// matches returns every match in the only argument.
func (c *Call) matches(x *regex) ([]Value, error) {
	a, err := c.Bind("string")
	if err != nil {
		return nil, err
	}
	s, err := searched(a[0])
	if err != nil {
		return nil, err
	}
	found, err := c.r.findAll(x, s, -1)
	if err != nil {
		return nil, err
	}
	out := make([]Value, len(found))
	for i, at := range found {
		out[i] = &match{x, s, at}
	}
	return out, c.r.work(len(out))
}

func patternFindIter(c *Call, self Value) (Value, error) {
	found, err := c.matches(self.(*regex))
	return &iterator{"callable_iterator", c.r.over(found)}, err
}

func patternFindAll(c *Call, self Value) (Value, error) {
	found, err := c.matches(self.(*regex))
	for i, v := range found {
		switch groups := v.(*match).groups(Str("")); len(groups) {
		case 0:
			found[i] = v.(*match).group(0)
		case 1:
			found[i] = groups[0]
		default:
			found[i] = groups
		}
	}
	return &List{found}, err
}

func patternSplit(c *Call, self Value) (Value, error) {
	a, err := c.Bind("string", "maxsplit?")
	if err != nil {
		return nil, err
	}
	s, err := searched(a[0])
	if err != nil {
		return nil, err
	}
	limit := -1
	if a[1] != nil && a[1] != Int(0) {
		if limit, err = asInt(a[1]); err != nil {
			return nil, err
		}
	}
	x := self.(*regex)
	found, err := c.r.findAll(x, s, limit)
	if err != nil {
		return nil, err
	}
	var out []Value
	from := 0
	for _, at := range found {
		out = append(out, Str(s[from:at[0]]))
		out = append(out, (&match{x, s, at}).groups(nil)...)
		from = at[1]
	}
	return c.r.list(append(out, Str(s[from:])))
}

func patternSub(c *Call, self Value) (Value, int, error) {
	a, err := c.Bind("repl", "string", "count?")
	if err != nil {
		return nil, 0, err
	}
	s, err := searched(a[1])
	if err != nil {
		return nil, 0, err
	}
	limit := -1
	if a[2] != nil && a[2] != Int(0) {
		if limit, err = asInt(a[2]); err != nil {
			return nil, 0, err
		}
	}
	out, n, err := c.substitute(self.(*regex), a[0], s, limit)
	return Str(out), n, err
}

// substitute replaces matches by what a template or a function makes of them.
func (c *Call) substitute(x *regex, with Value, s string, limit int) (string, int, error) {
	found, err := c.r.findAll(x, s, limit)
	if err != nil {
		return "", 0, err
	}
	var b strings.Builder
	from := 0
	for _, at := range found {
		m := &match{x, s, at}
		b.WriteString(s[from:at[0]])
		from = at[1]
		text := ""
		if template, ok := with.(Str); ok {
			text, err = c.r.expand(m, string(template))
		} else {
			var v Value
			if v, err = c.Call(with, m); err == nil {
				text, err = asText(v)
			}
		}
		if err != nil {
			return "", 0, err
		}
		b.WriteString(text)
		if err := c.r.grow(len(text)); err != nil {
			return "", 0, err
		}
	}
	b.WriteString(s[from:])
	return b.String(), len(found), c.r.grow(b.Len())
}

func reEscape(c *Call) (Value, error) {
	a, err := c.Bind("pattern")
	if err != nil {
		return nil, err
	}
	s, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	if err := c.r.grow(2 * len(s)); err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, letter := range s {
		if strings.ContainsRune("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", letter) {
			b.WriteByte('\\')
		}
		b.WriteRune(letter)
	}
	return Str(b.String()), c.r.work(len(s))
}
