package blueprint

import (
	"slices"
	"strconv"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// same compares two JSON values; the common cases are quick because every
// look-up asks it of every thing.
func same(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	}
	n, isNumber := number(a)
	m, bothNumbers := number(b)
	if isNumber || bothNumbers {
		return isNumber && bothNumbers && n == m
	}
	return object.Equal(a, b)
}

// sameField compares two values of a field. References to many are sets.
func sameField(f catalog.Field, a, b any) bool {
	if !f.Many || f.Type != catalog.Reference {
		return same(a, b)
	}
	return slices.Equal(keySet(a), keySet(b))
}

// keySet lists the primary keys in a value, sorted and each once.
func keySet(v any) []string {
	var keys []string
	for _, item := range listOf(v) {
		keys = append(keys, keyString(item))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// listOf lists the values of a field that refers to one or many.
func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	case string, bool, int, int64, float64:
		return []any{v}
	}
	list, _ := valueOf(v).([]any)
	return list
}

// keyString is the text of a primary key.
func keyString(v any) string {
	if n, ok := number(v); ok {
		return strconv.FormatInt(int64(n), 10)
	}
	text, _ := v.(string)
	return text
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
