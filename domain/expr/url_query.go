package expr

import (
	"fmt"
	"strings"
)

// percentEncode escapes every byte that is not harmless in a URL or in safe.
func percentEncode(s, safe string, plus bool) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("_.-~", c) >= 0, strings.IndexByte(safe, c) >= 0:
			b.WriteByte(c)
		case c == ' ' && plus:
			b.WriteByte('+')
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (c *Call) percentEncode(s, safe string, plus bool) (string, error) {
	if err := c.r.grow(3 * len(s)); err != nil {
		return "", err
	}
	return percentEncode(s, safe, plus), c.r.work(8 * len(s))
}

func urlQuote(c *Call, safe string, plus bool) (Value, error) {
	a, err := c.Bind("string", "safe?")
	if err != nil {
		return nil, err
	}
	if given, ok := a[1].(Str); ok {
		safe = string(given)
	}
	var s string
	switch v := a[0].(type) {
	case Str:
		s = string(v)
	case Bytes:
		s = string(v)
	default:
		return nil, typeError.errorf("quote_from_bytes() expected bytes")
	}
	out, err := c.percentEncode(s, safe, plus)
	return Str(out), err
}

// percentDecode undoes percentEncode; what is no escape stays.
func percentDecode(s string, plus bool) string {
	if plus {
		s = strings.ReplaceAll(s, "+", " ")
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := strings.IndexByte(hexLetters, s[i+1]|0x20), strings.IndexByte(hexLetters, s[i+2]|0x20)
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}

const hexLetters = "0123456789abcdef"

func urlUnquote(c *Call, plus bool) (Value, error) {
	a, err := c.Bind("string")
	if err != nil {
		return nil, err
	}
	s, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	if err := c.r.work(4 * len(s)); err != nil {
		return nil, err
	}
	return c.r.text(percentDecode(s, plus))
}

// urlEncode writes a mapping or pairs as a query.
func urlEncode(c *Call) (Value, error) {
	a, err := c.Bind("query", "doseq?", "safe?")
	if err != nil {
		return nil, err
	}
	items := a[0]
	if d, ok := a[0].(*Dict); ok {
		items = &view{"dict_items", d, func(e *entry) Value { return Tuple{e.key, e.value} }}
	}
	var parts []string
	err = c.r.each(items, func(v Value) error {
		pair, err := c.r.spreadOver(v, 2, -1)
		if err != nil {
			return err
		}
		values := []Value{pair[1]}
		switch pair[1].(type) {
		case *List, Tuple:
			if a[1] != nil && Truth(a[1]) {
				values = itemsOf(pair[1])
			}
		}
		for _, value := range values {
			part, err := c.pair(pair[0], value)
			if err != nil {
				return err
			}
			parts = append(parts, part)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.r.text(strings.Join(parts, "&"))
}

func (c *Call) pair(key, value Value) (string, error) {
	var texts [2]string
	for i, v := range []Value{key, value} {
		s, err := c.r.str(v)
		if err != nil {
			return "", err
		}
		if texts[i], err = c.percentEncode(s, "", true); err != nil {
			return "", err
		}
	}
	return texts[0] + "=" + texts[1], nil
}

// query reads name=value&… in order.
func (c *Call) query() ([][2]string, error) {
	a, err := c.Bind("qs", "keep_blank_values?", "strict_parsing?")
	if err != nil {
		return nil, err
	}
	s, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	keep := a[1] != nil && Truth(a[1])
	if err := c.r.grow(2*len(s) + 64*strings.Count(s, "&")); err != nil {
		return nil, err
	}
	var out [][2]string
	for _, part := range strings.Split(s, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part == "" || value == "" && !keep {
			continue
		}
		out = append(out, [2]string{percentDecode(name, true), percentDecode(value, true)})
	}
	return out, c.r.work(4 * len(s))
}

func urlParseQSL(c *Call) (Value, error) {
	pairs, err := c.query()
	out := make([]Value, len(pairs))
	for i, p := range pairs {
		out[i] = Tuple{Str(p[0]), Str(p[1])}
	}
	return &List{out}, err
}

func urlParseQS(c *Call) (Value, error) {
	pairs, err := c.query()
	if err != nil {
		return nil, err
	}
	d := NewDict()
	for _, p := range pairs {
		if old, ok := d.Get(p[0]); ok {
			l := old.(*List)
			l.items = append(l.items, Str(p[1]))
			continue
		}
		d.Set(p[0], &List{[]Value{Str(p[1])}})
	}
	return d, c.r.grow(128 * d.live)
}
