package expr

import (
	"context"
	"strings"
)

// A Call is one call of a builtin.
type Call struct {
	Name  string // of what is called, for messages
	Args  []Value
	Named []Named
	r     *run
}

// Named is a keyword argument.
type Named struct {
	Name  string
	Value Value
}

// Context returns the context of the evaluation.
func (c *Call) Context() context.Context { return c.r.ctx }

// Call calls fn, such as a function that a builtin was given.
func (c *Call) Call(fn Value, args ...Value) (Value, error) { return c.r.call(fn, args, nil) }

// Text returns v as str() does.
func (c *Call) Text(v Value) (string, error) { return c.r.str(v) }

// Grow accounts for n bytes that a builtin is about to keep.
func (c *Call) Grow(n int) error { return c.r.grow(n) }

// Bind sorts the arguments by parameter; a parameter whose name ends in ? may
// be missing and is nil then.
func (c *Call) Bind(params ...string) ([]Value, error) {
	if len(c.Args) > len(params) {
		return nil, typeError.errorf("%s() takes %s but %d %s given", c.Name, arguments(params), len(c.Args), was(len(c.Args)))
	}
	out := make([]Value, len(params))
	copy(out, c.Args)
	for _, n := range c.Named {
		i := 0
		for i < len(params) && strings.TrimSuffix(params[i], "?") != n.Name {
			i++
		}
		if i == len(params) {
			return nil, typeError.errorf("%s() got an unexpected keyword argument '%s'", c.Name, n.Name)
		}
		if out[i] != nil {
			return nil, typeError.errorf("%s() got multiple values for argument '%s'", c.Name, n.Name)
		}
		out[i] = n.Value
	}
	for i, p := range params {
		if out[i] == nil && !strings.HasSuffix(p, "?") {
			return nil, typeError.errorf("%s() missing 1 required positional argument: '%s'", c.Name, p)
		}
	}
	return out, nil
}

func arguments(params []string) string {
	switch len(params) {
	case 0:
		return "no arguments"
	case 1:
		return "1 positional argument"
	}
	return itoa(len(params)) + " positional arguments"
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// builtin is a function of the language or of the host.
type builtin struct {
	name string
	fn   func(c *Call) (Value, error)
}

// Type implements [Value].
func (*builtin) Type() string { return "builtin_function_or_method" }

// Call implements [Callable].
func (b *builtin) Call(c *Call) (Value, error) { return b.fn(c) }

// Builtin makes a function of the host.
func Builtin(name string, fn func(c *Call) (Value, error)) Value { return &builtin{name, fn} }

// bound is a method with its value.
type bound struct {
	name string
	self Value
	fn   method
}

// Type implements [Value].
func (*bound) Type() string { return "builtin_function_or_method" }

// unbound is a method of a class, called with its value as first argument.
type unbound struct {
	class *Class
	name  string
	fn    method
}

// Type implements [Value].
func (*unbound) Type() string { return "method_descriptor" }

// call calls fn.
func (r *run) call(fn Value, args []Value, named []Named) (Value, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	v, err := r.dispatch(fn, args, named)
	r.leave()
	if v == nil && err == nil {
		v = None
	}
	return v, err
}

func (r *run) dispatch(fn Value, args []Value, named []Named) (Value, error) {
	switch fn := fn.(type) {
	case *function:
		return r.apply(fn, args, named)
	case *builtin:
		return fn.fn(&Call{fn.name, args, named, r})
	case *bound:
		return fn.fn(&Call{fn.name, args, named, r}, fn.self)
	case *unbound:
		if len(args) == 0 || !classOf(args[0]).isA(fn.class) {
			return nil, typeError.errorf("unbound method %s.%s() needs an argument", fn.class.name, fn.name)
		}
		return fn.fn(&Call{fn.name, args[1:], named, r}, args[0])
	case *Class:
		c := &Call{fn.name, args, named, r}
		if fn.isA(baseException) && fn.make == nil {
			return fn.instance(c)
		}
		if fn.make != nil {
			return fn.make(c)
		}
		return nil, typeError.errorf("cannot create '%s' instances", fn.name)
	case Callable:
		return fn.Call(&Call{fn.(Value).Type(), args, named, r})
	}
	return nil, typeError.errorf("'%s' object is not callable", fn.Type())
}
