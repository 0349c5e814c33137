package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// asciiOnly escapes every letter beyond ASCII.
func asciiOnly(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		switch {
		case c < utf8.RuneSelf:
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	return b.String()
}

func strJustify(c *Call, self Value, align byte) (Value, error) {
	a, err := c.Bind("width", "fillchar?")
	if err != nil {
		return nil, err
	}
	l := layout{fill: " "}
	if l.width, err = asInt(a[0]); err != nil {
		return nil, err
	}
	if a[1] != nil {
		if l.fill, err = asText(a[1]); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(l.fill) != 1 {
			return nil, typeError.errorf("The fill character must be exactly one character long")
		}
	}
	s := string(self.(Str))
	if err := c.r.grow(max(l.width, 0)*len(l.fill) + len(s)); err != nil {
		return nil, err
	}
	if n := l.width - utf8.RuneCountInString(s); align == '^' && n > 0 && n%2 == 1 && l.width%2 == 1 {
		return Str(strings.Repeat(l.fill, n/2+1) + s + strings.Repeat(l.fill, n/2)), nil
	}
	return Str(l.pad("", s, align)), c.r.work(len(s) + max(l.width, 0))
}

func strZFill(c *Call, self Value) (Value, error) {
	a, err := c.Bind("width")
	if err != nil {
		return nil, err
	}
	l := layout{fill: "0"}
	if l.width, err = asInt(a[0]); err != nil {
		return nil, err
	}
	s := string(self.(Str))
	if err := c.r.grow(max(l.width, 0) + len(s)); err != nil {
		return nil, err
	}
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	return Str(l.pad(sign, s, '=')), c.r.work(max(l.width, 0))
}

func strExpandTabs(c *Call, self Value) (Value, error) {
	a, err := c.Bind("tabsize?")
	if err != nil {
		return nil, err
	}
	size := 8
	if a[0] != nil {
		if size, err = asInt(a[0]); err != nil {
			return nil, err
		}
	}
	size = min(max(size, 0), maxWidth)
	s := string(self.(Str))
	if err := c.r.grow(len(s) + strings.Count(s, "\t")*size); err != nil {
		return nil, err
	}
	var b strings.Builder
	column := 0
	for _, letter := range s {
		switch {
		case letter == '\t' && size > 0:
			n := size - column%size
			b.WriteString(strings.Repeat(" ", n))
			column += n
		case letter == '\t':
		default:
			b.WriteRune(letter)
			column++
			if letter == '\n' || letter == '\r' {
				column = 0
			}
		}
	}
	return Str(b.String()), c.r.work(b.Len())
}

// strMakeTrans is str.maketrans: a dictionary from letters' numbers.
func strMakeTrans(c *Call) (Value, error) {
	a, err := c.Bind("x", "y?", "z?")
	if err != nil {
		return nil, err
	}
	out := NewDict()
	if d, ok := a[0].(*Dict); ok && a[1] == nil {
		for _, e := range d.entries {
			key := e.key
			if s, ok := key.(Str); ok {
				n, _ := utf8.DecodeRuneInString(string(s))
				key = Int(n)
			}
			if key != nil {
				if err := c.r.put(out, key, e.value); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	from, ok := a[0].(Str)
	to, ok2 := a[1].(Str)
	if !ok || !ok2 {
		return nil, typeError.errorf("if you give only one argument to maketrans it must be a dict")
	}
	x, y := []rune(string(from)), []rune(string(to))
	if len(x) != len(y) {
		return nil, valueError.errorf("the first two maketrans arguments must have equal length")
	}
	for i := range x {
		out.put(Int(x[i]), Int(x[i]), Int(y[i]))
	}
	if z, ok := a[2].(Str); ok {
		for _, n := range string(z) {
			out.put(Int(n), Int(n), None)
		}
	}
	return out, c.r.grow(96 * out.live)
}

func strTranslate(c *Call, self Value) (Value, error) {
	a, err := c.Bind("table")
	if err != nil {
		return nil, err
	}
	table, ok := a[0].(*Dict)
	if !ok {
		return nil, typeError.errorf("'%s' object is not subscriptable", a[0].Type())
	}
	var b strings.Builder
	for _, letter := range string(self.(Str)) {
		if err := c.r.step(); err != nil {
			return nil, err
		}
		v, ok := table.get(Int(letter))
		if !ok {
			b.WriteRune(letter)
			continue
		}
		switch v := v.(type) {
		case Str:
			if err := c.r.grow(3 * len(v)); err != nil {
				return nil, err
			}
			b.WriteString(string(v))
		case Int:
			b.WriteRune(rune(v))
		}
	}
	return c.r.text(strings.ToValidUTF8(b.String(), "\ufffd"))
}
