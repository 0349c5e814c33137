package policy

import (
	"strings"

	"github.com/flowledger/flowledger/domain/expr"
)

// A mapping is a dictionary that the host fills and expressions only read: the
// query of a page, headers. Each name has one or more values.
type mapping struct {
	name   string
	keys   []string
	values map[string][]expr.Value // by key, folded if that does not matter
	fold   bool
	many   bool // there is getlist
}

func newMapping(name string, fold, many bool) *mapping {
	return &mapping{name: name, values: map[string][]expr.Value{}, fold: fold, many: many}
}

func (m *mapping) folded(key string) string {
	if m.fold {
		return strings.ToLower(key)
	}
	return key
}

// put adds values under a key.
func (m *mapping) put(key string, values ...expr.Value) {
	at := m.folded(key)
	if _, ok := m.values[at]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[at] = append(m.values[at], values...)
}

// get returns the last value under a key.
func (m *mapping) get(key expr.Value) (expr.Value, bool) {
	name, ok := key.(expr.Str)
	values := m.values[m.folded(string(name))]
	if !ok || len(values) == 0 {
		return nil, false
	}
	return values[len(values)-1], true
}

// Type implements [expr.Value].
func (m *mapping) Type() string { return m.name }

// Text implements [expr.Texter].
func (m *mapping) Text() string { return "<" + m.name + ": " + expr.Repr(m.dict()) + ">" }

func (m *mapping) dict() *expr.Dict {
	d := expr.NewDict()
	for _, key := range m.keys {
		v, _ := m.get(expr.Str(key))
		d.Set(key, v)
	}
	return d
}

// Len implements [expr.Lengther].
func (m *mapping) Len() int { return len(m.keys) }

// Items implements [expr.Iterable].
func (m *mapping) Items() []expr.Value {
	out := make([]expr.Value, len(m.keys))
	for i, key := range m.keys {
		out[i] = expr.Str(key)
	}
	return out
}

// Contains implements [expr.Container].
func (m *mapping) Contains(key expr.Value) (bool, error) {
	_, ok := m.get(key)
	return ok, nil
}

// Index implements [expr.Indexer].
func (m *mapping) Index(key expr.Value) (expr.Value, bool, error) {
	v, ok := m.get(key)
	return v, ok, nil
}

// Attr implements [expr.Attrs].
func (m *mapping) Attr(name string) (expr.Value, bool) {
	var fn func(c *expr.Call) (expr.Value, error)
	switch name {
	case "get":
		fn = func(c *expr.Call) (expr.Value, error) {
			args, err := c.Bind("key", "default?")
			if err != nil {
				return nil, err
			}
			v, ok := m.get(args[0])
			if !ok {
				return args[1], nil
			}
			return v, nil
		}
	case "getlist":
		fn = func(c *expr.Call) (expr.Value, error) {
			args, err := c.Bind("key", "default?")
			if err != nil {
				return nil, err
			}
			key, _ := args[0].(expr.Str)
			values, ok := m.values[m.folded(string(key))]
			if !ok && args[1] != nil {
				return args[1], nil
			}
			return expr.NewList(append([]expr.Value{}, values...)...), nil
		}
		if !m.many {
			return nil, false
		}
	case "keys":
		fn = func(c *expr.Call) (expr.Value, error) { return expr.NewList(m.Items()...), bare(c) }
	case "values":
		fn = func(c *expr.Call) (expr.Value, error) { return expr.NewList(m.each(false)...), bare(c) }
	case "items":
		fn = func(c *expr.Call) (expr.Value, error) { return expr.NewList(m.each(true)...), bare(c) }
	case "dict", "copy":
		fn = func(c *expr.Call) (expr.Value, error) { return m.dict(), bare(c) }
	default:
		return nil, false
	}
	return expr.Builtin(name, fn), true
}

// each lists the values, with their keys if wanted.
func (m *mapping) each(keys bool) []expr.Value {
	out := make([]expr.Value, len(m.keys))
	for i, key := range m.keys {
		out[i], _ = m.get(expr.Str(key))
		if keys {
			out[i] = expr.Tuple{expr.Str(key), out[i]}
		}
	}
	return out
}
