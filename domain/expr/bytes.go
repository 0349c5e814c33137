package expr

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

var bytesMethods = map[string]method{
	"decode": bytesDecode,
	"hex": func(c *Call, self Value) (Value, error) {
		a, err := c.Bind("sep?")
		if err != nil {
			return nil, err
		}
		if err := c.r.work(len(self.(Bytes))); err != nil {
			return nil, err
		}
		text := hex.EncodeToString([]byte(self.(Bytes)))
		if a[0] == nil {
			return c.r.text(text)
		}
		separator, err := asText(a[0])
		if err != nil {
			return nil, err
		}
		if err := c.r.grow(len(text) * (2 + len(separator))); err != nil {
			return nil, err
		}
		var pairs []string
		for ; text != ""; text = text[2:] {
			pairs = append(pairs, text[:2])
		}
		return c.r.text(strings.Join(pairs, separator))
	},
	"upper":      bytesMapped(strings.ToUpper),
	"lower":      bytesMapped(strings.ToLower),
	"strip":      bytesMapped(strings.TrimSpace),
	"startswith": func(c *Call, self Value) (Value, error) { return bytesAffix(c, self, strings.HasPrefix) },
	"endswith":   func(c *Call, self Value) (Value, error) { return bytesAffix(c, self, strings.HasSuffix) },
	"join":       bytesJoin,
	"split":      bytesSplit,
	"replace":    bytesReplace,
	"find":       func(c *Call, self Value) (Value, error) { return bytesFind(c, self, strings.Index) },
	"rfind":      func(c *Call, self Value) (Value, error) { return bytesFind(c, self, strings.LastIndex) },
	"count":      func(c *Call, self Value) (Value, error) { return bytesFind(c, self, strings.Count) },
}

// codec says which encoding a name means: "utf-8", "ascii" or "latin-1".
func codec(v Value) (string, error) {
	if v == nil {
		return "utf-8", nil
	}
	name, ok := v.(Str)
	if !ok {
		return "", typeError.errorf("encoding must be str, not %s", v.Type())
	}
	switch strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(string(name))) {
	case "utf-8", "utf8":
		return "utf-8", nil
	case "ascii", "us-ascii":
		return "ascii", nil
	case "latin-1", "latin1", "iso-8859-1":
		return "latin-1", nil
	}
	return "", lookupError.errorf("unknown encoding: %s", name)
}

func strEncode(c *Call, self Value) (Value, error) {
	a, err := c.Bind("encoding?", "errors?")
	if err != nil {
		return nil, err
	}
	return c.encode(string(self.(Str)), a[0], a[1])
}

func (c *Call) encode(s string, encoding, errors Value) (Value, error) {
	name, err := codec(encoding)
	if err != nil {
		return nil, err
	}
	if err := c.r.grow(len(s)); err != nil {
		return nil, err
	}
	if err := c.r.work(len(s)); err != nil {
		return nil, err
	}
	if name == "utf-8" {
		return Bytes(s), nil
	}
	highest := rune(0x7f)
	if name == "latin-1" {
		highest = 0xff
	}
	var b strings.Builder
	i := 0
	for _, letter := range s {
		switch {
		case letter <= highest:
			b.WriteByte(byte(letter))
		case errors == Str("ignore"):
		case errors == Str("replace"):
			b.WriteByte('?')
		default:
			return nil, unicodeEncodeError.errorf("'%s' codec can't encode character '%s' in position %d: ordinal not in range(%d)",
				name, asciiOnly(string(letter)), i, highest+1)
		}
		i++
	}
	return Bytes(b.String()), nil
}

func bytesDecode(c *Call, self Value) (Value, error) {
	a, err := c.Bind("encoding?", "errors?")
	if err != nil {
		return nil, err
	}
	return c.decode(string(self.(Bytes)), a[0], a[1])
}

func (c *Call) decode(s string, encoding, errors Value) (Value, error) {
	name, err := codec(encoding)
	if err != nil {
		return nil, err
	}
	if err := c.r.grow(2 * len(s)); err != nil {
		return nil, err
	}
	if err := c.r.work(len(s)); err != nil {
		return nil, err
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		letter, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case name == "latin-1":
			b.WriteRune(rune(s[i]))
			size = 1
		case letter == utf8.RuneError && size == 1, name == "ascii" && s[i] >= utf8.RuneSelf:
			size = 1
			if errors == nil || errors == Str("strict") {
				return nil, undecodable(name, s, i)
			}
			if errors == Str("replace") {
				b.WriteRune(utf8.RuneError)
			}
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return Str(b.String()), nil
}

func undecodable(name, s string, i int) error {
	why := "ordinal not in range(128)"
	if name == "utf-8" {
		why = "invalid start byte"
		if s[i] >= 0xc2 && s[i] <= 0xf4 {
			why = "invalid continuation byte"
			if i == len(s)-1 {
				why = "unexpected end of data"
			}
		}
	}
	return unicodeDecodeError.errorf("'%s' codec can't decode byte 0x%02x in position %d: %s", name, s[i], i, why)
}

// makeBytes is bytes(x): of a size, of numbers, of a text with its encoding.
func makeBytes(c *Call) (Value, error) {
	a, err := c.Bind("source?", "encoding?", "errors?")
	if err != nil {
		return nil, err
	}
	switch v := a[0].(type) {
	case nil:
		return Bytes(""), nil
	case Bytes:
		return v, nil
	case Str:
		if a[1] == nil {
			return nil, typeError.errorf("string argument without an encoding")
		}
		return c.encode(string(v), a[1], a[2])
	case Int:
		if v < 0 {
			return nil, valueError.errorf("negative count")
		}
		s, err := c.r.repeat("\x00", int(min(v, maxRepeat)))
		return Bytes(s), err
	}
	var b []byte
	err = c.r.each(a[0], func(v Value) error {
		n, err := asInt(v)
		if err == nil && (n < 0 || n > 255) {
			err = valueError.errorf("bytes must be in range(0, 256)")
		}
		b = append(b, byte(n))
		return err
	})
	return Bytes(b), err
}

func bytesFromHex(c *Call) (Value, error) {
	a, err := c.Bind("string")
	if err != nil {
		return nil, err
	}
	s, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return nil, valueError.errorf("non-hexadecimal number found in fromhex() arg")
	}
	return Bytes(b), c.r.work(len(s))
}

func bytesMapped(fn func(string) string) method {
	return func(c *Call, self Value) (Value, error) {
		s := string(self.(Bytes))
		return Bytes(fn(s)), c.r.grow(len(s))
	}
}

// asBytes reads an argument that has to be bytes.
func asBytes(v Value) (string, error) {
	b, ok := v.(Bytes)
	if !ok {
		return "", typeError.errorf("a bytes-like object is required, not '%s'", v.Type())
	}
	return string(b), nil
}

func bytesAffix(c *Call, self Value, has func(s, affix string) bool) (Value, error) {
	a, err := c.Bind("affix")
	if err != nil {
		return nil, err
	}
	affix, err := asBytes(a[0])
	return Bool(has(string(self.(Bytes)), affix)), err
}

func bytesJoin(c *Call, self Value) (Value, error) {
	a, err := c.Bind("iterable")
	if err != nil {
		return nil, err
	}
	var parts []string
	total := 0
	err = c.r.each(a[0], func(v Value) error {
		b, err := asBytes(v)
		parts = append(parts, b)
		total += len(b) + len(self.(Bytes))
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := c.r.grow(total); err != nil {
		return nil, err
	}
	return Bytes(strings.Join(parts, string(self.(Bytes)))), nil
}

func bytesSplit(c *Call, self Value) (Value, error) {
	a, err := c.Bind("sep?")
	if err != nil {
		return nil, err
	}
	s := string(self.(Bytes))
	parts := strings.Fields(s)
	if a[0] != nil && a[0] != None {
		sep, err := asBytes(a[0])
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, valueError.errorf("empty separator")
		}
		parts = strings.Split(s, sep)
	}
	items := make([]Value, len(parts))
	for i, p := range parts {
		items[i] = Bytes(p)
	}
	return c.r.list(items)
}

func bytesReplace(c *Call, self Value) (Value, error) {
	a, err := c.Bind("old", "new")
	if err != nil {
		return nil, err
	}
	old, err := asBytes(a[0])
	if err != nil {
		return nil, err
	}
	with, err := asBytes(a[1])
	if err != nil {
		return nil, err
	}
	s := string(self.(Bytes))
	if err := c.r.grow(len(s) + strings.Count(s, old)*max(len(with)-len(old), 0)); err != nil {
		return nil, err
	}
	return Bytes(strings.ReplaceAll(s, old, with)), c.r.work(len(s))
}

// makeStr is str(x), or str(bytes, encoding).
func makeStr(c *Call) (Value, error) {
	a, err := c.Bind("object?", "encoding?", "errors?")
	if err != nil {
		return nil, err
	}
	if a[0] == nil {
		return Str(""), nil
	}
	if b, ok := a[0].(Bytes); ok && a[1] != nil {
		return c.decode(string(b), a[1], a[2])
	}
	s, err := c.r.str(a[0])
	if err != nil {
		return nil, err
	}
	return c.r.text(s)
}

// bytesFind is find, rfind and count.
func bytesFind(c *Call, self Value, find func(s, part string) int) (Value, error) {
	a, err := c.Bind("sub")
	if err != nil {
		return nil, err
	}
	part, ok := a[0].(Bytes)
	if !ok {
		return nil, typeError.errorf("argument should be integer or bytes-like object, not '%s'", a[0].Type())
	}
	if err := c.r.work(len(self.(Bytes))); err != nil {
		return nil, err
	}
	return Int(find(string(self.(Bytes)), string(part))), nil
}
