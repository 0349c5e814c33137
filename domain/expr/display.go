package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

// An item of a display; a starred one stands for several.
type item struct {
	x    code
	star bool
}

func (c *compiler) items(xs []syntax.Expr) ([]item, error) {
	out := make([]item, len(xs))
	for i, x := range xs {
		star, isStar := x.(*syntax.Starred)
		if isStar {
			x = star.X
		}
		value, err := c.expression(x)
		if err != nil {
			return nil, err
		}
		out[i] = item{value, isStar}
	}
	return out, nil
}

func (f *frame) evaluate(items []item) ([]Value, error) {
	out := make([]Value, 0, len(items))
	for _, item := range items {
		v, err := item.x(f)
		if err != nil {
			return nil, err
		}
		if !item.star {
			out = append(out, v)
			continue
		}
		more, err := f.r.collect(v)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	if err := f.r.work(8 * len(items)); err != nil {
		return nil, err
	}
	return out, f.r.grow(16*len(out) + 24)
}

func (c *compiler) sequence(x *syntax.Sequence) (code, error) {
	items, err := c.items(x.Items)
	return func(f *frame) (Value, error) {
		values, err := f.evaluate(items)
		if err != nil {
			return nil, at(err, x.Pos)
		}
		switch x.Open {
		case '[':
			return &List{values}, nil
		case '(':
			return Tuple(values), nil
		}
		s := &Set{}
		for _, v := range values {
			if err := f.r.add(s, v); err != nil {
				return nil, at(err, x.Pos)
			}
		}
		return s, nil
	}, err
}

func (c *compiler) dict(x *syntax.Dict) (code, error) {
	keys := make([]code, len(x.Keys))
	for i, key := range x.Keys {
		if key == nil {
			continue
		}
		var err error
		if keys[i], err = c.expression(key); err != nil {
			return nil, err
		}
	}
	values, err := c.expressions(x.Values)
	return func(f *frame) (Value, error) {
		d := NewDict()
		if err := f.r.grow(64); err != nil {
			return nil, err
		}
		for i, value := range values {
			if err := f.dictItem(d, keys[i], value); err != nil {
				return nil, at(err, x.Pos)
			}
		}
		return d, nil
	}, err
}

func (f *frame) dictItem(d *Dict, key, value code) error {
	if err := f.r.step(); err != nil {
		return err
	}
	var k Value
	var err error
	if key != nil {
		if k, err = key(f); err != nil {
			return err
		}
	}
	v, err := value(f)
	if err != nil {
		return err
	}
	if key != nil {
		return f.r.put(d, k, v)
	}
	other, ok := v.(*Dict)
	if !ok {
		return typeError.errorf("'%s' object is not a mapping", v.Type())
	}
	return f.r.update(d, other)
}
