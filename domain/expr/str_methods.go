package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

var strMethods = map[string]method{
	"upper":        mapped(upper),
	"lower":        mapped(strings.ToLower),
	"casefold":     mapped(foldCase),
	"title":        mapped(titleCase),
	"capitalize":   mapped(capitalize),
	"swapcase":     mapped(swapCase),
	"strip":        stripped(strings.Trim, strings.TrimFunc),
	"lstrip":       stripped(strings.TrimLeft, strings.TrimLeftFunc),
	"rstrip":       stripped(strings.TrimRight, strings.TrimRightFunc),
	"split":        func(c *Call, self Value) (Value, error) { return strSplit(c, self, false) },
	"rsplit":       func(c *Call, self Value) (Value, error) { return strSplit(c, self, true) },
	"splitlines":   strSplitLines,
	"partition":    func(c *Call, self Value) (Value, error) { return strPartition(c, self, false) },
	"rpartition":   func(c *Call, self Value) (Value, error) { return strPartition(c, self, true) },
	"join":         strJoin,
	"replace":      strReplace,
	"startswith":   func(c *Call, self Value) (Value, error) { return strAffix(c, self, strings.HasPrefix) },
	"endswith":     func(c *Call, self Value) (Value, error) { return strAffix(c, self, strings.HasSuffix) },
	"removeprefix": func(c *Call, self Value) (Value, error) { return strRemove(c, self, strings.TrimPrefix) },
	"removesuffix": func(c *Call, self Value) (Value, error) { return strRemove(c, self, strings.TrimSuffix) },
	"find":         func(c *Call, self Value) (Value, error) { return strFind(c, self, strings.Index, false) },
	"rfind":        func(c *Call, self Value) (Value, error) { return strFind(c, self, strings.LastIndex, false) },
	"index":        func(c *Call, self Value) (Value, error) { return strFind(c, self, strings.Index, true) },
	"rindex":       func(c *Call, self Value) (Value, error) { return strFind(c, self, strings.LastIndex, true) },
	"count":        strCount,
	"format":       strFormat,
	"format_map":   strFormatMap,
	"encode":       strEncode,
	"zfill":        strZFill,
	"ljust":        func(c *Call, self Value) (Value, error) { return strJustify(c, self, '<') },
	"rjust":        func(c *Call, self Value) (Value, error) { return strJustify(c, self, '>') },
	"center":       func(c *Call, self Value) (Value, error) { return strJustify(c, self, '^') },
	"expandtabs":   strExpandTabs,
	"translate":    strTranslate,
	"isalpha":      every(unicode.IsLetter),
	"isdigit":      every(unicode.IsDigit),
	"isdecimal":    every(unicode.IsDigit),
	"isnumeric":    every(unicode.IsNumber),
	"isalnum":      every(func(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) }),
	"isspace":      every(unicode.IsSpace),
	"isascii":      func(_ *Call, self Value) (Value, error) { return Bool(isASCII(string(self.(Str)))), nil },
	"isprintable":  strIsPrintable,
	"isupper":      cased(unicode.IsUpper, unicode.IsLower),
	"islower":      cased(unicode.IsLower, unicode.IsUpper),
	"istitle":      strIsTitle,
	"isidentifier": strIsIdentifier,
}

// asText reads an argument that has to be a text.
func asText(v Value) (string, error) {
	s, ok := v.(Str)
	if !ok {
		return "", typeError.errorf("expected str instance, %s found", v.Type())
	}
	return string(s), nil
}

// mapped makes a method of a function of texts that keeps their size about.
func mapped(fn func(string) string) method {
	return func(c *Call, self Value) (Value, error) {
		if _, err := c.Bind(); err != nil {
			return nil, err
		}
		s := string(self.(Str))
		if err := c.r.work(4 * len(s)); err != nil {
			return nil, err
		}
		return c.r.text(fn(s))
	}
}

func upper(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "ß", "SS")) }

func foldCase(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "ß", "ss")
}

func capitalize(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return strings.ToTitle(s[:size]) + strings.ToLower(s[size:])
}

func titleCase(s string) string {
	inside := false
	return strings.Map(func(c rune) rune {
		was := inside
		inside = unicode.IsLetter(c)
		if was {
			return unicode.ToLower(c)
		}
		return unicode.ToTitle(c)
	}, s)
}

func swapCase(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsUpper(c) {
			return unicode.ToLower(c)
		}
		return unicode.ToUpper(c)
	}, s)
}

func every(is func(rune) bool) method {
	return func(c *Call, self Value) (Value, error) {
		s := string(self.(Str))
		for _, letter := range s {
			if !is(letter) {
				return Bool(false), nil
			}
		}
		return Bool(s != ""), c.r.work(len(s))
	}
}

// cased makes isupper and islower: at least one such letter, and none of the
// other case.
func cased(wanted, other func(rune) bool) method {
	return func(c *Call, self Value) (Value, error) {
		found := false
		for _, letter := range string(self.(Str)) {
			if other(letter) {
				return Bool(false), nil
			}
			found = found || wanted(letter)
		}
		return Bool(found), c.r.work(len(self.(Str)))
	}
}

func strIsPrintable(c *Call, self Value) (Value, error) {
	for _, letter := range string(self.(Str)) {
		if letter != ' ' && !unicode.IsPrint(letter) {
			return Bool(false), nil
		}
	}
	return Bool(true), c.r.work(len(self.(Str)))
}

func strIsTitle(c *Call, self Value) (Value, error) {
	s := string(self.(Str))
	hasLetter := strings.ContainsFunc(s, unicode.IsLetter)
	return Bool(hasLetter && titleCase(s) == s), c.r.work(len(s))
}

func strIsIdentifier(c *Call, self Value) (Value, error) {
	for i, letter := range string(self.(Str)) {
		if letter != '_' && !unicode.IsLetter(letter) && (i == 0 || !unicode.IsDigit(letter)) {
			return Bool(false), nil
		}
	}
	return Bool(self.(Str) != ""), c.r.work(len(self.(Str)))
}

// stripped makes strip and its sisters; without an argument blanks go.
func stripped(cut func(string, string) string, cutBlanks func(string, func(rune) bool) string) method {
	return func(c *Call, self Value) (Value, error) {
		a, err := c.Bind("chars?")
		if err != nil {
			return nil, err
		}
		s := string(self.(Str))
		if a[0] == nil || a[0] == None {
			return Str(cutBlanks(s, isBlank)), c.r.work(len(s))
		}
		chars, ok := a[0].(Str)
		if !ok {
			return nil, typeError.errorf("%s arg must be None or str", c.Name)
		}
		cost := len(s)
		if !isASCII(string(chars)) {
			cost *= len(chars)
		}
		if err := c.r.work(cost); err != nil {
			return nil, err
		}
		return Str(cut(s, string(chars))), nil
	}
}

// isBlank is what Python counts as white space.
func isBlank(c rune) bool { return unicode.IsSpace(c) || c >= 0x1c && c <= 0x1f }
