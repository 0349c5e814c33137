package expr

import (
	"strings"
	"unicode/utf8"
)

func strJoin(c *Call, self Value) (Value, error) {
	a, err := c.Bind("iterable")
	if err != nil {
		return nil, err
	}
	items, err := c.r.collect(a[0])
	if err != nil {
		return nil, typeErrorOr(err, "can only join an iterable")
	}
	parts := make([]string, len(items))
	total := 0
	for i, item := range items {
		s, ok := item.(Str)
		if !ok {
			return nil, typeError.errorf("sequence item %d: expected str instance, %s found", i, item.Type())
		}
		parts[i] = string(s)
		total += len(s) + len(self.(Str))
	}
	if err := c.r.grow(total + 16*len(parts)); err != nil {
		return nil, err
	}
	return Str(strings.Join(parts, string(self.(Str)))), c.r.work(total)
}

// typeErrorOr rewords a TypeError and keeps every other error.
func typeErrorOr(err error, message string) error {
	if e := failure(err); !e.Limit() && e.exception.class == typeError {
		return typeError.errorf("%s", message)
	}
	return err
}

func strReplace(c *Call, self Value) (Value, error) {
	a, err := c.Bind("old", "new", "count?")
	if err != nil {
		return nil, err
	}
	old, ok := a[0].(Str)
	with, ok2 := a[1].(Str)
	if !ok || !ok2 {
		return nil, typeError.errorf("replace() argument must be str")
	}
	n := -1
	if a[2] != nil {
		if n, err = asInt(a[2]); err != nil {
			return nil, err
		}
	}
	s := string(self.(Str))
	if err := c.r.work(len(s)); err != nil {
		return nil, err
	}
	hits := strings.Count(s, string(old))
	if n >= 0 {
		hits = min(hits, n)
	}
	if err := c.r.grow(len(s) + hits*(len(with)-len(old)) + 16); err != nil {
		return nil, err
	}
	return Str(strings.Replace(s, string(old), string(with), n)), c.r.work(hits * len(with))
}

// part cuts the text to optional start and stop arguments and returns how many
// letters were cut before.
func (c *Call) part(s string, start, stop Value) (string, int, bool, error) {
	if (start == nil || start == None) && (stop == nil || stop == None) {
		return s, 0, true, c.r.work(len(s))
	}
	n := utf8.RuneCountInString(s)
	if start != nil && start != None {
		if i, err := sliceIndex(start, n); err == nil && i > n {
			return "", 0, false, nil
		}
	}
	from, to, err := window(start, stop, n)
	if err != nil || from > to {
		return "", 0, false, err
	}
	if err := c.r.work(len(s)); err != nil {
		return "", 0, false, err
	}
	return s[offset(s, from):offset(s, to)], from, true, nil
}

// offset is where letter i begins.
func offset(s string, i int) int {
	if isASCII(s) {
		return i
	}
	for at := range s {
		if i == 0 {
			return at
		}
		i--
	}
	return len(s)
}

func strAffix(c *Call, self Value, has func(s, affix string) bool) (Value, error) {
	a, err := c.Bind("affix", "start?", "end?")
	if err != nil {
		return nil, err
	}
	s, _, ok, err := c.part(string(self.(Str)), a[1], a[2])
	if err != nil || !ok {
		return Bool(false), err
	}
	affixes, isTuple := a[0].(Tuple)
	if !isTuple {
		affixes = Tuple{a[0]}
	}
	for _, affix := range affixes {
		text, ok := affix.(Str)
		if !ok {
			return nil, typeError.errorf("%s first arg must be str or a tuple of str, not %s", c.Name, affix.Type())
		}
		if has(s, string(text)) {
			return Bool(true), nil
		}
	}
	return Bool(false), c.r.work(len(affixes))
}

func strRemove(c *Call, self Value, cut func(s, affix string) string) (Value, error) {
	a, err := c.Bind("affix")
	if err != nil {
		return nil, err
	}
	affix, err := asText(a[0])
	return Str(cut(string(self.(Str)), affix)), err
}

func strFind(c *Call, self Value, find func(s, sub string) int, strict bool) (Value, error) {
	a, err := c.Bind("sub", "start?", "end?")
	if err != nil {
		return nil, err
	}
	sub, ok := a[0].(Str)
	if !ok {
		return nil, typeError.errorf("must be str, not %s", a[0].Type())
	}
	s, before, ok, err := c.part(string(self.(Str)), a[1], a[2])
	if err != nil {
		return nil, err
	}
	at := -1
	if ok {
		at = find(s, string(sub))
	}
	if at < 0 {
		if strict {
			return nil, valueError.errorf("substring not found")
		}
		return Int(-1), nil
	}
	return Int(before + utf8.RuneCountInString(s[:at])), nil
}

func strCount(c *Call, self Value) (Value, error) {
	a, err := c.Bind("sub", "start?", "end?")
	if err != nil {
		return nil, err
	}
	sub, ok := a[0].(Str)
	if !ok {
		return nil, typeError.errorf("must be str, not %s", a[0].Type())
	}
	s, _, ok, err := c.part(string(self.(Str)), a[1], a[2])
	if err != nil || !ok {
		return Int(0), err
	}
	return Int(strings.Count(s, string(sub))), nil
}

func strPartition(c *Call, self Value, last bool) (Value, error) {
	a, err := c.Bind("sep")
	if err != nil {
		return nil, err
	}
	sep, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	if sep == "" {
		return nil, valueError.errorf("empty separator")
	}
	s := string(self.(Str))
	if err := c.r.work(len(s)); err != nil {
		return nil, err
	}
	i := strings.Index(s, sep)
	if last {
		i = strings.LastIndex(s, sep)
	}
	switch {
	case i >= 0:
		return Tuple{Str(s[:i]), Str(sep), Str(s[i+len(sep):])}, nil
	case last:
		return Tuple{Str(""), Str(""), Str(s)}, nil
	}
	return Tuple{Str(s), Str(""), Str("")}, nil
}
