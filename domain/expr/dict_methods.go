package expr

var dictMethods = map[string]method{
	"get":        dictGet,
	"pop":        dictPop,
	"popitem":    dictPopItem,
	"setdefault": dictSetDefault,
	"update":     dictUpdate,
	"keys":       func(_ *Call, self Value) (Value, error) { return keysOf(self.(*Dict)), nil },
	"values": func(_ *Call, self Value) (Value, error) {
		return &view{"dict_values", self.(*Dict), func(e *entry) Value { return e.value }}, nil
	},
	"items": func(_ *Call, self Value) (Value, error) {
		return &view{"dict_items", self.(*Dict), func(e *entry) Value { return Tuple{e.key, e.value} }}, nil
	},
	"copy": func(c *Call, self Value) (Value, error) {
		d := self.(*Dict)
		return d.copy(), c.r.grow(96 * d.live)
	},
	"clear": func(_ *Call, self Value) (Value, error) {
		self.(*Dict).clear()
		return None, nil
	},
}

func keysOf(d *Dict) Value {
	return &view{"dict_keys", d, func(e *entry) Value { return e.key }}
}

// viewContains is v in keys(), values() or items(); but for values it is a
// look-up.
func (r *run) viewContains(v *view, x Value) (bool, error) {
	switch v.name {
	case "dict_keys":
		return r.contains(v.d, x)
	case "dict_items":
		pair, ok := x.(Tuple)
		if !ok || len(pair) != 2 {
			return false, nil
		}
		h, err := r.hash(pair[0])
		if err != nil {
			return false, err
		}
		found, ok := v.d.get(h)
		if !ok {
			return false, nil
		}
		return r.equal(found, pair[1])
	}
	values, err := r.collect(v)
	if err != nil {
		return false, err
	}
	at, err := r.search(values, x, 0)
	return at >= 0, err
}

// makeDict is dict(mapping or pairs, **kwargs).
func makeDict(c *Call) (Value, error) {
	d := NewDict()
	return d, c.fillDict(d)
}

func (c *Call) fillDict(d *Dict) error {
	if len(c.Args) > 1 {
		return typeError.errorf("dict expected at most 1 argument, got %d", len(c.Args))
	}
	if len(c.Args) == 1 {
		if other, ok := c.Args[0].(*Dict); ok {
			if err := c.r.update(d, other); err != nil {
				return err
			}
		} else if err := c.pairs(d, c.Args[0]); err != nil {
			return err
		}
	}
	for _, n := range c.Named {
		d.Set(n.Name, n.Value)
	}
	return c.r.grow(96 * len(c.Named))
}

// pairs puts pairs of key and value into d.
func (c *Call) pairs(d *Dict, from Value) error {
	n := 0
	return c.r.each(from, func(v Value) error {
		pair, err := c.r.collect(v)
		if err != nil {
			return typeError.errorf("cannot convert dictionary update sequence element #%d to a sequence", n)
		}
		if len(pair) != 2 {
			return valueError.errorf("dictionary update sequence element #%d has length %d; 2 is required", n, len(pair))
		}
		n++
		return c.r.put(d, pair[0], pair[1])
	})
}

func dictFromKeys(c *Call) (Value, error) {
	a, err := c.Bind("iterable", "value?")
	if err != nil {
		return nil, err
	}
	if a[1] == nil {
		a[1] = None
	}
	d := NewDict()
	return d, c.r.each(a[0], func(v Value) error { return c.r.put(d, v, a[1]) })
}

func dictGet(c *Call, self Value) (Value, error) {
	var key, otherwise Value = nil, None
	switch len(c.Args) {
	case 2:
		otherwise = c.Args[1]
		fallthrough
	case 1:
		key = c.Args[0]
	}
	if key == nil || len(c.Named) > 0 {
		a, err := c.Bind("key", "default?")
		if err != nil {
			return nil, err
		}
		if key = a[0]; a[1] != nil {
			otherwise = a[1]
		}
	}
	h, err := c.r.hash(key)
	if err != nil {
		return nil, err
	}
	if v, ok := self.(*Dict).get(h); ok {
		return v, nil
	}
	return otherwise, nil
}

func dictPop(c *Call, self Value) (Value, error) {
	a, err := c.Bind("key", "default?")
	if err != nil {
		return nil, err
	}
	h, err := c.r.hash(a[0])
	if err != nil {
		return nil, err
	}
	d := self.(*Dict)
	if v, ok := d.remove(h); ok {
		return v, c.r.work(d.live)
	}
	if a[1] == nil {
		return nil, c.r.missing(a[0])
	}
	return a[1], nil
}

func dictPopItem(c *Call, self Value) (Value, error) {
	d := self.(*Dict)
	for i := len(d.entries) - 1; i >= 0; i-- {
		if e := d.entries[i]; e.key != nil {
			d.remove(e.hash)
			return Tuple{e.key, e.value}, c.r.work(len(d.entries))
		}
	}
	return nil, c.r.missing(Str("popitem(): dictionary is empty"))
}

func dictSetDefault(c *Call, self Value) (Value, error) {
	a, err := c.Bind("key", "default?")
	if err != nil {
		return nil, err
	}
	h, err := c.r.hash(a[0])
	if err != nil {
		return nil, err
	}
	d := self.(*Dict)
	if v, ok := d.get(h); ok {
		return v, nil
	}
	if a[1] == nil {
		a[1] = None
	}
	d.put(h, a[0], a[1])
	return a[1], c.r.grow(entrySize)
}

func dictUpdate(c *Call, self Value) (Value, error) {
	return None, c.fillDict(self.(*Dict))
}
