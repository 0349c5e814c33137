package expr

import (
	"strconv"
	"strings"
)

func strFormat(c *Call, self Value) (Value, error) {
	t := &template{r: c.r, args: c.Args, named: func(name string) (Value, error) {
		for _, n := range c.Named {
			if n.Name == name {
				return n.Value, nil
			}
		}
		return nil, c.r.missing(Str(name))
	}}
	s, err := t.fill(string(self.(Str)), 0)
	return Str(s), err
}

func strFormatMap(c *Call, self Value) (Value, error) {
	a, err := c.Bind("mapping")
	if err != nil {
		return nil, err
	}
	t := &template{r: c.r, named: func(name string) (Value, error) { return c.r.index(a[0], Str(name)) }}
	s, err := t.fill(string(self.(Str)), 0)
	return Str(s), err
}

// A template is a text with {fields}, being filled.
type template struct {
	r      *run
	args   []Value
	named  func(name string) (Value, error)
	auto   int
	manual bool
}

// fill replaces the fields of s.
func (t *template) fill(s string, depth int) (string, error) {
	if depth > 1 {
		return "", valueError.errorf("Max string recursion exceeded")
	}
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		if i+1 < len(s) && s[i] == s[i+1] {
			b.WriteByte(s[i])
			s = s[i+2:]
			continue
		}
		if s[i] == '}' {
			return "", valueError.errorf("Single '}' encountered in format string")
		}
		field, rest, err := cutField(s[i+1:])
		if err != nil {
			return "", err
		}
		out, err := t.field(field, depth)
		if err != nil {
			return "", err
		}
		if err := t.r.grow(len(out)); err != nil {
			return "", err
		}
		b.WriteString(out)
		s = rest
	}
	return b.String(), t.r.grow(b.Len())
}

// cutField cuts a field off at its closing brace.
func cutField(s string) (field, rest string, err error) {
	depth := 1
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:], nil
			}
		}
	}
	if s == "" {
		return "", "", valueError.errorf("Single '{' encountered in format string")
	}
	return "", "", valueError.errorf("expected '}' before end of string")
}

// field is name[!conversion][:spec].
func (t *template) field(field string, depth int) (string, error) {
	if err := t.r.work(len(field)); err != nil {
		return "", err
	}
	name, spec, hasSpec := field, "", false
	conversion := byte(0)
	bracket := false
	for i := range len(field) {
		switch c := field[i]; {
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case (c == ':' || c == '!') && !bracket:
			name = field[:i]
			if c == ':' {
				spec, hasSpec = field[i+1:], true
			} else if conversion, spec, hasSpec = cutConversion(field[i+1:]); conversion == 0 {
				return "", valueError.errorf("Unknown conversion specifier in %q", field)
			}
		default:
			continue
		}
		if len(name) < len(field) {
			break
		}
	}
	v, err := t.value(name)
	if err != nil {
		return "", err
	}
	if v, err = t.r.converted(v, conversion); err != nil {
		return "", err
	}
	if hasSpec && strings.Contains(spec, "{") {
		if spec, err = t.fill(spec, depth+1); err != nil {
			return "", err
		}
	}
	return t.r.formatted(v, spec)
}

func cutConversion(s string) (conversion byte, spec string, hasSpec bool) {
	if s == "" || strings.IndexByte("rsa", s[0]) < 0 || len(s) > 1 && s[1] != ':' {
		return 0, "", false
	}
	if len(s) > 1 {
		return s[0], s[2:], true
	}
	return s[0], "", false
}

// value finds name, name.attribute or name[index].
func (t *template) value(name string) (Value, error) {
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	v, err := t.first(name[:end])
	for rest := name[end:]; rest != "" && err == nil; {
		if rest[0] == '.' {
			rest = rest[1:]
			stop := strings.IndexAny(rest, ".[")
			if stop < 0 {
				stop = len(rest)
			}
			if stop == 0 {
				return nil, valueError.errorf("Empty attribute in format string")
			}
			v, err = t.r.attribute(v, rest[:stop])
			rest = rest[stop:]
			continue
		}
		stop := strings.IndexByte(rest, ']')
		if rest[0] != '[' || stop < 0 {
			return nil, valueError.errorf("Missing ']' in format string")
		}
		v, err = t.r.index(v, indexOf(rest[1:stop]))
		rest = rest[stop+1:]
	}
	return v, err
}

// indexOf reads what stands in brackets: a number or a text.
func indexOf(s string) Value {
	if n, err := strconv.Atoi(s); err == nil && s[0] >= '0' && s[0] <= '9' {
		return Int(n)
	}
	return Str(s)
}

// first finds the argument that a field begins with.
func (t *template) first(name string) (Value, error) {
	i, err := strconv.Atoi(name)
	switch {
	case name == "":
		if t.manual {
			return nil, valueError.errorf("cannot switch from manual field specification to automatic field numbering")
		}
		i = t.auto
		t.auto++
	case err == nil:
		if t.auto > 0 {
			return nil, valueError.errorf("cannot switch from automatic field numbering to manual field specification")
		}
		t.manual = true
	default:
		return t.named(name)
	}
	if i < 0 || i >= len(t.args) {
		return nil, indexError.errorf("Replacement index %d out of range for positional args tuple", i)
	}
	return t.args[i], nil
}
