package expr

import "slices"

// iterationFunctions are the builtins that go through several values.
var iterationFunctions = map[string]func(*Call) (Value, error){
	"iter":      builtinIter,
	"next":      builtinNext,
	"any":       func(c *Call) (Value, error) { return c.find(true) },
	"all":       func(c *Call) (Value, error) { return c.find(false) },
	"sum":       builtinSum,
	"min":       func(c *Call) (Value, error) { return c.extreme("<") },
	"max":       func(c *Call) (Value, error) { return c.extreme(">") },
	"sorted":    builtinSorted,
	"reversed":  builtinReversed,
	"enumerate": builtinEnumerate,
	"zip":       builtinZip,
	"map":       builtinMap,
	"filter":    builtinFilter,
}

func builtinIter(c *Call) (Value, error) {
	a, err := c.Bind("iterable")
	if err != nil {
		return nil, err
	}
	if it, ok := a[0].(*iterator); ok {
		return it, nil
	}
	next, err := c.r.iterate(a[0])
	return &iterator{a[0].Type() + "_iterator", next}, err
}

func builtinNext(c *Call) (Value, error) {
	a, err := c.Bind("iterator", "default?")
	if err != nil {
		return nil, err
	}
	it, ok := a[0].(*iterator)
	if !ok {
		return nil, typeError.errorf("'%s' object is not an iterator", a[0].Type())
	}
	v, ok, err := it.next()
	switch {
	case err != nil:
		return nil, err
	case ok:
		return v, nil
	case a[1] != nil:
		return a[1], nil
	}
	return nil, &Error{Kind: stopIteration.name, exception: &exception{class: stopIteration}}
}

// find reports what any and all do: whether a value is as wished for.
func (c *Call) find(wanted bool) (Value, error) {
	a, err := c.Bind("iterable")
	if err != nil {
		return nil, err
	}
	next, err := c.r.iterate(a[0])
	if err != nil {
		return nil, err
	}
	for {
		v, ok, err := next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return Bool(!wanted), nil
		}
		if Truth(v) == wanted {
			return Bool(wanted), nil
		}
	}
}

func builtinSum(c *Call) (Value, error) {
	a, err := c.Bind("iterable", "start?")
	if err != nil {
		return nil, err
	}
	total := a[1]
	if total == nil {
		total = Int(0)
	}
	if _, ok := total.(Str); ok {
		return nil, typeError.errorf("sum() can't sum strings [use ''.join(seq) instead]")
	}
	err = c.r.each(a[0], func(v Value) error {
		var err error
		total, err = c.r.binary("+", total, v)
		return err
	})
	return total, err
}

// extreme is min and max.
func (c *Call) extreme(op string) (Value, error) {
	var key, otherwise Value
	for _, n := range c.Named {
		switch n.Name {
		case "key":
			key = n.Value
		case "default":
			otherwise = n.Value
		default:
			return nil, typeError.errorf("%s() got an unexpected keyword argument '%s'", c.Name, n.Name)
		}
	}
	var source Value = Tuple(c.Args)
	switch len(c.Args) {
	case 0:
		return nil, typeError.errorf("%s expected at least 1 argument, got 0", c.Name)
	case 1:
		source = c.Args[0]
	}
	var best, bestKey Value
	err := c.r.each(source, func(v Value) error {
		k, err := c.keyOf(key, v)
		if err != nil || best == nil {
			best, bestKey = v, k
			return err
		}
		better, err := c.r.ordered(op, k, bestKey)
		if better {
			best, bestKey = v, k
		}
		return err
	})
	if err == nil && best == nil {
		if best = otherwise; best == nil {
			err = valueError.errorf("%s() arg is an empty sequence", c.Name)
		}
	}
	return best, err
}

// keyOf applies a key function; nil and None are none.
func (c *Call) keyOf(key, v Value) (Value, error) {
	if key == nil || key == None {
		return v, nil
	}
	return c.Call(key, v)
}

func builtinSorted(c *Call) (Value, error) {
	a, err := c.Bind("iterable", "key?", "reverse?")
	if err != nil {
		return nil, err
	}
	items, err := c.r.collect(a[0])
	if err != nil {
		return nil, err
	}
	return &List{items}, c.sort(items, a[1], a[2] != nil && Truth(a[2]))
}

// sort orders items in place; equal ones keep their order.
func (c *Call) sort(items []Value, key Value, reverse bool) error {
	type keyed struct{ key, v Value }
	if err := c.r.grow(32 * len(items)); err != nil {
		return err
	}
	all := make([]keyed, len(items))
	for i, v := range items {
		k, err := c.keyOf(key, v)
		if err != nil {
			return err
		}
		all[i] = keyed{k, v}
	}
	var failed error
	slices.SortStableFunc(all, func(a, b keyed) int {
		if failed != nil {
			return 0
		}
		if reverse {
			a, b = b, a
		}
		less, err := c.r.compare("<", a.key, b.key)
		if less || err != nil {
			failed = err
			return -1
		}
		more, err := c.r.compare("<", b.key, a.key)
		failed = err
		if more {
			return 1
		}
		return 0
	})
	for i, k := range all {
		items[i] = k.v
	}
	return failed
}

func builtinReversed(c *Call) (Value, error) {
	a, err := c.Bind("sequence")
	if err != nil {
		return nil, err
	}
	switch v := a[0].(type) {
	case rangeValue:
		n := v.len()
		return &iterator{"range_iterator", c.r.counted(n, func(i int) Value { return v.item(n - 1 - i) })}, nil
	case *Set, *iterator:
		return nil, typeError.errorf("'%s' object is not reversible", v.Type())
	}
	items, err := c.r.collect(a[0])
	n := len(items)
	return &iterator{"reversed", c.r.counted(n, func(i int) Value { return items[n-1-i] })}, err
}

func builtinEnumerate(c *Call) (Value, error) {
	a, err := c.Bind("iterable", "start?")
	if err != nil {
		return nil, err
	}
	i := 0
	if a[1] != nil {
		if i, err = asInt(a[1]); err != nil {
			return nil, err
		}
	}
	source, err := c.r.iterate(a[0])
	return &iterator{"enumerate", func() (Value, bool, error) {
		v, ok, err := source()
		if !ok || err != nil {
			return nil, false, err
		}
		i++
		return Tuple{Int(i - 1), v}, true, c.r.grow(56)
	}}, err
}

func builtinZip(c *Call) (Value, error) {
	strict := false
	for _, n := range c.Named {
		if n.Name != "strict" {
			return nil, typeError.errorf("zip() got an unexpected keyword argument '%s'", n.Name)
		}
		strict = Truth(n.Value)
	}
	sources, err := c.sources(c.Args)
	return &iterator{"zip", func() (Value, bool, error) {
		if len(sources) == 0 {
			return nil, false, nil
		}
		row := make(Tuple, len(sources))
		for i, source := range sources {
			v, ok, err := source()
			if err != nil {
				return nil, false, err
			}
			if !ok {
				return nil, false, unevenZip(sources, i, strict)
			}
			row[i] = v
		}
		return row, true, c.r.grow(24 + 16*len(row))
	}}, err
}

// unevenZip checks, when source i is over, that the others are too.
func unevenZip(sources []next, i int, strict bool) error {
	if !strict {
		return nil
	}
	if i > 0 {
		return valueError.errorf("zip() argument %d is shorter than argument 1", i+1)
	}
	for n, source := range sources[1:] {
		if _, ok, err := source(); err != nil {
			return err
		} else if ok {
			return valueError.errorf("zip() argument %d is longer than argument 1", n+2)
		}
	}
	return nil
}

func (c *Call) sources(args []Value) ([]next, error) {
	out := make([]next, len(args))
	for i, a := range args {
		var err error
		if out[i], err = c.r.iterate(a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func builtinMap(c *Call) (Value, error) {
	if len(c.Args) < 2 || len(c.Named) > 0 {
		return nil, typeError.errorf("map() must have at least two arguments.")
	}
	sources, err := c.sources(c.Args[1:])
	return &iterator{"map", func() (Value, bool, error) {
		args := make([]Value, len(sources))
		for i, source := range sources {
			v, ok, err := source()
			if !ok || err != nil {
				return nil, false, err
			}
			args[i] = v
		}
		v, err := c.Call(c.Args[0], args...)
		return v, err == nil, err
	}}, err
}

func builtinFilter(c *Call) (Value, error) {
	a, err := c.Bind("function", "iterable")
	if err != nil {
		return nil, err
	}
	source, err := c.r.iterate(a[1])
	return &iterator{"filter", func() (Value, bool, error) {
		for {
			v, ok, err := source()
			if !ok || err != nil {
				return nil, false, err
			}
			keep, err := c.keyOf(a[0], v)
			if err != nil {
				return nil, false, err
			}
			if Truth(keep) {
				return v, true, nil
			}
		}
	}}, err
}

func makeRange(c *Call) (Value, error) {
	a, err := c.Bind("start", "stop?", "step?")
	if err != nil {
		return nil, err
	}
	var n [3]int
	for i, v := range a {
		if v == nil {
			continue
		}
		if n[i], err = asInt(v); err != nil {
			return nil, err
		}
	}
	switch {
	case a[1] == nil:
		return rangeValue{0, n[0], 1}, nil
	case a[2] == nil:
		return rangeValue{n[0], n[1], 1}, nil
	case n[2] == 0:
		return nil, valueError.errorf("range() arg 3 must not be zero")
	}
	return rangeValue{n[0], n[1], n[2]}, nil
}
