package expr

import (
	"strings"

	"github.com/flowledger/flowledger/domain/expr/syntax"
)

// function is a def or a lambda as a value.
type function struct {
	def      *syntax.Function
	body     action
	defaults []Value // by parameter; nil for none
	up       *frame
}

// Type implements [Value].
func (*function) Type() string { return "function" }

func (*function) classOf() *Class { return functionClass }

// function compiles a def or a lambda.
func (c *compiler) function(def *syntax.Function) (code, error) {
	defaults := make([]code, len(def.Params))
	for i, p := range def.Params {
		if p.Default == nil {
			continue
		}
		var err error
		if defaults[i], err = c.expression(p.Default); err != nil {
			return nil, err
		}
	}
	c.push(def.Locals, false)
	body, err := c.block(def.Body)
	c.pop()
	return func(f *frame) (Value, error) {
		fn := &function{def: def, body: body, up: f, defaults: make([]Value, len(defaults))}
		for i, d := range defaults {
			if d == nil {
				continue
			}
			var err error
			if fn.defaults[i], err = d(f); err != nil {
				return nil, err
			}
		}
		return fn, f.r.grow(80 + 16*len(defaults))
	}, err
}

// apply calls a function of the program.
func (r *run) apply(fn *function, args []Value, named []Named) (Value, error) {
	if err := r.grow(96 + 16*len(fn.def.Locals)); err != nil {
		return nil, err
	}
	f := &frame{r: r, vars: make([]Value, len(fn.def.Locals)), up: fn.up}
	if err := fn.bind(f, args, named); err != nil {
		return nil, err
	}
	if _, err := fn.body(f); err != nil {
		return nil, err
	}
	if f.result == nil {
		return None, nil
	}
	return f.result, nil
}

// bind sorts arguments into the slots of the parameters.
func (fn *function) bind(f *frame, args []Value, named []Named) error {
	used, rest, extra := 0, -1, -1
	for i, p := range fn.def.Params {
		switch {
		case p.Star == 1:
			rest = i
		case p.Star == 2:
			extra = i
		case !p.Keyword && used < len(args):
			f.vars[i] = args[used]
			used++
		}
	}
	if used < len(args) && rest < 0 {
		return fn.tooMany(len(args))
	}
	if rest >= 0 {
		if err := f.r.grow(16 * (len(args) - used)); err != nil {
			return err
		}
		f.vars[rest] = append(Tuple{}, args[used:]...)
	}
	var more *Dict
	if extra >= 0 {
		more = NewDict()
		f.vars[extra] = more
	}
	for _, n := range named {
		if err := fn.bindNamed(f, n, more); err != nil {
			return err
		}
	}
	return fn.complete(f)
}

func (fn *function) bindNamed(f *frame, n Named, more *Dict) error {
	for i, p := range fn.def.Params {
		if p.Name != n.Name || p.Star > 0 {
			continue
		}
		if f.vars[i] != nil {
			return typeError.errorf("%s() got multiple values for argument '%s'", fn.def.Name, n.Name)
		}
		f.vars[i] = n.Value
		return nil
	}
	if more == nil {
		return typeError.errorf("%s() got an unexpected keyword argument '%s'", fn.def.Name, n.Name)
	}
	more.Set(n.Name, n.Value)
	return f.r.grow(96)
}

// complete fills in defaults and says what is missing.
func (fn *function) complete(f *frame) error {
	var missing []string
	kind := "positional"
	for i, p := range fn.def.Params {
		if f.vars[i] != nil {
			continue
		}
		f.vars[i] = fn.defaults[i]
		if f.vars[i] == nil && p.Star == 0 {
			if p.Keyword && len(missing) > 0 && kind == "positional" {
				break // those by position are told first
			}
			missing = append(missing, "'"+p.Name+"'")
			if p.Keyword {
				kind = "keyword-only"
			}
		}
	}
	switch n := len(missing); n {
	case 0:
		return nil
	case 1:
		return typeError.errorf("%s() missing 1 required %s argument: %s", fn.def.Name, kind, missing[0])
	default:
		list := strings.Join(missing[:n-1], ", ")
		if n > 2 {
			list += ","
		}
		return typeError.errorf("%s() missing %d required %s arguments: %s and %s", fn.def.Name, n, kind, list, missing[n-1])
	}
}

func (fn *function) tooMany(given int) error {
	least, most := 0, 0
	for _, p := range fn.def.Params {
		if p.Star == 0 && !p.Keyword {
			most++
			if p.Default == nil {
				least++
			}
		}
	}
	takes := itoa(most) + " positional arguments"
	switch {
	case least < most:
		takes = "from " + itoa(least) + " to " + takes
	case most == 1:
		takes = "1 positional argument"
	}
	return typeError.errorf("%s() takes %s but %d %s given", fn.def.Name, takes, given, was(given))
}
