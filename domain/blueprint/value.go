package blueprint

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Values are what YAML yields: nil, bool, int64, float64, string, stamp,
// []any, *mapping, and *tag where one is still to be resolved. They are
// shared between aliases and never written after they are made.

// A mapping keeps the order of the document, which tags can see. Keys are
// texts, as in JSON.
type mapping struct {
	keys   []string
	values map[string]any
	lines  map[string]int // where each key stands; only for what was parsed
}

func newMapping() *mapping { return &mapping{values: map[string]any{}} }

func (m *mapping) set(key string, v any) {
	if _, there := m.values[key]; !there {
		m.keys = append(m.keys, key)
	}
	m.values[key] = v
}

// get is nil-safe, for absent mappings.
func (m *mapping) get(key string) (any, bool) {
	if m == nil {
		return nil, false
	}
	v, ok := m.values[key]
	return v, ok
}

// line tells where a key stands, or 0.
func (m *mapping) line(key string) int {
	if m == nil {
		return 0
	}
	return m.lines[key]
}

// A stamp is a date or a time that the YAML loader recognised.
type stamp struct {
	time.Time
	text string // as Python prints it in JSON
}

// valueOf turns JSON values of Go into ours; mappings get a fixed order.
func valueOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := newMapping()
		for _, key := range slices.Sorted(maps.Keys(v)) {
			m.set(key, valueOf(v[key]))
		}
		return m
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = valueOf(v[i])
		}
		return out
	case int:
		return int64(v)
	case nil, bool, int64, float64, string:
		return v
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.CanInt():
		return rv.Int()
	case rv.Kind() == reflect.Slice:
		out := make([]any, rv.Len())
		for i := range out {
			out[i] = valueOf(rv.Index(i).Interface())
		}
		return out
	}
	return fmt.Sprint(v)
}

// deepMerge is the merge of spec/blueprints.md 1.4: mappings key by key, lists
// one after the other, else over wins.
func (b *budget) deepMerge(base, over any) (any, error) {
	switch over := over.(type) {
	case *mapping:
		under, ok := base.(*mapping)
		if !ok {
			break
		}
		if err := b.spend(len(under.keys) + len(over.keys)); err != nil {
			return nil, err
		}
		out := &mapping{keys: slices.Clone(under.keys), values: maps.Clone(under.values)}
		for _, key := range over.keys {
			v := over.values[key]
			if old, there := out.values[key]; there {
				merged, err := b.deepMerge(old, v)
				if err != nil {
					return nil, err
				}
				v = merged
			}
			out.set(key, v)
		}
		return out, nil
	case []any:
		if under, ok := base.([]any); ok {
			return slices.Concat(under, over), b.spend(len(under) + len(over))
		}
	}
	return over, nil
}

// truth is Python's.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case *mapping:
		return len(v.keys) > 0
	}
	return true
}

// plain turns a resolved value into the JSON value that is stored. A stamp
// stays one at the top, for fields that hold times, and is text below it.
func (b *budget) plain(v any) (any, error) {
	if s, ok := v.(stamp); ok {
		return s.Time, nil
	}
	return b.plainBelow(v, 0)
}

func (b *budget) plainBelow(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, overLimit("a value is nested deeper than %d levels", maxDepth)
	}
	if err := b.spend(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *tag:
		return nil, faultf("The tag !%s in line %d is not resolved here.", v.name, v.line)
	case stamp:
		return v.text, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, faultf("Out of range float values are not JSON compliant")
		}
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = b.plainBelow(item, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *mapping:
		out := make(map[string]any, len(v.keys))
		for _, key := range v.keys {
			var err error
			if out[key], err = b.plainBelow(v.values[key], depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// keyText is the text of a mapping key as JSON has it.
func keyText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case nil:
		return "null", true
	case bool, int64, float64:
		return strings.ToLower(pyString(v)), true
	case stamp:
		return v.text, true
	}
	return "", false
}
