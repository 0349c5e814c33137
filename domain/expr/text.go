package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// str is str(v).
func (r *run) str(v Value) (string, error) {
	switch v := v.(type) {
	case Str:
		return string(v), nil
	case *exception:
		if v.class.str != nil {
			return v.class.str(r, v)
		}
		return r.exceptionText(v)
	case Texter:
		s := v.Text()
		return s, r.grow(len(s))
	}
	return r.repr(v)
}

// repr is repr(v).
func (r *run) repr(v Value) (string, error) {
	var b strings.Builder
	err := r.write(&b, v)
	return b.String(), err
}

// reprer is implemented by values with a repr of their own.
type reprer interface{ repr() string }

// write appends repr(v) to b.
func (r *run) write(b *strings.Builder, v Value) error {
	before := b.Len()
	switch v := v.(type) {
	case noneType:
		b.WriteString("None")
	case Bool:
		b.WriteString(map[Bool]string{true: "True", false: "False"}[v])
	case Int:
		b.WriteString(strconv.FormatInt(int64(v), 10))
	case *bigInt:
		s, err := decimal(v)
		if err != nil {
			return err
		}
		b.WriteString(s)
	case Float:
		b.WriteString(floatText(float64(v)))
	case Str:
		if err := r.grow(len(v)); err != nil {
			return err
		}
		quote(b, string(v))
	case Bytes:
		quoteBytes(b, string(v))
	case *List, Tuple, *Dict, *Set, *exception, *view:
		return r.writeContainer(b, v)
	default:
		b.WriteString(opaque(v))
	}
	return r.grow(b.Len() - before)
}

// opaque is repr of what has no contents to show.
func opaque(value Value) string {
	switch v := value.(type) {
	case rangeValue:
		if v.step == 1 {
			return fmt.Sprintf("range(%d, %d)", v.from, v.to)
		}
		return fmt.Sprintf("range(%d, %d, %d)", v.from, v.to, v.step)
	case *Class:
		return "<class '" + v.name + "'>"
	case *function:
		return "<function " + v.def.Name + ">"
	case *builtin:
		return "<built-in function " + v.name + ">"
	case *module:
		return "<module '" + v.name + "'>"
	case reprer:
		return v.repr()
	case Texter:
		return "<" + value.Type() + ": " + v.Text() + ">"
	}
	return "<" + value.Type() + " object>"
}

// writeContainer appends repr of a value that holds others.
func (r *run) writeContainer(b *strings.Builder, v Value) error {
	for _, outer := range r.writing {
		if identical(outer, v) && Truth(v) {
			b.WriteString(map[string]string{"list": "[...]", "dict": "{...}"}[v.Type()])
			return nil
		}
	}
	if err := r.enter(); err != nil {
		return err
	}
	r.writing = append(r.writing, v)
	defer func() {
		r.writing = r.writing[:len(r.writing)-1]
		r.leave()
	}()
	switch v := v.(type) {
	case *List:
		return r.writeItems(b, "[", v.items, "]")
	case Tuple:
		if len(v) == 1 {
			return r.writeItems(b, "(", v, ",)")
		}
		return r.writeItems(b, "(", v, ")")
	case *Set:
		return r.writeSet(b, v)
	case *exception:
		b.WriteString(v.class.name)
		return r.writeItems(b, "(", v.args, ")")
	case *view:
		b.WriteString(v.name)
		items, err := r.collect(v)
		if err != nil {
			return err
		}
		return r.writeItems(b, "([", items, "])")
	}
	return r.writeDict(b, v.(*Dict))
}

func (r *run) writeItems(b *strings.Builder, open string, items []Value, closing string) error {
	b.WriteString(open)
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := r.write(b, item); err != nil {
			return err
		}
		if err := r.step(); err != nil {
			return err
		}
	}
	b.WriteString(closing)
	return r.grow(len(open) + len(closing) + 2*len(items))
}

func (r *run) writeSet(b *strings.Builder, s *Set) error {
	switch {
	case s.d.live == 0:
		b.WriteString(s.Type() + "()")
		return r.grow(12)
	case s.frozen:
		return r.writeItems(b, "frozenset({", s.d.Keys(), "})")
	}
	return r.writeItems(b, "{", s.d.Keys(), "}")
}

func (r *run) writeDict(b *strings.Builder, d *Dict) error {
	b.WriteByte('{')
	first := true
	for _, e := range d.entries {
		if e.key == nil {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		if err := r.write(b, e.key); err != nil {
			return err
		}
		b.WriteString(": ")
		if err := r.write(b, e.value); err != nil {
			return err
		}
		if err := r.step(); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return r.grow(4*d.live + 2)
}

// maxDigits is how many digits an integer may have as text, as in Python.
const maxDigits = 4300

func decimal(v *bigInt) (string, error) {
	if v.n.BitLen() > maxDigits*3322/1000 {
		return "", valueError.errorf("Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit")
	}
	return v.n.String(), nil
}

// floatText is the shortest text that reads back as f.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote appends repr of a text.
func quote(b *strings.Builder, s string) {
	q := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	b.WriteRune(q)
	for _, c := range s {
		switch {
		case c == q || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == ' ' || unicode.IsPrint(c):
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(b, `\u%04x`, c)
		default:
			fmt.Fprintf(b, `\U%08x`, c)
		}
	}
	b.WriteRune(q)
}

func quoteBytes(b *strings.Builder, s string) {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	b.WriteByte('b')
	b.WriteByte(q)
	for i := range len(s) {
		switch c := s[i]; {
		case c == q || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c >= ' ' && c < 0x7f:
			b.WriteByte(c)
		default:
			fmt.Fprintf(b, `\x%02x`, c)
		}
	}
	b.WriteByte(q)
}
