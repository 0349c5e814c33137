package expr

import "unicode/utf8"

// next returns the next value of an iteration; ok is false at its end.
type next func() (v Value, ok bool, err error)

// iterator is an iteration as a value.
type iterator struct {
	name string // of its type
	next next
}

// Type implements [Value].
func (i *iterator) Type() string { return i.name }

// rangeValue is range(from, to, step).
type rangeValue struct{ from, to, step int }

// Type implements [Value].
func (rangeValue) Type() string { return "range" }

func (g rangeValue) len() int {
	lo, hi, step := g.from, g.to, g.step
	if step < 0 {
		lo, hi, step = hi, lo, -step
	}
	if lo >= hi {
		return 0
	}
	return int((uint(hi)-uint(lo)-1)/uint(step) + 1)
}

func (g rangeValue) item(i int) Value { return Int(g.from + i*g.step) }

func (g rangeValue) contains(n int) bool {
	if g.step > 0 {
		return n >= g.from && n < g.to && (uint(n)-uint(g.from))%uint(g.step) == 0
	}
	return n <= g.from && n > g.to && (uint(g.from)-uint(n))%uint(-g.step) == 0
}

func (g rangeValue) equal(o rangeValue) bool {
	n := g.len()
	return n == o.len() && (n == 0 || g.from == o.from && (n == 1 || g.step == o.step))
}

// iterate begins an iteration over v.
func (r *run) iterate(v Value) (next, error) {
	switch v := v.(type) {
	case *List:
		i := 0
		return func() (Value, bool, error) {
			if i >= len(v.items) {
				return nil, false, nil
			}
			i++
			return v.items[i-1], true, r.step()
		}, nil
	case Tuple:
		return r.over(v), nil
	case *Dict:
		return r.overDict(v, func(e *entry) Value { return e.key }), nil
	case *Set:
		return r.overDict(&v.d, func(e *entry) Value { return e.key }), nil
	case Str:
		return r.letters(string(v)), nil
	case Bytes:
		return r.counted(len(v), func(i int) Value { return Int(v[i]) }), nil
	case rangeValue:
		return r.counted(v.len(), v.item), nil
	case *iterator:
		return v.next, nil
	case *view:
		return r.overDict(v.d, v.pick), nil
	case Fetcher:
		items, err := v.Fetch()
		if err != nil {
			return nil, err
		}
		return r.over(items), nil
	case Iterable:
		return r.over(v.Items()), nil
	}
	return nil, typeError.errorf("'%s' object is not iterable", v.Type())
}

func (r *run) over(items []Value) next {
	return r.counted(len(items), func(i int) Value { return items[i] })
}

func (r *run) counted(n int, item func(i int) Value) next {
	i := 0
	return func() (Value, bool, error) {
		if i >= n {
			return nil, false, nil
		}
		i++
		return item(i - 1), true, r.step()
	}
}

func (r *run) letters(s string) next {
	return func() (Value, bool, error) {
		if s == "" {
			return nil, false, nil
		}
		_, size := utf8.DecodeRuneInString(s)
		v := Str(s[:size])
		s = s[size:]
		return v, true, r.step()
	}
}

func (r *run) overDict(d *Dict, pick func(e *entry) Value) next {
	i, live := 0, d.live
	return func() (Value, bool, error) {
		if d.live != live {
			return nil, false, runtimeError.errorf("dictionary changed size during iteration")
		}
		for i < len(d.entries) {
			e := &d.entries[i]
			i++
			if e.key != nil {
				return pick(e), true, r.step()
			}
		}
		return nil, false, nil
	}
}

// each calls do for every value that v iterates over.
func (r *run) each(v Value, do func(Value) error) error {
	next, err := r.iterate(v)
	if err != nil {
		return err
	}
	for {
		item, ok, err := next()
		if !ok || err != nil {
			return err
		}
		if err := do(item); err != nil {
			return err
		}
	}
}

// itemSize is what a value of a growing list costs, with what is left behind
// when the list moves.
const itemSize = 48

// collect returns what v iterates over.
func (r *run) collect(v Value) ([]Value, error) {
	var out []Value
	if l, ok := v.(*List); ok {
		out = make([]Value, 0, len(l.items))
	}
	err := r.each(v, func(item Value) error {
		out = append(out, item)
		return r.grow(itemSize)
	})
	return out, err
}

// view is keys(), values() or items() of a dictionary.
type view struct {
	name string
	d    *Dict
	pick func(e *entry) Value
}

// Type implements [Value].
func (v *view) Type() string { return v.name }

// Len implements [Lengther].
func (v *view) Len() int { return v.d.live }
