package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

// update compiles target op= x. What stands in the target is evaluated once.
func (c *compiler) update(s *syntax.Update) (action, error) {
	value, err := c.expression(s.X)
	if err != nil {
		return nil, err
	}
	compute := func(f *frame, old Value) (Value, error) {
		v, err := value(f)
		if err != nil {
			return nil, err
		}
		if v, err = f.r.inPlace(s.Op, old, v); err != nil {
			return nil, at(err, s.Pos)
		}
		return v, nil
	}
	switch t := s.Target.(type) {
	case *syntax.Subscript:
		return c.updateItem(t, compute)
	case *syntax.Attribute:
		return c.updateAttribute(t, compute)
	}
	old, err := c.expression(s.Target)
	if err != nil {
		return nil, err
	}
	target, err := c.target(s.Target)
	return func(f *frame) (signal, error) {
		v, err := old(f)
		if err != nil {
			return goOn, err
		}
		if v, err = compute(f, v); err != nil {
			return goOn, err
		}
		return goOn, target(f, v)
	}, err
}

func (c *compiler) updateItem(t *syntax.Subscript, compute func(*frame, Value) (Value, error)) (action, error) {
	object, key, err := c.pair(t.X, t.Index)
	return func(f *frame) (signal, error) {
		o, err := object(f)
		if err != nil {
			return goOn, err
		}
		k, err := key(f)
		if err != nil {
			return goOn, err
		}
		v, err := f.r.index(o, k)
		if err != nil {
			return goOn, at(err, t.Pos)
		}
		if v, err = compute(f, v); err != nil {
			return goOn, err
		}
		if err := f.r.setIndex(o, k, v); err != nil {
			return goOn, at(err, t.Pos)
		}
		return goOn, nil
	}, err
}

func (c *compiler) updateAttribute(t *syntax.Attribute, compute func(*frame, Value) (Value, error)) (action, error) {
	object, err := c.expression(t.X)
	return func(f *frame) (signal, error) {
		o, err := object(f)
		if err != nil {
			return goOn, err
		}
		v, err := f.r.attribute(o, t.Name)
		if err != nil {
			return goOn, at(err, t.Pos)
		}
		if v, err = compute(f, v); err != nil {
			return goOn, err
		}
		if err := f.r.setAttribute(o, t.Name, v); err != nil {
			return goOn, at(err, t.Pos)
		}
		return goOn, nil
	}, err
}

// inPlace computes old op= v; lists, sets and dictionaries change themselves.
func (r *run) inPlace(op string, old, v Value) (Value, error) {
	switch o := old.(type) {
	case *List:
		if op == "+" {
			items, err := r.collect(v)
			o.items = append(o.items, items...)
			return o, err
		}
		if _, isNumber := bigOf(v); isNumber && op == "*" {
			out, err := r.repeated(o, v)
			if err == nil {
				o.items = out.(*List).items
			}
			return o, err
		}
	case *Dict:
		if other, ok := v.(*Dict); ok && op == "|" {
			return o, r.update(o, other)
		}
	case *Set:
		if other, ok := v.(*Set); ok && !o.frozen {
			switch op {
			case "|", "&", "-", "^":
				out, err := r.combine(op, o, other)
				if err != nil {
					return nil, err
				}
				o.d = out.d
				return o, nil
			}
		}
	}
	return r.binary(op, old, v)
}
