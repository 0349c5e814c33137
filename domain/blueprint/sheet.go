package blueprint

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A sheet is YAML that is being written. What it writes, every YAML reader
// reads as the same values, whether it follows version 1.1 or 1.2: texts that
// some reader could take for anything else stand in quotes.
type sheet struct{ bytes.Buffer }

// References to other things.
type (
	keyOfRef   string // id of an entry
	contextRef string // key in the context of the import
	findRef    struct{ model, field, value string }
)

// indent is one level.
const indent = "  "

// line writes a line that is YAML already. The entries of a list stand at the
// level of their list, so that their other lines are one deeper than the dash.
func (s *sheet) line(depth int, text string) {
	s.WriteString(strings.Repeat(indent, depth) + text + "\n")
}

// comment writes a comment of one line.
func (s *sheet) comment(depth int, text string) {
	s.line(depth, "# "+strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text))
}

// pair writes a key that needs no quotes, and its value.
func (s *sheet) pair(depth int, key string, v any) {
	list, isList := v.([]any)
	text, isText := v.(string)
	switch {
	case isList && len(list) > 0:
		s.line(depth, key+":")
		for _, item := range list {
			s.line(depth+1, "- "+flow(item))
		}
	case isText && layered(text):
		s.block(depth, key, text)
	default:
		s.line(depth, key+": "+flow(v))
	}
}

// block writes a text of several lines as it is.
func (s *sheet) block(depth int, key, text string) {
	body := strings.TrimRight(text, "\n")
	switch len(text) - len(body) {
	case 0:
		s.line(depth, key+": |-")
	case 1:
		s.line(depth, key+": |")
	default:
		s.line(depth, key+": |+")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" {
			s.WriteString("\n")
			continue
		}
		s.line(depth+1, line)
	}
}

// layered tells whether a text can stand in a block: it has several lines, and
// none that readers disagree about.
func layered(text string) bool {
	if !strings.Contains(text, "\n") || strings.Trim(text, "\n") == "" {
		return false
	}
	for i, line := range strings.Split(text, "\n") {
		if line == "" && i > 0 {
			continue
		}
		if strings.TrimSpace(line) == "" || line[0] == '\t' || i == 0 && line[0] == ' ' {
			return false
		}
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && escaped(r) })
}

// flow writes a value on one line.
func flow(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return quoted(v)
	case keyOfRef:
		return "!KeyOf " + string(v)
	case contextRef:
		return "!Context " + string(v)
	case findRef:
		return fmt.Sprintf("!Find [%s, [%s, %s]]", v.model, v.field, quoted(v.value))
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = flow(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, flowKey(key)+": "+flow(v[key]))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	if n, ok := number(v); ok {
		return numeral(n)
	}
	return flow(plainValue(v))
}

// numeral writes a number without an exponent, which readers disagree about.
func numeral(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
		return strconv.FormatInt(int64(n), 10)
	}
	text := strconv.FormatFloat(n, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// plainValue makes a value of other types of Go into one of JSON.
func plainValue(v any) any {
	switch v := valueOf(v).(type) {
	case *mapping:
		return v.values
	case int64, []any:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// maxKey is how long a key can be without its question mark.
const maxKey = 120

func flowKey(key string) string {
	text := doubleQuoted(key)
	if len(text) > maxKey {
		return "? " + text
	}
	return text
}

// plainText is what can stand without quotes: it begins with a letter and has
// nothing that means something in YAML.
var plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./@()%=;+-]*( [A-Za-z0-9_./@(%][A-Za-z0-9_./@()%=;+-]*)*$`)

// quoted writes a text on one line, with quotes if it needs them.
func quoted(text string) string {
	word, isText := "", plainText.MatchString(text) && !strings.Contains("yYnN", text)
	if isText {
		word, isText = plainScalar(text).(string)
	}
	if isText && word == text {
		return text
	}
	return doubleQuoted(text)
}

// escaped tells whether a character is written as an escape.
func escaped(r rune) bool {
	return !unicode.IsPrint(r) || r == '\ufeff' || r == unicode.ReplacementChar
}

func doubleQuoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case !escaped(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
