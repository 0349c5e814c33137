package expr

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"
)

// maxConvert is how deep data may nest to be converted.
const maxConvert = 100

// FromGo makes a value of nil, a bool, a number, a string, a []byte, a
// time.Time, or slices and maps of such; of anything else, its text. Maps get
// their keys in order.
func FromGo(v any) Value { return fromGo(v, 0) }

func fromGo(v any, depth int) Value {
	if depth > maxConvert {
		return None
	}
	switch v := v.(type) {
	case nil:
		return None
	case Value:
		return v
	case bool:
		return Bool(v)
	case int:
		return Int(v)
	case int64:
		return Int(v)
	case *big.Int:
		return integer(v)
	case float64:
		return Float(v)
	case string:
		return Str(strings.ToValidUTF8(v, "\ufffd"))
	case []byte:
		return Bytes(v)
	case time.Time:
		return moment{v, true}
	case json.Number:
		return fromNumber(v)
	case []any:
		items := make([]Value, len(v))
		for i, item := range v {
			items[i] = fromGo(item, depth+1)
		}
		return &List{items}
	case map[string]any:
		d := &Dict{entries: make([]entry, 0, len(v))}
		for _, key := range sortedKeys(v) {
			d.Set(key, fromGo(v[key], depth+1))
		}
		return d
	}
	return fromReflected(reflect.ValueOf(v), depth)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func fromNumber(n json.Number) Value {
	if i, ok := new(big.Int).SetString(string(n), 10); ok && len(n) <= maxDigits {
		return integer(i)
	}
	f, _ := n.Float64()
	return Float(f)
}

// fromReflected converts the less common types by their kind.
func fromReflected(v reflect.Value, depth int) Value {
	switch v.Kind() {
	case reflect.Bool:
		return Bool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return integer(new(big.Int).SetUint64(v.Uint()))
	case reflect.Float32, reflect.Float64:
		return Float(v.Float())
	case reflect.String:
		return fromGo(v.String(), depth)
	case reflect.Slice, reflect.Array:
		items := make([]Value, v.Len())
		for i := range items {
			items[i] = fromGo(v.Index(i).Interface(), depth+1)
		}
		return &List{items}
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for _, key := range v.MapKeys() {
			m[fmt.Sprint(key)] = v.MapIndex(key).Interface()
		}
		return fromGo(m, depth)
	case reflect.Pointer:
		if v.IsNil() {
			return None
		}
		return fromGo(v.Elem().Interface(), depth+1)
	}
	return Str(strings.ToValidUTF8(fmt.Sprint(v), "\ufffd"))
}

// ToGo makes plain data of a value: nil, bool, int64, *big.Int, float64,
// string, []byte, time.Time, []any or map[string]any. An object of the host is
// returned as it is; anything else as its text.
func ToGo(v Value) any {
	left := maxParts
	return toGo(v, 0, &left)
}

// maxParts is how many parts of a value are converted: more than an evaluation
// can make, but a value can hold itself, or another one many times.
const maxParts = 250_000

func toGo(v Value, depth int, left *int) any {
	if *left--; depth > maxConvert || *left < 0 {
		return nil
	}
	switch v := v.(type) {
	case nil, noneType:
		return nil
	case Bool:
		return bool(v)
	case Int:
		return int64(v)
	case *bigInt:
		return v.n
	case Float:
		return float64(v)
	case Str:
		return string(v)
	case Bytes:
		return []byte(v)
	case moment:
		return v.t
	case *Dict:
		m := make(map[string]any, v.live)
		for _, e := range v.entries {
			if e.key != nil {
				m[keyText(e.key)] = toGo(e.value, depth+1, left)
			}
		}
		return m
	case *view:
		var out []any
		for i := range v.d.entries {
			if e := &v.d.entries[i]; e.key != nil {
				out = append(out, toGo(v.pick(e), depth+1, left))
			}
		}
		return out
	case *List:
		return toGoAll(v.items, depth, left)
	case Tuple:
		return toGoAll(v, depth, left)
	case *Set:
		return toGoAll(v.Items(), depth, left)
	case *function, *builtin, *bound, *unbound, *Class, *iterator, *module, rangeValue:
		return opaque(v)
	case *exception:
		return v.class.name
	case Texter:
		if _, isHost := v.(hasClass); isHost {
			return v.Text()
		}
	}
	return v
}

func toGoAll(items []Value, depth int, left *int) any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = toGo(item, depth+1, left)
	}
	return out
}

// keyText is a key of a dictionary as a key of a map.
func keyText(v Value) string {
	switch v := v.(type) {
	case Str:
		return string(v)
	case Texter:
		return v.Text()
	case Int, Bool, Float, noneType:
		return fmt.Sprint(ToGo(v))
	}
	return opaque(v)
}
