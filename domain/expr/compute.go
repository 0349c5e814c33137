package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

func (c *compiler) unary(x *syntax.Unary) (code, error) {
	operand, err := c.expression(x.X)
	return func(f *frame) (Value, error) {
		v, err := operand(f)
		if err != nil {
			return nil, err
		}
		if v, err = f.r.unary(x.Op, v); err != nil {
			return nil, at(err, x.Pos)
		}
		return v, nil
	}, err
}

// pair compiles two expressions.
func (c *compiler) pair(x, y syntax.Expr) (code, code, error) {
	a, err := c.expression(x)
	if err != nil {
		return nil, nil, err
	}
	b, err := c.expression(y)
	return a, b, err
}

func (c *compiler) binary(x *syntax.Binary) (code, error) {
	left, right, err := c.pair(x.X, x.Y)
	return func(f *frame) (Value, error) {
		a, err := left(f)
		if err != nil {
			return nil, err
		}
		b, err := right(f)
		if err != nil {
			return nil, err
		}
		v, err := f.r.binary(x.Op, a, b)
		if err != nil {
			return nil, at(err, x.Pos)
		}
		return v, nil
	}, err
}

func (c *compiler) boolean(x *syntax.Bool) (code, error) {
	items, err := c.expressions(x.Items)
	return func(f *frame) (Value, error) {
		var v Value
		for _, item := range items {
			err := f.r.step()
			if err != nil {
				return nil, at(err, x.Pos)
			}
			if v, err = item(f); err != nil || Truth(v) == x.Or {
				return v, err
			}
		}
		return v, nil
	}, err
}

func (c *compiler) compare(x *syntax.Compare) (code, error) {
	first, err := c.expression(x.First)
	if err != nil {
		return nil, err
	}
	rest, err := c.expressions(x.Rest)
	return func(f *frame) (Value, error) {
		a, err := first(f)
		if err != nil {
			return nil, err
		}
		for i, operand := range rest {
			b, err := operand(f)
			if err != nil {
				return nil, err
			}
			holds, err := f.r.compare(x.Ops[i], a, b)
			if err != nil {
				return nil, at(err, x.Pos)
			}
			if !holds {
				return Bool(false), nil
			}
			a = b
		}
		return Bool(true), nil
	}, err
}

func (c *compiler) conditional(x *syntax.If) (code, error) {
	cond, err := c.expression(x.Cond)
	if err != nil {
		return nil, err
	}
	then, other, err := c.pair(x.Then, x.Else)
	return func(f *frame) (Value, error) {
		v, err := cond(f)
		if err != nil {
			return nil, err
		}
		if Truth(v) {
			return then(f)
		}
		return other(f)
	}, err
}

func (c *compiler) attribute(x *syntax.Attribute) (code, error) {
	object, err := c.expression(x.X)
	return func(f *frame) (Value, error) {
		o, err := object(f)
		if err != nil {
			return nil, err
		}
		v, err := f.r.attribute(o, x.Name)
		if err != nil {
			return nil, at(err, x.Pos)
		}
		return v, nil
	}, err
}

func (c *compiler) subscript(x *syntax.Subscript) (code, error) {
	object, key, err := c.pair(x.X, x.Index)
	return func(f *frame) (Value, error) {
		o, err := object(f)
		if err != nil {
			return nil, err
		}
		k, err := key(f)
		if err != nil {
			return nil, err
		}
		v, err := f.r.index(o, k)
		if err != nil {
			return nil, at(err, x.Pos)
		}
		return v, nil
	}, err
}

func (c *compiler) slice(x *syntax.Slice) (code, error) {
	var parts [3]code
	for i, part := range []syntax.Expr{x.From, x.To, x.Step} {
		if part == nil {
			continue
		}
		var err error
		if parts[i], err = c.expression(part); err != nil {
			return nil, err
		}
	}
	return func(f *frame) (Value, error) {
		values := [3]Value{None, None, None}
		for i, part := range parts {
			if part == nil {
				continue
			}
			var err error
			if values[i], err = part(f); err != nil {
				return nil, err
			}
		}
		return &sliceValue{values[0], values[1], values[2]}, nil
	}, nil
}

func (c *compiler) walrus(x *syntax.Walrus) (code, error) {
	value, err := c.expression(x.X)
	if err != nil {
		return nil, err
	}
	depth, slot := 0, 0
	for s := c.scope; s.comprehension; s = s.outer {
		depth++
	}
	inner, slot, ok := c.resolve(x.Target.ID)
	if !ok || inner < depth {
		return nil, &syntax.Error{Pos: x.Pos, Message: "assignment expression cannot rebind comprehension iteration variable '" + x.Target.ID + "'"}
	}
	return func(f *frame) (Value, error) {
		v, err := value(f)
		if err == nil {
			f.outer(inner).vars[slot] = v
		}
		return v, err
	}, nil
}
