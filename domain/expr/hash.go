package expr

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// composite is the hash of a value that has no comparable form of its own. It
// begins with a letter for the kind.
type composite string

// hasher is implemented by values that are equal by content.
type hasher interface{ hash() any }

// hash returns what values that are equal have in common, as something that
// can be compared with == and stand in a map.
func (r *run) hash(v Value) (any, error) {
	switch v := v.(type) {
	case Int, noneType:
		return v, nil
	case Str:
		return v, r.work(len(v))
	case Bytes:
		return v, r.work(len(v))
	case Bool:
		if v {
			return Int(1), nil
		}
		return Int(0), nil
	case Float:
		return floatHash(v), nil
	case *bigInt:
		return composite("i" + v.n.Text(62)), r.work(v.n.BitLen())
	case Tuple:
		return r.hashAll('t', v, false)
	case *Set:
		if v.frozen {
			return r.hashAll('z', v.d.Keys(), true)
		}
	case *List, *Dict:
	case hasher:
		return v.hash(), nil
	default:
		if comparable(v) {
			return v, nil
		}
	}
	return nil, typeError.errorf("unhashable type: '%s'", v.Type())
}

func floatHash(v Float) any {
	f := float64(v)
	if f != math.Trunc(f) || math.IsInf(f, 0) {
		return v
	}
	if f >= math.MinInt64 && f < math.MaxInt64 {
		return Int(f)
	}
	return composite("i" + bigOfFloat(f).Text(62))
}

// hashAll puts the hashes of several values into one.
func (r *run) hashAll(kind byte, items []Value, sorted bool) (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	parts := make([]string, 0, len(items))
	total := 0
	for _, item := range items {
		h, err := r.hash(item)
		if err != nil {
			return nil, err
		}
		part := encodeHash(h)
		part = strconv.Itoa(len(part)) + ":" + part
		total += len(part)
		parts = append(parts, part)
	}
	if err := r.grow(6*total + 64*len(parts)); err != nil {
		return nil, err
	}
	if sorted {
		slices.Sort(parts)
	}
	return composite(string(kind) + strings.Join(parts, "")), r.work(total)
}

func encodeHash(h any) string {
	switch h := h.(type) {
	case Str:
		return "s" + string(h)
	case Bytes:
		return "b" + string(h)
	case Int:
		return "n" + strconv.FormatInt(int64(h), 36)
	case Float:
		return "f" + strconv.FormatUint(math.Float64bits(float64(h)), 36)
	case noneType:
		return "0"
	case composite:
		return string(h)
	}
	return fmt.Sprintf("p%T%p", h, h)
}

// comparable reports whether a value has an identity that == compares.
func comparable(v Value) bool { return reflect.TypeOf(v).Kind() == reflect.Pointer }

// identical is the operator is.
func identical(x, y Value) bool {
	switch x := x.(type) {
	case Tuple:
		y, ok := y.(Tuple)
		return ok && len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
	case noneType, Bool, Int, Float, Str, Bytes, rangeValue:
		return x == y
	}
	return comparable(x) && x == y
}
