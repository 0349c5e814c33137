package expr

import (
	"strings"
	"unicode/utf8"
)

// match is one place where a regular expression matches: re.Match.
type match struct {
	x    *regex
	text string
	at   []int // offsets of bytes by group, from and to; -1 for none
}

// Attr implements [Attrs].
func (m *match) Attr(name string) (Value, bool) {
	last := 0 // of the groups that matched, the one that closed last
	for i := 1; i < len(m.at)/2; i++ {
		if m.at[2*i] >= 0 && (last == 0 || m.at[2*i+1] > m.at[2*last+1]) {
			last = i
		}
	}
	switch name {
	case "string":
		return Str(m.text), true
	case "re":
		return m.x, true
	case "lastindex":
		if last == 0 {
			return None, true
		}
		return Int(last), true
	case "lastgroup":
		if last == 0 || m.x.groups[last] == "" {
			return None, true
		}
		return Str(m.x.groups[last]), true
	}
	return nil, false
}

// Type implements [Value].
func (*match) Type() string { return "Match" }

func (*match) classOf() *Class { return matchClass }

func (m *match) repr() string { return "<re.Match object>" }

// group returns what group i matched; None if it took no part.
func (m *match) group(i int) Value {
	if m.at[2*i] < 0 {
		return None
	}
	return Str(m.text[m.at[2*i]:m.at[2*i+1]])
}

// Index implements [Indexer].
func (m *match) Index(key Value) (Value, bool, error) {
	i, err := m.number(key)
	if err != nil {
		return nil, false, err
	}
	return m.group(i), true, nil
}

// number resolves the number or the name of a group.
func (m *match) number(key Value) (int, error) {
	switch key := key.(type) {
	case Int:
		if key >= 0 && int(key) < len(m.at)/2 {
			return int(key), nil
		}
	case Str:
		for i, name := range m.x.groups {
			if name == string(key) && name != "" {
				return i, nil
			}
		}
	}
	return 0, indexError.errorf("no such group")
}

// find matches once; where is search, match or fullmatch.
func (r *run) find(x *regex, where, text string) (*match, error) {
	if err := r.scan(x, text); err != nil {
		return nil, err
	}
	groups, ok := x.allow(text)
	if !ok {
		return nil, nil
	}
	at := x.anchor[where].FindStringSubmatchIndex(text)
	if at == nil && x.isEnd && where != "fullmatch" && strings.HasSuffix(text, "\n") {
		at = x.anchor[where].FindStringSubmatchIndex(text[:len(text)-1])
	}
	if at == nil {
		return nil, nil
	}
	at = beside(groups, at)
	return &match{x, text, at}, r.grow(16*len(at) + 80)
}

// scan accounts for going through a text.
func (r *run) scan(x *regex, text string) error {
	return r.work((len(text) + 16) * min(x.size, 4096))
}

var matchClass = &Class{name: "Match", base: objectClass, methods: map[string]method{
	"group": func(c *Call, self Value) (Value, error) {
		m := self.(*match)
		if len(c.Args) == 0 {
			return m.group(0), nil
		}
		out := make(Tuple, len(c.Args))
		for i, key := range c.Args {
			n, err := m.number(key)
			if err != nil {
				return nil, err
			}
			out[i] = m.group(n)
		}
		if len(out) == 1 {
			return out[0], nil
		}
		return out, nil
	},
	"groups": func(c *Call, self Value) (Value, error) {
		a, err := c.Bind("default?")
		if err != nil {
			return nil, err
		}
		m := self.(*match)
		return m.groups(a[0]), c.r.grow(16 * len(m.at))
	},
	"groupdict": func(c *Call, self Value) (Value, error) {
		m := self.(*match)
		d := NewDict()
		for i, name := range m.x.groups {
			if name != "" {
				d.Set(name, m.group(i))
			}
		}
		return d, c.r.grow(96 * d.live)
	},
	"start": func(c *Call, self Value) (Value, error) {
		return matchSpan(c, self, func(from, _ Value) Value { return from })
	},
	"end": func(c *Call, self Value) (Value, error) {
		return matchSpan(c, self, func(_, to Value) Value { return to })
	},
	"span": func(c *Call, self Value) (Value, error) {
		return matchSpan(c, self, func(from, to Value) Value { return Tuple{from, to} })
	},
	"expand": func(c *Call, self Value) (Value, error) {
		a, err := c.Bind("template")
		if err != nil {
			return nil, err
		}
		s, err := asText(a[0])
		if err != nil {
			return nil, err
		}
		out, err := c.r.expand(self.(*match), s)
		return Str(out), err
	},
}, fields: map[string]field{
	"string": func(self Value) Value { return Str(self.(*match).text) },
	"re":     func(self Value) Value { return self.(*match).x },
}}

// groups returns all groups but the whole.
func (m *match) groups(otherwise Value) Tuple {
	out := make(Tuple, 0, len(m.at)/2)
	for i := 1; i < len(m.at)/2; i++ {
		v := m.group(i)
		if v == None && otherwise != nil {
			v = otherwise
		}
		out = append(out, v)
	}
	return out
}

func matchSpan(c *Call, self Value, pick func(from, to Value) Value) (Value, error) {
	a, err := c.Bind("group?")
	if err != nil {
		return nil, err
	}
	m := self.(*match)
	i := 0
	if a[0] != nil {
		if i, err = m.number(a[0]); err != nil {
			return nil, err
		}
	}
	place := func(at int) Value {
		if at < 0 {
			return Int(-1)
		}
		return Int(utf8.RuneCountInString(m.text[:at]))
	}
	return pick(place(m.at[2*i]), place(m.at[2*i+1])), c.r.work(len(m.text))
}

// expand fills the groups of m into a template: \1, \g<1> and \g<name>.
func (r *run) expand(m *match, template string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(template, `\`)
		b.WriteString(before)
		if !found {
			return b.String(), r.grow(b.Len())
		}
		if after == "" {
			return "", regexError.errorf("bad escape (end of pattern)")
		}
		text, rest, err := m.escape(after)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		if err := r.grow(len(text)); err != nil {
			return "", err
		}
		template = rest
	}
}

// escape reads one escape of a template.
func (m *match) escape(s string) (text, rest string, err error) {
	key := Value(nil)
	switch c := s[0]; {
	case c >= '0' && c <= '9':
		n := 1
		if c != '0' && len(s) > 1 && s[1] >= '0' && s[1] <= '9' {
			n = 2
		}
		key, rest = indexOf(s[:n]), s[n:]
	case strings.HasPrefix(s, "g<"):
		name, after, ok := strings.Cut(s[2:], ">")
		if !ok {
			return "", "", regexError.errorf("missing >, unterminated name")
		}
		key, rest = indexOf(name), after
	case strings.IndexByte(`nrtfva\`, c) >= 0:
		return map[byte]string{'n': "\n", 'r': "\r", 't': "\t", 'f': "\f", 'v': "\v", 'a': "\a", '\\': `\`}[c], s[1:], nil
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return "", "", regexError.errorf(`bad escape \%c`, c)
	default:
		return `\` + s[:1], s[1:], nil
	}
	i, err := m.number(key)
	if err != nil {
		return "", "", regexError.errorf("invalid group reference")
	}
	found, _ := m.group(i).(Str)
	return string(found), rest, nil
}
