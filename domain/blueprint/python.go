package blueprint

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Blueprints show Python in a few places: how values print, and what is
// equal.

// pyString is str(v).
func pyString(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return pyRepr(v)
}

// pyRepr is repr(v), cut short where a value is huge.
func pyRepr(v any) string {
	var b strings.Builder
	writeRepr(&b, v)
	return b.String()
}

func writeRepr(b *strings.Builder, v any) {
	if b.Len() > 1<<16 {
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(pyFloat(v))
	case string:
		b.WriteString(pyQuote(v))
	case stamp:
		b.WriteString(strings.Replace(v.text, "T", " ", 1))
	case []any:
		b.WriteString("[")
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeRepr(b, item)
		}
		b.WriteString("]")
	case *mapping:
		b.WriteString("{")
		for i, key := range v.keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(pyQuote(key) + ": ")
			writeRepr(b, v.values[key])
		}
		b.WriteString("}")
	case *tag:
		b.WriteString("<!" + v.name + ">")
	default:
		writeRepr(b, valueOf(v))
	}
}

// pyQuote quotes as Python does: single quotes, unless only those occur.
func pyQuote(text string) string {
	quote := "'"
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = `"`
	}
	pairs := []string{`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, quote, `\` + quote}
	return quote + strings.NewReplacer(pairs...).Replace(text) + quote
}

func pyFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return map[bool]string{true: "inf", false: "-inf"}[f > 0]
	case f == math.Trunc(f) && math.Abs(f) < 1e16:
		return strconv.FormatFloat(f, 'f', 1, 64)
	case math.Abs(f) >= 1e16 || math.Abs(f) < 1e-4:
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// pyType names a value's type as Python does.
func pyType(v any) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case *mapping:
		return "dict"
	case stamp:
		return "datetime"
	}
	return fmt.Sprintf("%T", v)
}

// pyEqual is v == w: numbers and booleans compare by what they count.
func pyEqual(v, w any) bool {
	a, isNumber := pyNumber(v)
	b, bothNumbers := pyNumber(w)
	if isNumber || bothNumbers {
		return isNumber && bothNumbers && a == b
	}
	switch v := v.(type) {
	case []any:
		other, ok := w.([]any)
		if !ok || len(v) != len(other) {
			return false
		}
		for i := range v {
			if !pyEqual(v[i], other[i]) {
				return false
			}
		}
		return true
	case *mapping:
		other, ok := w.(*mapping)
		if !ok || len(v.keys) != len(other.keys) {
			return false
		}
		for _, key := range v.keys {
			item, there := other.get(key)
			if !there || !pyEqual(v.values[key], item) {
				return false
			}
		}
		return true
	case stamp:
		other, ok := w.(stamp)
		return ok && v.Equal(other.Time)
	case nil, string:
		return v == w
	}
	return false
}

func pyNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
