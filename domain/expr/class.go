package expr

// A Class is a type as a value: what isinstance compares with and what is
// called to convert or to make an exception.
type Class struct {
	name    string
	base    *Class
	also    *Class                       // a second base, of exceptions
	make    func(c *Call) (Value, error) // nil: it cannot be called
	methods map[string]method
	fields  map[string]field                           // computed attributes of the instances
	statics map[string]Value                           // attributes of the class itself
	str     func(r *run, e *exception) (string, error) // of exceptions; or nil
}

// A method is a function of a value of its class.
type method func(c *Call, self Value) (Value, error)

// A field computes an attribute of a value of its class.
type field func(self Value) Value

// Type implements [Value].
func (*Class) Type() string { return "type" }

// isA reports whether k is other or derived from it.
func (k *Class) isA(other *Class) bool {
	for ; k != nil; k = k.base {
		if k == other || k.also != nil && k.also.isA(other) {
			return true
		}
	}
	return false
}

// method looks a method up, in the bases too.
func (k *Class) method(name string) method {
	for ; k != nil; k = k.base {
		if m, ok := k.methods[name]; ok {
			return m
		}
	}
	return nil
}

// static looks an attribute of the class up, in the bases too.
func (k *Class) static(name string) (Value, bool) {
	for ; k != nil; k = k.base {
		if v, ok := k.statics[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// The classes of the values of the language.
var (
	objectClass    = &Class{name: "object"}
	noneClass      = &Class{name: "NoneType", base: objectClass}
	intClass       = &Class{name: "int", base: objectClass}
	boolClass      = &Class{name: "bool", base: intClass}
	floatClass     = &Class{name: "float", base: objectClass}
	strClass       = &Class{name: "str", base: objectClass}
	bytesClass     = &Class{name: "bytes", base: objectClass}
	listClass      = &Class{name: "list", base: objectClass}
	tupleClass     = &Class{name: "tuple", base: objectClass}
	dictClass      = &Class{name: "dict", base: objectClass}
	setClass       = &Class{name: "set", base: objectClass}
	frozensetClass = &Class{name: "frozenset", base: objectClass}
	rangeClass     = &Class{name: "range", base: objectClass}
	typeClass      = &Class{name: "type", base: objectClass}
	functionClass  = &Class{name: "function", base: objectClass}
)

// hasClass is implemented by values whose class depends on the value.
type hasClass interface{ classOf() *Class }

func (o *record) classOf() *Class { return o.class }

// classOf returns the class of a value. A host's object has one for its name.
func classOf(v Value) *Class {
	switch v := v.(type) {
	case Str:
		return strClass
	case *Dict:
		return dictClass
	case *List:
		return listClass
	case Tuple:
		return tupleClass
	case Int, *bigInt:
		return intClass
	case Bool:
		return boolClass
	case Float:
		return floatClass
	case noneType:
		return noneClass
	case Bytes:
		return bytesClass
	case *Set:
		if v.frozen {
			return frozensetClass
		}
		return setClass
	case rangeValue:
		return rangeClass
	case *Class:
		return typeClass
	case hasClass:
		return v.classOf()
	}
	return &Class{name: v.Type(), base: objectClass}
}
