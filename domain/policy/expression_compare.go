package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// compared applies an operator that is neither in nor isnull.
func compared(op string, have, want any) bool {
	switch op {
	case "exact":
		return sameData(have, want)
	case "gt", "gte", "lt", "lte":
		n, ok := ordered(have, want)
		switch op {
		case "gt":
			return ok && n > 0
		case "gte":
			return ok && n >= 0
		case "lt":
			return ok && n < 0
		}
		return ok && n <= 0
	}
	if op == "contains" {
		if _, isText := have.(string); !isText {
			return holds(have, want)
		}
	}
	a, b := written(have), written(want)
	if strings.HasPrefix(op, "i") {
		a, b, op = fold(a), fold(b), op[1:]
	}
	switch op {
	case "contains":
		return strings.Contains(a, b)
	case "startswith":
		return strings.HasPrefix(a, b)
	case "endswith":
		return strings.HasSuffix(a, b)
	}
	return a == b // iexact
}

// holds is containment among data: an object holds its parts, and a list its
// items.
func holds(have, want any) bool {
	switch h := have.(type) {
	case map[string]any:
		w, ok := want.(map[string]any)
		for key, v := range w {
			inner, has := h[key]
			ok = ok && has && holds(inner, v)
		}
		return ok
	case []any:
		items, ok := want.([]any)
		if !ok {
			items = []any{want}
		}
		return !slices.ContainsFunc(items, func(w any) bool {
			return !slices.ContainsFunc(h, func(item any) bool { return holds(item, w) })
		})
	}
	return sameData(have, want)
}

// sameData compares data whose numbers may be of different types.
func sameData(a, b any) bool {
	if n, ok := ordered(a, b); ok {
		return n == 0
	}
	switch a.(type) {
	case map[string]any, []any:
		x, err := json.Marshal(a)
		y, err2 := json.Marshal(b)
		return err == nil && err2 == nil && string(x) == string(y)
	}
	return reflect.DeepEqual(a, b)
}

// ordered compares two texts, two numbers or two times; false if they are not
// of a kind.
func ordered(a, b any) (int, bool) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return cmp.Compare(x, y), ok
	case time.Time:
		y, ok := b.(time.Time)
		return x.Compare(y), ok
	}
	x, ok := real64(a)
	y, ok2 := real64(b)
	return cmp.Compare(x, y), ok && ok2
}

func real64(v any) (float64, bool) {
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

// number is a whole number, also one that is written as a text.
func number(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case string:
		var n int64
		_, err := fmt.Sscanf(v, "%d", &n)
		return n, err == nil && fmt.Sprint(n) == v
	}
	return 0, false
}

// written is a value as a text field would have it.
func written(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(v)
}

// fold makes texts equal that differ in case.
func fold(text string) string { return strings.ToLower(strings.ToUpper(text)) }
