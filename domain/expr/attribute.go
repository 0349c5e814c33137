package expr

import "strings"

// hidden reports whether a name belongs to Python's inside.
func hidden(name string) bool {
	return len(name) > 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}

// attribute is x.name.
func (r *run) attribute(x Value, name string) (Value, error) {
	v, ok, err := r.lookup(x, name)
	if ok || err != nil {
		return v, err
	}
	switch x := x.(type) {
	case *Class:
		return nil, attributeError.errorf("type object '%s' has no attribute '%s'", x.name, name)
	case *module:
		return nil, attributeError.errorf("module '%s' has no attribute '%s'", x.name, name)
	}
	return nil, attributeError.errorf("'%s' object has no attribute '%s'", x.Type(), name)
}

// lookup is x.name; ok is false if there is none.
func (r *run) lookup(x Value, name string) (v Value, ok bool, err error) {
	if err := r.step(); err != nil {
		return nil, false, err
	}
	if hidden(name) {
		if name == "__name__" {
			return nameOf(x)
		}
		return nil, false, nil
	}
	if k, isClass := x.(*Class); isClass {
		if v, ok := k.static(name); ok {
			return v, true, nil
		}
		if m := k.method(name); m != nil {
			return &unbound{k, name, m}, true, nil
		}
		return nil, false, nil
	}
	class := classOf(x)
	if m := class.method(name); m != nil {
		return &bound{name, x, m}, true, nil
	}
	for k := class; k != nil; k = k.base {
		if f, ok := k.fields[name]; ok {
			return f(x), true, nil
		}
	}
	if a, isHost := x.(Attrs); isHost {
		if v, ok := a.Attr(name); ok {
			return v, true, nil
		}
	}
	v, ok = class.static(name)
	return v, ok, nil
}

// nameOf is __name__, the only name of that kind that programs may use.
func nameOf(x Value) (Value, bool, error) {
	switch x := x.(type) {
	case *Class:
		return Str(x.name), true, nil
	case *function:
		return Str(x.def.Name), true, nil
	case *builtin:
		return Str(x.name), true, nil
	case *module:
		return Str(x.name), true, nil
	}
	return nil, false, nil
}

// setAttribute is x.name = v.
func (r *run) setAttribute(x Value, name string, v Value) error {
	if !hidden(name) {
		if s, ok := x.(SetAttrs); ok {
			return s.SetAttr(name, v)
		}
	}
	if _, ok, err := r.lookup(x, name); ok || err != nil {
		return attributeError.errorf("'%s' object attribute '%s' is read-only", x.Type(), name)
	}
	return attributeError.errorf("'%s' object has no attribute '%s'", x.Type(), name)
}
