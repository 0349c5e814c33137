package expr

import (
	"strings"
)

// A translator writes a regular expression of Python as one of RE2, whose time
// grows with the text and not with the number of ways to match it. What RE2
// has not is refused.
type translator struct {
	rest  string
	flags int
	out   strings.Builder
	isEnd bool
}

// prefix says the flags in RE2's way.
func (t *translator) prefix() string {
	flags := ""
	for _, f := range []struct {
		bit    int
		letter string
	}{{flagIgnoreCase, "i"}, {flagMultiline, "m"}, {flagDotAll, "s"}} {
		if t.flags&f.bit != 0 {
			flags += f.letter
		}
	}
	if flags == "" {
		return ""
	}
	return "(?" + flags + ")"
}

// take moves n letters to the output.
func (t *translator) take(n int) {
	t.out.WriteString(t.rest[:n])
	t.rest = t.rest[n:]
}

func (t *translator) translate() error {
	for t.rest != "" {
		var err error
		switch c := t.rest[0]; {
		case c == '\\':
			err = t.escape(false)
		case c == '[':
			err = t.class()
		case c == '(':
			err = t.group()
		case c == '$' && t.flags&flagMultiline == 0:
			t.isEnd = true
			t.out.WriteString(`\z`)
			t.rest = t.rest[1:]
		case c == '{' && strings.HasPrefix(t.rest, "{,") && len(t.rest) > 2 && t.rest[2] >= '0' && t.rest[2] <= '9':
			t.out.WriteString("{0")
			t.rest = t.rest[1:]
		case t.flags&flagVerbose != 0 && strings.IndexByte(" \t\n\r\f\v", c) >= 0:
			t.rest = t.rest[1:]
		case t.flags&flagVerbose != 0 && c == '#':
			_, t.rest, _ = strings.Cut(t.rest, "\n")
		default:
			t.take(1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// group looks at what stands behind an opening bracket.
func (t *translator) group() error {
	for prefix, name := range map[string]string{
		"(?=": "look-ahead", "(?!": "look-ahead", "(?<=": "look-behind", "(?<!": "look-behind",
		"(?P=": "a back-reference", "(?(": "a conditional group", "(?>": "an atomic group",
	} {
		if strings.HasPrefix(t.rest, prefix) {
			return t.refuse(name)
		}
	}
	if strings.HasPrefix(t.rest, "(?#") {
		_, t.rest, _ = strings.Cut(t.rest, ")")
		return nil
	}
	if rest, ok := strings.CutPrefix(t.rest, "(?"); ok && rest != "" && rest[0] != 'P' {
		flags, after, _ := strings.Cut(rest, ")")
		if strings.Trim(flags, "aiLmsux") == "" && flags != "" {
			return t.globalFlags(flags, after)
		}
	}
	t.take(1)
	return nil
}

// globalFlags reads (?flags).
func (t *translator) globalFlags(flags, after string) error {
	for _, f := range flags {
		bit := map[rune]int{'i': flagIgnoreCase, 'm': flagMultiline, 's': flagDotAll, 'x': flagVerbose, 'a': flagASCII}[f]
		t.flags |= bit
	}
	if t.out.Len() > 0 {
		return regexError.errorf("global flags not at the start of the expression")
	}
	t.rest = after
	return nil
}

func (t *translator) refuse(name string) error {
	if name == "look-ahead" {
		name = "look-ahead other than behind a ^ at the very beginning"
	}
	return regexError.errorf("%s is not available in regular expressions here: use two expressions, or methods of the text", name)
}

// escape translates a backslash and the letter behind it.
func (t *translator) escape(inClass bool) error {
	if len(t.rest) < 2 {
		return regexError.errorf("bad escape (end of pattern)")
	}
	c := t.rest[1]
	ascii := t.flags&flagASCII != 0
	switch {
	case c == 'Z' && !inClass:
		t.out.WriteString(`\z`)
	case c >= '1' && c <= '9' && !inClass:
		return t.refuse("a back-reference")
	case c == 'd' && !ascii:
		t.out.WriteString(`\p{Nd}`)
	case c == 'D' && !ascii:
		t.out.WriteString(`\P{Nd}`)
	case c == 'w' && !ascii && inClass:
		t.out.WriteString(`\p{L}\p{N}_`)
	case c == 'w' && !ascii:
		t.out.WriteString(`[\p{L}\p{N}_]`)
	case c == 'W' && !ascii && !inClass:
		t.out.WriteString(`[^\p{L}\p{N}_]`)
	case c == 's' && inClass:
		t.out.WriteString(`\s\v\p{Z}`)
	case c == 's':
		t.out.WriteString(`[\s\v\p{Z}]`)
	case c == 'S' && !inClass:
		t.out.WriteString(`[^\s\v\p{Z}]`)
	case c == 'b' && inClass:
		t.out.WriteString(`\x08`)
	case c == 'u' || c == 'U':
		size := map[byte]int{'u': 4, 'U': 8}[c]
		if len(t.rest) < 2+size {
			return regexError.errorf("incomplete escape \\%c", c)
		}
		t.out.WriteString(`\x{` + t.rest[2:2+size] + `}`)
		t.rest = t.rest[size:]
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '0':
		if strings.IndexByte("AbBDSWfnrtvx0sdw", c) < 0 {
			return regexError.errorf("bad escape \\%c", c)
		}
		t.take(2)
		return nil
	case c < 0x80:
		t.out.WriteString(`\x{` + hexByte(c) + `}`)
	default:
		t.rest = t.rest[1:]
		t.take(1)
		return nil
	}
	t.rest = t.rest[2:]
	return nil
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

// wordless are the classes with \W that people write, in RE2's terms: there is
// no class of all letters but others.
var wordless = [][2]string{
	{`[^\W\d_]`, `[\p{L}\p{Nl}\p{No}]`}, {`[^\W_\d]`, `[\p{L}\p{Nl}\p{No}]`}, {`[^\W_]`, `[\p{L}\p{N}]`}, {`[^_\W]`, `[\p{L}\p{N}]`},
	{`[^\W\d]`, `[\p{L}\p{Nl}\p{No}_]`}, {`[\W_]`, `[^\p{L}\p{N}]`}, {`[_\W]`, `[^\p{L}\p{N}]`}, {`[\W]`, `[^\p{L}\p{N}_]`}, {`[^\W]`, `[\p{L}\p{N}_]`},
	{`[\w\W]`, `(?s:.)`}, {`[\W\w]`, `(?s:.)`},
}

// class translates [letters].
func (t *translator) class() error {
	if t.flags&flagASCII == 0 {
		for _, c := range wordless {
			if rest, ok := strings.CutPrefix(t.rest, c[0]); ok {
				t.out.WriteString(c[1])
				t.rest = rest
				return nil
			}
		}
	}
	t.take(1)
	if strings.HasPrefix(t.rest, "^") {
		t.take(1)
	}
	if strings.HasPrefix(t.rest, "]") {
		t.out.WriteString(`\]`)
		t.rest = t.rest[1:]
	}
	for t.rest != "" {
		switch t.rest[0] {
		case ']':
			t.take(1)
			return nil
		case '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		case '[':
			t.out.WriteString(`\[`)
			t.rest = t.rest[1:]
		default:
			t.take(1)
		}
	}
	return regexError.errorf("unterminated character set")
}
