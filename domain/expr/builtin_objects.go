package expr

import (
	"unicode/utf8"
)

// objectFunctions are the builtins that look at any value.
var objectFunctions = map[string]func(*Call) (Value, error){
	"len":        builtinLen,
	"repr":       func(c *Call) (Value, error) { return c.textOf((*run).repr) },
	"ascii":      builtinASCII,
	"hash":       builtinHash,
	"callable":   builtinCallable,
	"isinstance": builtinIsInstance,
	"issubclass": builtinIsSubclass,
	"hasattr":    builtinHasAttr,
	"getattr":    builtinGetAttr,
	"setattr":    builtinSetAttr,
	"format":     builtinFormat,
	"print":      func(*Call) (Value, error) { return None, nil },
	"ord":        builtinOrd,
	"chr":        builtinChr,
}

// length is len(v).
func (r *run) length(v Value) (int, error) {
	switch v := v.(type) {
	case Str:
		return utf8.RuneCountInString(string(v)), r.work(len(v))
	case Bytes:
		return len(v), nil
	case *List:
		return len(v.items), nil
	case Tuple:
		return len(v), nil
	case *Set:
		return v.d.live, nil
	case rangeValue:
		return v.len(), nil
	case Fetcher:
		items, err := v.Fetch()
		return len(items), err
	case Lengther:
		return v.Len(), nil
	}
	return 0, typeError.errorf("object of type '%s' has no len()", v.Type())
}

func builtinLen(c *Call) (Value, error) {
	a, err := c.Bind("obj")
	if err != nil {
		return nil, err
	}
	n, err := c.r.length(a[0])
	return Int(n), err
}

// textOf makes a text of the only argument.
func (c *Call) textOf(make func(*run, Value) (string, error)) (Value, error) {
	a, err := c.Bind("obj")
	if err != nil {
		return nil, err
	}
	s, err := make(c.r, a[0])
	if err != nil {
		return nil, err
	}
	return c.r.text(s)
}

func builtinASCII(c *Call) (Value, error) {
	return c.textOf(func(r *run, v Value) (string, error) {
		s, err := r.repr(v)
		return asciiOnly(s), err
	})
}

func builtinHash(c *Call) (Value, error) {
	a, err := c.Bind("obj")
	if err != nil {
		return nil, err
	}
	h, err := c.r.hash(a[0])
	if err != nil {
		return nil, err
	}
	if n, ok := h.(Int); ok {
		return n, nil
	}
	sum := uint64(14695981039346656037)
	for _, b := range []byte(encodeHash(h)) {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	return Int(int64(sum >> 1)), nil
}

func builtinCallable(c *Call) (Value, error) {
	a, err := c.Bind("obj")
	if err != nil {
		return nil, err
	}
	switch a[0].(type) {
	case *function, *bound, *unbound, *Class, Callable:
		return Bool(true), nil
	}
	return Bool(false), nil
}

// isInstance reports whether a class, or one of several, is v's.
func isInstance(v, class Value) (bool, error) {
	switch k := class.(type) {
	case *Class:
		return classOf(v).isA(k) || k == objectClass, nil
	case Tuple:
		for _, one := range k {
			if ok, err := isInstance(v, one); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	case Container: // a class of the host
		return k.Contains(v)
	}
	return false, typeError.errorf("isinstance() arg 2 must be a type, a tuple of types, or a union")
}

func builtinIsInstance(c *Call) (Value, error) {
	a, err := c.Bind("obj", "class_or_tuple")
	if err != nil {
		return nil, err
	}
	ok, err := isInstance(a[0], a[1])
	return Bool(ok), err
}

func builtinIsSubclass(c *Call) (Value, error) {
	a, err := c.Bind("cls", "class_or_tuple")
	if err != nil {
		return nil, err
	}
	k, ok := a[0].(*Class)
	if !ok {
		return nil, typeError.errorf("issubclass() arg 1 must be a class")
	}
	others, isTuple := a[1].(Tuple)
	if !isTuple {
		others = Tuple{a[1]}
	}
	for _, other := range others {
		base, ok := other.(*Class)
		if !ok {
			return nil, typeError.errorf("issubclass() arg 2 must be a class, a tuple of classes, or a union")
		}
		if k.isA(base) {
			return Bool(true), nil
		}
	}
	return Bool(false), nil
}

// attributeName reads the name of an attribute that is an argument.
func attributeName(v Value) (string, error) {
	name, ok := v.(Str)
	if !ok {
		return "", typeError.errorf("attribute name must be string, not '%s'", v.Type())
	}
	return string(name), nil
}

func builtinHasAttr(c *Call) (Value, error) {
	a, err := c.Bind("obj", "name")
	if err != nil {
		return nil, err
	}
	name, err := attributeName(a[1])
	if err != nil {
		return nil, err
	}
	_, ok, err := c.r.lookup(a[0], name)
	return Bool(ok), err
}

func builtinGetAttr(c *Call) (Value, error) {
	a, err := c.Bind("obj", "name", "default?")
	if err != nil {
		return nil, err
	}
	name, err := attributeName(a[1])
	if err != nil {
		return nil, err
	}
	if a[2] == nil {
		return c.r.attribute(a[0], name)
	}
	v, ok, err := c.r.lookup(a[0], name)
	if !ok && err == nil {
		v = a[2]
	}
	return v, err
}

func builtinSetAttr(c *Call) (Value, error) {
	a, err := c.Bind("obj", "name", "value")
	if err != nil {
		return nil, err
	}
	name, err := attributeName(a[1])
	if err != nil {
		return nil, err
	}
	return None, c.r.setAttribute(a[0], name, a[2])
}

func builtinFormat(c *Call) (Value, error) {
	a, err := c.Bind("value", "format_spec?")
	if err != nil {
		return nil, err
	}
	spec, _ := a[1].(Str)
	s, err := c.r.formatted(a[0], string(spec))
	if err != nil {
		return nil, err
	}
	return c.r.text(s)
}

func builtinOrd(c *Call) (Value, error) {
	a, err := c.Bind("c")
	if err != nil {
		return nil, err
	}
	switch v := a[0].(type) {
	case Str:
		if utf8.RuneCountInString(string(v)) == 1 {
			n, _ := utf8.DecodeRuneInString(string(v))
			return Int(n), nil
		}
		return nil, typeError.errorf("ord() expected a character, but string of length %d found", utf8.RuneCountInString(string(v)))
	case Bytes:
		if len(v) == 1 {
			return Int(v[0]), nil
		}
	}
	return nil, typeError.errorf("ord() expected string of length 1, but %s found", a[0].Type())
}

func builtinChr(c *Call) (Value, error) {
	a, err := c.Bind("i")
	if err != nil {
		return nil, err
	}
	n, err := asInt(a[0])
	if err != nil {
		return nil, err
	}
	if n < 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return nil, valueError.errorf("chr() arg not in range(0x110000)")
	}
	return Str(string(rune(n))), nil
}

func makeType(c *Call) (Value, error) {
	if len(c.Args) != 1 || len(c.Named) > 0 {
		return nil, typeError.errorf("type() takes 1 argument: classes cannot be made in expressions")
	}
	return classOf(c.Args[0]), nil
}

func makeObject(c *Call) (Value, error) {
	_, err := c.Bind()
	return &record{class: objectClass}, err
}
