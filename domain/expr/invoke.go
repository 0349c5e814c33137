package expr

import "github.com/flowledger/flowledger/domain/expr/syntax"

// An argument of a call.
type argument struct {
	name string
	star int
	x    code
}

func (c *compiler) call(x *syntax.Call) (code, error) {
	args := make([]argument, len(x.Args))
	for i, a := range x.Args {
		value, err := c.expression(a.Value)
		if err != nil {
			return nil, err
		}
		args[i] = argument{a.Name, a.Star, value}
	}
	if a, ok := x.Fn.(*syntax.Attribute); ok {
		object, err := c.expression(a.X)
		return func(f *frame) (Value, error) { return f.callMethod(object, a.Name, args, x.Pos) }, err
	}
	fn, err := c.expression(x.Fn)
	return func(f *frame) (Value, error) {
		callee, err := fn(f)
		if err != nil {
			return nil, err
		}
		return f.invoke(callee, args, x.Pos)
	}, err
}

// invoke evaluates arguments and calls fn.
func (f *frame) invoke(fn Value, args []argument, pos syntax.Pos) (Value, error) {
	values, named, err := f.arguments(args)
	if err != nil {
		return nil, at(err, pos)
	}
	v, err := f.r.call(fn, values, named)
	if err != nil {
		return nil, at(err, pos)
	}
	return v, nil
}

// callMethod calls object.name(args) without making a bound method.
func (f *frame) callMethod(object code, name string, args []argument, pos syntax.Pos) (Value, error) {
	o, err := object(f)
	if err != nil {
		return nil, err
	}
	if _, isClass := o.(*Class); !isClass {
		if m := classOf(o).method(name); m != nil {
			values, named, err := f.arguments(args)
			if err != nil {
				return nil, at(err, pos)
			}
			if err := f.r.enter(); err != nil {
				return nil, at(err, pos)
			}
			v, err := m(&Call{name, values, named, f.r}, o)
			f.r.leave()
			if err != nil {
				return nil, at(err, pos)
			}
			return v, nil
		}
	}
	fn, err := f.r.attribute(o, name)
	if err != nil {
		return nil, at(err, pos)
	}
	return f.invoke(fn, args, pos)
}

// fewArguments is how many a call may have for nothing: they do not outlive it.
const fewArguments = 8

// arguments evaluates the arguments of a call.
func (f *frame) arguments(args []argument) ([]Value, []Named, error) {
	if len(args) == 0 {
		return nil, nil, nil
	}
	if err := f.r.work(8 * len(args)); err != nil {
		return nil, nil, err
	}
	if len(args) > fewArguments {
		if err := f.r.grow(16 * len(args)); err != nil {
			return nil, nil, err
		}
	}
	values := make([]Value, 0, len(args))
	var named []Named
	for _, a := range args {
		v, err := a.x(f)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case a.name != "":
			named = append(named, Named{a.name, v})
		case a.star == 1:
			more, err := f.r.collect(v)
			if err != nil {
				return nil, nil, err
			}
			values = append(values, more...)
		case a.star == 2:
			if named, err = f.spread(named, v); err != nil {
				return nil, nil, err
			}
		default:
			values = append(values, v)
		}
	}
	return values, named, nil
}

// spread adds **v to keyword arguments.
func (f *frame) spread(named []Named, v Value) ([]Named, error) {
	d, ok := v.(*Dict)
	if !ok {
		return nil, typeError.errorf("argument after ** must be a mapping, not %s", v.Type())
	}
	for _, e := range d.entries {
		if e.key == nil {
			continue
		}
		name, ok := e.key.(Str)
		if !ok {
			return nil, typeError.errorf("keywords must be strings")
		}
		for _, n := range named {
			if n.Name == string(name) {
				return nil, typeError.errorf("got multiple values for keyword argument '%s'", name)
			}
		}
		if err := f.r.work(len(named)); err != nil {
			return nil, err
		}
		named = append(named, Named{string(name), e.value})
	}
	return named, f.r.grow(32 * d.live)
}
