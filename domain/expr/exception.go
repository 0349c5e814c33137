package expr

// An exception is what raise raises and what except … as binds.
type exception struct {
	class *Class
	args  Tuple
	attrs map[string]Value
}

// Type implements [Value].
func (e *exception) Type() string { return e.class.name }

func (e *exception) classOf() *Class { return e.class }

// Attr implements [Attrs].
func (e *exception) Attr(name string) (Value, bool) {
	if name == "args" {
		return e.args, true
	}
	v, ok := e.attrs[name]
	return v, ok
}

// exceptions holds all classes by name.
var exceptions = map[string]*Class{}

func newException(name string, base *Class) *Class {
	return &Class{name: name, base: base, make: nil}
}

func builtinException(name string, base *Class) *Class {
	k := newException(name, base)
	exceptions[name] = k
	return k
}

// ExceptionClass makes a class of exceptions derived from Exception, for a
// host's module.
func ExceptionClass(name string) *Class { return newException(name, exceptionClass) }

// Derive makes a class of exceptions derived from k, and from one more class
// that handlers may know it by.
func (k *Class) Derive(name string, also ...*Class) *Class {
	derived := newException(name, k)
	for _, base := range also {
		derived.also = base
	}
	return derived
}

// Exception returns a class of the language by its name; nil if there is none.
func Exception(name string) *Class { return exceptions[name] }

// The exceptions that the language raises itself, and their bases.
var (
	baseException       = builtinException("BaseException", objectClass)
	exceptionClass      = builtinException("Exception", baseException)
	arithmeticError     = builtinException("ArithmeticError", exceptionClass)
	zeroDivisionError   = builtinException("ZeroDivisionError", arithmeticError)
	overflowError       = builtinException("OverflowError", arithmeticError)
	lookupError         = builtinException("LookupError", exceptionClass)
	keyError            = builtinException("KeyError", lookupError)
	indexError          = builtinException("IndexError", lookupError)
	valueError          = builtinException("ValueError", exceptionClass)
	unicodeError        = builtinException("UnicodeError", valueError)
	unicodeDecodeError  = builtinException("UnicodeDecodeError", unicodeError)
	unicodeEncodeError  = builtinException("UnicodeEncodeError", unicodeError)
	typeError           = builtinException("TypeError", exceptionClass)
	nameError           = builtinException("NameError", exceptionClass)
	unboundLocalError   = builtinException("UnboundLocalError", nameError)
	attributeError      = builtinException("AttributeError", exceptionClass)
	assertionError      = builtinException("AssertionError", exceptionClass)
	runtimeError        = builtinException("RuntimeError", exceptionClass)
	_                   = builtinException("NotImplementedError", runtimeError)
	_                   = builtinException("RecursionError", runtimeError)
	stopIteration       = builtinException("StopIteration", exceptionClass)
	importError         = builtinException("ImportError", exceptionClass)
	moduleNotFoundError = builtinException("ModuleNotFoundError", importError)
	osError             = builtinException("OSError", exceptionClass)
	_                   = builtinException("ConnectionError", osError)
	_                   = builtinException("TimeoutError", osError)
	_                   = builtinException("PermissionError", osError)
	_                   = builtinException("FileNotFoundError", osError)
	_                   = builtinException("MemoryError", exceptionClass)
)

// instance makes an exception as calling its class does.
func (k *Class) instance(c *Call) (Value, error) {
	e := &exception{class: k, args: Tuple(c.Args)}
	for _, n := range c.Named {
		if e.attrs == nil {
			e.attrs = map[string]Value{}
		}
		e.attrs[n.Name] = n.Value
	}
	return e, nil
}

// raise makes the error of raising v: an exception or a class of them.
func (r *run) raise(v Value) *Error {
	e, ok := v.(*exception)
	if k, isClass := v.(*Class); isClass && k.isA(baseException) {
		made, err := r.call(k, nil, nil)
		if err != nil {
			return failure(err)
		}
		e, ok = made.(*exception)
	}
	if !ok {
		return typeError.errorf("exceptions must derive from BaseException")
	}
	text, err := r.str(e)
	if err != nil {
		return failure(err)
	}
	return &Error{Kind: e.class.name, Message: text, exception: e}
}

// exceptionText is str() of an exception.
func (r *run) exceptionText(e *exception) (string, error) {
	switch {
	case len(e.args) == 0:
		return "", nil
	case len(e.args) > 1:
		return r.repr(e.args)
	case e.class.isA(keyError):
		return r.repr(e.args[0])
	}
	return r.str(e.args[0])
}

// matches reports whether an except clause for v handles e.
func (e *exception) matches(v Value) (bool, error) {
	switch v := v.(type) {
	case *Class:
		if v.isA(baseException) {
			return e.class.isA(v), nil
		}
	case Tuple:
		for _, item := range v {
			if ok, err := e.matches(item); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	return false, typeError.errorf("catching classes that do not inherit from BaseException is not allowed")
}
