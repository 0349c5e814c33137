package expr

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
)

var jsonModule = map[string]Value{
	"dumps":           Builtin("dumps", jsonDumps),
	"loads":           Builtin("loads", jsonLoads),
	"JSONDecodeError": jsonDecodeError,
}

var jsonDecodeError = newException("JSONDecodeError", valueError)

// A jsonWriter writes a value as JSON in the layout of Python.
type jsonWriter struct {
	c           *Call
	b           strings.Builder
	item, colon string
	indent      string // of one level; with isIndented
	isIndented  bool
	ascii       bool
	sorted      bool
	otherwise   Value // function for what JSON has not; or nil
}

func jsonDumps(c *Call) (Value, error) {
	a, err := c.Bind("obj", "indent?", "sort_keys?", "separators?", "ensure_ascii?", "default?", "skipkeys?", "allow_nan?", "cls?")
	if err != nil {
		return nil, err
	}
	if len(c.Args) > 1 {
		return nil, typeError.errorf("dumps() takes 1 positional argument but %d were given", len(c.Args))
	}
	w := &jsonWriter{c: c, item: ", ", colon: ": ", ascii: a[4] == nil || Truth(a[4]), sorted: a[2] != nil && Truth(a[2])}
	switch v := a[1].(type) {
	case Str:
		w.isIndented, w.indent = true, string(v)
	case Int:
		w.isIndented, w.indent = true, strings.Repeat(" ", int(min(max(v, 0), 64)))
	}
	if w.isIndented {
		w.item = ","
	}
	if a[3] != nil && a[3] != None {
		pair, err := c.r.spreadOver(a[3], 2, -1)
		if err != nil {
			return nil, err
		}
		if w.item, err = asText(pair[0]); err != nil {
			return nil, err
		}
		if w.colon, err = asText(pair[1]); err != nil {
			return nil, err
		}
	}
	if a[5] != nil && a[5] != None {
		w.otherwise = a[5]
	}
	if err := w.write(a[0], 0); err != nil {
		return nil, err
	}
	return Str(w.b.String()), nil
}

// put appends a text and accounts for it.
func (w *jsonWriter) put(s string) error {
	w.b.WriteString(s)
	return w.c.r.grow(2 * len(s))
}

func (w *jsonWriter) write(v Value, depth int) error {
	if err := w.c.r.enter(); err != nil {
		return err
	}
	defer w.c.r.leave()
	switch v := v.(type) {
	case noneType:
		return w.put("null")
	case Bool:
		return w.put(fmt.Sprint(bool(v)))
	case Int, *bigInt:
		s, err := w.c.r.repr(v)
		if err != nil {
			return err
		}
		return w.put(s)
	case Float:
		return w.put(jsonFloat(float64(v)))
	case Str:
		if err := w.c.r.grow(4 * len(v)); err != nil { // escapes are longer than what they stand for
			return err
		}
		return w.put(w.quoted(string(v)))
	case *List:
		return w.items(v.items, depth)
	case Tuple:
		return w.items(v, depth)
	case *Dict:
		return w.dict(v, depth)
	}
	if w.otherwise == nil {
		return typeError.errorf("Object of type %s is not JSON serializable", v.Type())
	}
	other, err := w.c.Call(w.otherwise, v)
	if err != nil {
		return err
	}
	return w.write(other, depth)
}

func jsonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return floatText(f)
}

func (w *jsonWriter) quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\b':
			b.WriteString(`\b`)
		case c == '\f':
			b.WriteString(`\f`)
		case c < ' ' || c == 0x7f && w.ascii || c > 0x7f && c < 0x10000 && w.ascii:
			fmt.Fprintf(&b, `\u%04x`, c)
		case c >= 0x10000 && w.ascii:
			hi, lo := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return strings.ReplaceAll(b.String(), `\u007f`, "\x7f")
}

// line begins a line of an indented container.
func (w *jsonWriter) line(depth int) error {
	if !w.isIndented {
		return nil
	}
	if err := w.c.r.grow(len(w.indent) * depth); err != nil {
		return err
	}
	return w.put("\n" + strings.Repeat(w.indent, depth))
}

func (w *jsonWriter) items(items []Value, depth int) error {
	if len(items) == 0 {
		return w.put("[]")
	}
	separator := "["
	for _, item := range items {
		if err := w.put(separator); err != nil {
			return err
		}
		separator = w.item
		if err := w.line(depth + 1); err != nil {
			return err
		}
		if err := w.write(item, depth+1); err != nil {
			return err
		}
	}
	if err := w.line(depth); err != nil {
		return err
	}
	return w.put("]")
}

func (w *jsonWriter) dict(d *Dict, depth int) error {
	if d.live == 0 {
		return w.put("{}")
	}
	keys := d.Keys()
	if w.sorted {
		if err := w.c.sort(keys, nil, false); err != nil {
			return err
		}
	}
	separator := "{"
	for _, key := range keys {
		name, err := w.key(key)
		if err != nil {
			return err
		}
		value, err := w.c.r.item(d, key)
		if err != nil {
			return err
		}
		if err := w.put(separator); err != nil {
			return err
		}
		separator = w.item
		if err := w.line(depth + 1); err != nil {
			return err
		}
		if err := w.put(w.quoted(name) + w.colon); err != nil {
			return err
		}
		if err := w.write(value, depth+1); err != nil {
			return err
		}
	}
	if err := w.line(depth); err != nil {
		return err
	}
	return w.put("}")
}

func (w *jsonWriter) key(key Value) (string, error) {
	switch key := key.(type) {
	case Str:
		return string(key), nil
	case noneType:
		return "null", nil
	case Bool:
		return fmt.Sprint(bool(key)), nil
	case Int, *bigInt:
		return w.c.r.repr(key)
	case Float:
		return jsonFloat(float64(key)), nil
	}
	return "", typeError.errorf("keys must be str, int, float, bool or None, not %s", key.Type())
}
