package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsonReader reads JSON into values; it keeps the order of keys.
type jsonReader struct {
	r    *run
	text string
	at   int
}

func jsonLoads(c *Call) (Value, error) {
	a, err := c.Bind("s")
	if err != nil {
		return nil, err
	}
	var text string
	switch s := a[0].(type) {
	case Str:
		text = string(s)
	case Bytes:
		text = strings.ToValidUTF8(string(s), "\ufffd")
	default:
		return nil, typeError.errorf("the JSON object must be str, bytes or bytearray, not %s", s.Type())
	}
	j := &jsonReader{r: c.r, text: text}
	if err := c.r.work(len(text) * 4); err != nil {
		return nil, err
	}
	j.blanks()
	v, err := j.value()
	if err != nil {
		return nil, err
	}
	if j.blanks(); j.at < len(text) {
		return nil, j.fail("Extra data")
	}
	return v, nil
}

func (j *jsonReader) fail(what string) error {
	before := j.text[:j.at]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return jsonDecodeError.errorf("%s: line %d column %d (char %d)", what, line, column, utf8.RuneCountInString(before))
}

func (j *jsonReader) blanks() {
	for j.at < len(j.text) && strings.IndexByte(" \t\r\n", j.text[j.at]) >= 0 {
		j.at++
	}
}

func (j *jsonReader) accept(c byte) bool {
	if j.at < len(j.text) && j.text[j.at] == c {
		j.at++
		return true
	}
	return false
}

var jsonWords = []struct {
	text  string
	value Value
}{
	{"null", None}, {"true", Bool(true)}, {"false", Bool(false)},
	{"NaN", Float(math.NaN())}, {"Infinity", Float(math.Inf(1))}, {"-Infinity", Float(math.Inf(-1))},
}

func (j *jsonReader) value() (Value, error) {
	if err := j.r.enter(); err != nil {
		return nil, err
	}
	defer j.r.leave()
	switch {
	case j.accept('"'):
		s, err := j.string()
		return Str(s), err
	case j.accept('['):
		return j.list()
	case j.accept('{'):
		return j.dict()
	}
	for _, word := range jsonWords {
		if strings.HasPrefix(j.text[j.at:], word.text) {
			j.at += len(word.text)
			return word.value, nil
		}
	}
	return j.number()
}

func (j *jsonReader) number() (Value, error) {
	from := j.at
	j.accept('-')
	digits := func() int {
		start := j.at
		for j.at < len(j.text) && j.text[j.at] >= '0' && j.text[j.at] <= '9' {
			j.at++
		}
		return j.at - start
	}
	if !j.accept('0') && digits() == 0 {
		j.at = from
		return nil, j.fail("Expecting value")
	}
	isFloat := false
	if rest := j.text[j.at:]; len(rest) > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9' {
		isFloat = true
		j.at++
		digits()
	}
	if mark := j.at; j.accept('e') || j.accept('E') {
		if !j.accept('+') {
			j.accept('-')
		}
		if digits() > 0 {
			isFloat = true
		} else {
			j.at = mark
		}
	}
	raw := j.text[from:j.at]
	if isFloat {
		f, _ := strconv.ParseFloat(raw, 64)
		return Float(f), nil
	}
	if len(raw) > maxDigits {
		return nil, valueError.errorf("Exceeds the limit (4300 digits) for integer string conversion: value has %d digits; use sys.set_int_max_str_digits() to increase the limit", len(raw))
	}
	n, _ := new(big.Int).SetString(raw, 10)
	return integer(n), nil
}

func (j *jsonReader) list() (Value, error) {
	var items []Value
	if j.blanks(); j.accept(']') {
		return &List{}, nil
	}
	for {
		j.blanks()
		v, err := j.value()
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		if err := j.r.grow(32); err != nil {
			return nil, err
		}
		if j.blanks(); j.accept(']') {
			return &List{items}, nil
		}
		if !j.accept(',') {
			return nil, j.fail("Expecting ',' delimiter")
		}
	}
}

func (j *jsonReader) dict() (Value, error) {
	d := NewDict()
	if j.blanks(); j.accept('}') {
		return d, nil
	}
	for {
		if j.blanks(); !j.accept('"') {
			return nil, j.fail("Expecting property name enclosed in double quotes")
		}
		key, err := j.string()
		if err != nil {
			return nil, err
		}
		if j.blanks(); !j.accept(':') {
			return nil, j.fail("Expecting ':' delimiter")
		}
		j.blanks()
		v, err := j.value()
		if err != nil {
			return nil, err
		}
		d.Set(key, v)
		if err := j.r.grow(entrySize); err != nil {
			return nil, err
		}
		if j.blanks(); j.accept('}') {
			return d, nil
		}
		if !j.accept(',') {
			return nil, j.fail("Expecting ',' delimiter")
		}
	}
}

// string reads a text behind its opening quote.
func (j *jsonReader) string() (string, error) {
	start := j.at - 1
	var b strings.Builder
	for j.at < len(j.text) {
		switch c := j.text[j.at]; {
		case c == '"':
			j.at++
			return b.String(), j.r.grow(b.Len() + 16)
		case c < ' ':
			return "", j.fail("Invalid control character at")
		case c == '\\':
			if err := j.escape(&b); err != nil {
				return "", err
			}
		default:
			b.WriteByte(c)
			j.at++
		}
	}
	j.at = start
	return "", j.fail("Unterminated string starting at")
}

func (j *jsonReader) escape(b *strings.Builder) error {
	j.at++
	if j.at >= len(j.text) {
		j.at--
		return j.fail("Unterminated string starting at")
	}
	c := j.text[j.at]
	if plain := strings.IndexByte(`"\/bfnrt`, c); plain >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[plain])
		j.at++
		return nil
	}
	if c != 'u' {
		j.at--
		return j.fail(`Invalid \escape`)
	}
	n, ok := j.hex(j.at + 1)
	if !ok {
		return j.fail(`Invalid \uXXXX escape`)
	}
	j.at += 5
	if utf16.IsSurrogate(n) && strings.HasPrefix(j.text[j.at:], `\u`) {
		if low, ok := j.hex(j.at + 2); ok {
			n = utf16.DecodeRune(n, low)
			j.at += 6
		}
	}
	b.WriteRune(n) // half of a pair becomes the replacement character
	return nil
}

func (j *jsonReader) hex(at int) (rune, bool) {
	if at+4 > len(j.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(j.text[at:at+4], 16, 32)
	return rune(n), err == nil
}
