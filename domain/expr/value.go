package expr

import (
	"math/big"
)

// A Value is something that a program computes with. Type is its class's name
// in Python. What else a value can do it says by implementing [Attrs],
// [SetAttrs], [Indexer], [IndexSetter], [Container], [Lengther], [Iterable],
// [Fetcher], [Slicer], [Truther], [Texter] or [Callable]: so the host passes in objects of its own.
type Value interface {
	Type() string
}

// The abilities of host values. An error that is not an [*Error] is raised as
// Exception with its text.
type (
	// Attrs has attributes; hasattr asks it too.
	Attrs interface {
		Attr(name string) (Value, bool)
	}
	// SetAttrs has attributes that a program may set.
	SetAttrs interface {
		SetAttr(name string, v Value) error
	}
	// Indexer has items: x[key]. A missing one is a KeyError.
	Indexer interface {
		Index(key Value) (v Value, found bool, err error)
	}
	// IndexSetter has items that a program may set.
	IndexSetter interface {
		SetIndex(key, v Value) error
	}
	// Container answers v in x.
	Container interface {
		Contains(v Value) (bool, error)
	}
	// Lengther has a length.
	Lengther interface {
		Len() int
	}
	// Iterable can be looped over. The items are asked for once.
	Iterable interface {
		Items() []Value
	}
	// Fetcher is iterable, too, but it has to look its items up first, which
	// can fail. It comes before [Iterable] and [Lengther].
	Fetcher interface {
		Fetch() ([]Value, error)
	}
	// Slicer has slices: x[from:to:step], with None for what is left out.
	Slicer interface {
		Slice(from, to, step Value) (Value, error)
	}
	// Truther is not always true.
	Truther interface {
		Truth() bool
	}
	// Texter is written by str() in its own way.
	Texter interface {
		Text() string
	}
	// Callable can be called.
	Callable interface {
		Call(c *Call) (Value, error)
	}
	// Equaler is equal to more than itself.
	Equaler interface {
		Equal(other Value) bool
	}
)

type noneType struct{}

// Type implements [Value].
func (noneType) Type() string { return "NoneType" }

// None is Python's None.
var None Value = noneType{}

// Bool is a truth value.
type Bool bool

// Type implements [Value].
func (Bool) Type() string { return "bool" }

// Int is an integer; larger ones exist, but only inside.
type Int int64

// Type implements [Value].
func (Int) Type() string { return "int" }

// bigInt is an integer that does not fit into an Int.
type bigInt struct{ n *big.Int }

// Type implements [Value].
func (*bigInt) Type() string { return "int" }

// Float is a number with a fraction.
type Float float64

// Type implements [Value].
func (Float) Type() string { return "float" }

// Str is a text, valid UTF-8.
type Str string

// Type implements [Value].
func (Str) Type() string { return "str" }

// Bytes is a sequence of bytes.
type Bytes string

// Type implements [Value].
func (Bytes) Type() string { return "bytes" }

// List is a list.
type List struct{ items []Value }

// NewList makes a list; it keeps items.
func NewList(items ...Value) *List { return &List{items} }

// Type implements [Value].
func (*List) Type() string { return "list" }

// Items implements [Iterable].
func (l *List) Items() []Value { return l.items }

// Tuple is a tuple.
type Tuple []Value

// Type implements [Value].
func (Tuple) Type() string { return "tuple" }

// module is what an import statement binds.
type module struct {
	name  string
	attrs map[string]Value
}

// Type implements [Value].
func (*module) Type() string { return "module" }

// Attr implements [Attrs].
func (m *module) Attr(name string) (Value, bool) {
	v, ok := m.attrs[name]
	return v, ok
}

// record is an object that modules hand out: a type name and fields.
type record struct {
	class  *Class
	text   string
	fields map[string]Value
}

// Type implements [Value].
func (o *record) Type() string { return o.class.name }

// Attr implements [Attrs].
func (o *record) Attr(name string) (Value, bool) {
	v, ok := o.fields[name]
	return v, ok
}

// Text implements [Texter].
func (o *record) Text() string { return o.text }

// Truth says what a condition makes of v.
func Truth(v Value) bool {
	switch v := v.(type) {
	case noneType:
		return false
	case Bool:
		return bool(v)
	case Int:
		return v != 0
	case Float:
		return v != 0
	case Str:
		return v != ""
	case Bytes:
		return v != ""
	case *List:
		return len(v.items) > 0
	case Tuple:
		return len(v) > 0
	case *Dict:
		return v.Len() > 0
	case *Set:
		return v.d.Len() > 0
	case rangeValue:
		return v.len() > 0
	case Truther:
		return v.Truth()
	case Lengther:
		return v.Len() > 0
	}
	return true
}
