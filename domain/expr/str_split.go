package expr

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// texts makes a list of parts of a text.
func (r *run) texts(parts []string) (Value, error) {
	if err := r.grow(32 * len(parts)); err != nil {
		return nil, err
	}
	items := make([]Value, len(parts))
	for i, p := range parts {
		items[i] = Str(p)
	}
	return &List{items}, r.work(len(parts))
}

func strSplit(c *Call, self Value, fromRight bool) (Value, error) {
	a, err := c.Bind("sep?", "maxsplit?")
	if err != nil {
		return nil, err
	}
	limit := -1
	if a[1] != nil {
		if limit, err = asInt(a[1]); err != nil {
			return nil, err
		}
	}
	s := string(self.(Str))
	if err := c.r.grow(len(s)); err != nil {
		return nil, err
	}
	if err := c.r.work(len(s)); err != nil {
		return nil, err
	}
	if a[0] == nil || a[0] == None {
		return c.r.texts(splitBlanks(s, limit, fromRight))
	}
	sep, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	if sep == "" {
		return nil, valueError.errorf("empty separator")
	}
	if limit >= 0 && fromRight {
		return c.r.texts(splitRight(s, sep, limit))
	}
	if limit >= 0 {
		limit++
	}
	return c.r.texts(strings.SplitN(s, sep, limit))
}

func splitRight(s, sep string, limit int) []string {
	var out []string
	for ; limit > 0; limit-- {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		out = append(out, s[i+len(sep):])
		s = s[:i]
	}
	out = append(out, s)
	slices.Reverse(out)
	return out
}

// splitBlanks splits at runs of white space, at most limit times if that is
// not negative.
func splitBlanks(s string, limit int, fromRight bool) []string {
	if limit < 0 {
		return strings.FieldsFunc(s, isBlank)
	}
	var out []string
	if !fromRight {
		for s = strings.TrimLeftFunc(s, isBlank); s != ""; s = strings.TrimLeftFunc(s, isBlank) {
			i := strings.IndexFunc(s, isBlank)
			if i < 0 || limit == 0 {
				return append(out, s)
			}
			out = append(out, s[:i])
			s = s[i:]
			limit--
		}
		return out
	}
	for s = strings.TrimRightFunc(s, isBlank); s != ""; s = strings.TrimRightFunc(s, isBlank) {
		i := strings.LastIndexFunc(s, isBlank)
		if i < 0 || limit == 0 {
			out = append(out, s)
			break
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		out = append(out, s[i+size:])
		s = s[:i]
		limit--
	}
	slices.Reverse(out)
	return out
}

func strSplitLines(c *Call, self Value) (Value, error) {
	a, err := c.Bind("keepends?")
	if err != nil {
		return nil, err
	}
	keep := a[0] != nil && Truth(a[0])
	s := string(self.(Str))
	if err := c.r.work(len(s)); err != nil {
		return nil, err
	}
	var out []string
	for s != "" {
		i := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if i < 0 {
			out = append(out, s)
			break
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			size = 2
		}
		if keep {
			out = append(out, s[:i+size])
		} else {
			out = append(out, s[:i])
		}
		s = s[i+size:]
	}
	return c.r.texts(out)
}
