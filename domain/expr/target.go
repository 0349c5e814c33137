package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

// assign binds a value to a target.
type assign func(f *frame, v Value) error

// target compiles an assignment to x.
func (c *compiler) target(x syntax.Expr) (assign, error) {
	switch x := x.(type) {
	case *syntax.Name:
		depth, slot, ok := c.resolve(x.ID)
		if !ok {
			return nil, &syntax.Error{Pos: x.Pos, Message: "cannot assign to '" + x.ID + "'"}
		}
		return func(f *frame, v Value) error {
			f.outer(depth).vars[slot] = v
			return nil
		}, nil
	case *syntax.Attribute:
		object, err := c.expression(x.X)
		return func(f *frame, v Value) error {
			o, err := object(f)
			if err != nil {
				return err
			}
			if err := f.r.setAttribute(o, x.Name, v); err != nil {
				return at(err, x.Pos)
			}
			return nil
		}, err
	case *syntax.Subscript:
		object, key, err := c.pair(x.X, x.Index)
		return func(f *frame, v Value) error {
			o, err := object(f)
			if err != nil {
				return err
			}
			k, err := key(f)
			if err != nil {
				return err
			}
			if err := f.r.setIndex(o, k, v); err != nil {
				return at(err, x.Pos)
			}
			return nil
		}, err
	case *syntax.Sequence:
		return c.unpack(x)
	}
	return nil, &syntax.Error{Pos: x.At(), Message: "cannot assign to this expression"}
}

// unpack compiles an assignment to several targets.
func (c *compiler) unpack(x *syntax.Sequence) (assign, error) {
	targets := make([]assign, len(x.Items))
	star := -1
	for i, item := range x.Items {
		if s, ok := item.(*syntax.Starred); ok {
			star, item = i, s.X
		}
		var err error
		if targets[i], err = c.target(item); err != nil {
			return nil, err
		}
	}
	return func(f *frame, v Value) error {
		values, err := f.r.spreadOver(v, len(targets), star)
		if err != nil {
			return at(err, x.Pos)
		}
		for i, target := range targets {
			if err := target(f, values[i]); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// spreadOver takes v apart into n values; the one at star is a list.
func (r *run) spreadOver(v Value, n, star int) ([]Value, error) {
	next, err := r.iterate(v)
	if err != nil {
		return nil, typeError.errorf("cannot unpack non-iterable %s object", v.Type())
	}
	var values []Value
	for {
		item, ok, err := next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if len(values) == n && star < 0 {
			return nil, valueError.errorf("too many values to unpack (expected %d)", n)
		}
		values = append(values, item)
		if err := r.grow(itemSize); err != nil {
			return nil, err
		}
	}
	switch {
	case star < 0 && len(values) < n:
		return nil, valueError.errorf("not enough values to unpack (expected %d, got %d)", n, len(values))
	case star >= 0 && len(values) < n-1:
		return nil, valueError.errorf("not enough values to unpack (expected at least %d, got %d)", n-1, len(values))
	case star < 0:
		return values, nil
	}
	many := len(values) - (n - 1)
	out := append([]Value{}, values[:star]...)
	out = append(out, &List{append([]Value{}, values[star:star+many]...)})
	return append(out, values[star+many:]...), nil
}

// unbind compiles del x.
func (c *compiler) unbind(x syntax.Expr) (action, error) {
	switch x := x.(type) {
	case *syntax.Name:
		depth, slot, _ := c.resolve(x.ID)
		return func(f *frame) (signal, error) {
			vars := f.outer(depth).vars
			if vars[slot] == nil {
				return goOn, at(unboundLocalError.errorf("cannot access local variable '%s' where it is not associated with a value", x.ID), x.Pos)
			}
			vars[slot] = nil
			return goOn, nil
		}, nil
	case *syntax.Subscript:
		object, key, err := c.pair(x.X, x.Index)
		return func(f *frame) (signal, error) {
			o, err := object(f)
			if err != nil {
				return goOn, err
			}
			k, err := key(f)
			if err != nil {
				return goOn, err
			}
			if err := f.r.deleteIndex(o, k); err != nil {
				return goOn, at(err, x.Pos)
			}
			return goOn, nil
		}, err
	}
	return nil, &syntax.Error{Pos: x.At(), Message: "attributes cannot be deleted in expressions: set them to None"}
}
