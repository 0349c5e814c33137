package expr

import (
	"math/big"
	"strings"
)

// operable is implemented by values with arithmetic of their own. The last
// argument says that the value stands on the right. No value and no error: it
// does not know the other one.
type operable interface {
	operate(op string, other Value, right bool) (Value, error)
}

func unsupported(op string, x, y Value) error {
	if op == "**" {
		op = "** or pow()"
	}
	return typeError.errorf("unsupported operand type(s) for %s: '%s' and '%s'", op, x.Type(), y.Type())
}

// binary computes x op y.
func (r *run) binary(op string, x, y Value) (Value, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	if isNumber(x) && isNumber(y) {
		return r.arithmetic(op, x, y)
	}
	var v Value
	var err error
	switch op {
	case "+":
		v, err = r.concatenate(x, y)
	case "*":
		v, err = r.repeated(x, y)
	case "%":
		v, err = r.percent(x, y)
	case "|", "&", "-", "^":
		v, err = r.setOperator(op, x, y)
	}
	if v == nil && err == nil {
		if o, ok := x.(operable); ok {
			v, err = o.operate(op, y, false)
		}
	}
	if v == nil && err == nil {
		if o, ok := y.(operable); ok {
			v, err = o.operate(op, x, true)
		}
	}
	if v == nil && err == nil {
		return nil, notConcatenable(op, x, y)
	}
	return v, err
}

func notConcatenable(op string, x, y Value) error {
	if op == "+" {
		switch x.(type) {
		case Bytes:
			return typeError.errorf("can't concat %s to bytes", y.Type())
		case Str, *List, Tuple:
			return typeError.errorf("can only concatenate %s (not \"%s\") to %s", x.Type(), y.Type(), x.Type())
		}
	}
	return unsupported(op, x, y)
}

// concatenate is + of sequences.
func (r *run) concatenate(x, y Value) (Value, error) {
	switch x := x.(type) {
	case Str:
		if y, ok := y.(Str); ok {
			if err := r.grow(len(x) + len(y) + 16); err != nil {
				return nil, err
			}
			return x + y, r.work(len(x) + len(y))
		}
	case Bytes:
		if y, ok := y.(Bytes); ok {
			return x + y, r.grow(len(x) + len(y) + 16)
		}
	case *List:
		if y, ok := y.(*List); ok {
			v, err := r.joined(x.items, y.items)
			return &List{v}, err
		}
	case Tuple:
		if y, ok := y.(Tuple); ok {
			v, err := r.joined(x, y)
			return Tuple(v), err
		}
	}
	return nil, nil
}

func (r *run) joined(x, y []Value) ([]Value, error) {
	n := len(x) + len(y)
	if err := r.grow(16*n + 24); err != nil {
		return nil, err
	}
	return append(append(make([]Value, 0, n), x...), y...), r.work(n)
}

// repeated is * of a sequence and an integer.
func (r *run) repeated(x, y Value) (Value, error) {
	if _, ok := bigOf(x); ok {
		x, y = y, x
	}
	times, ok := bigOf(y)
	if !ok {
		switch x.(type) {
		case Str, Bytes, *List, Tuple:
			if _, isOperable := y.(operable); !isOperable {
				return nil, typeError.errorf("can't multiply sequence by non-int of type '%s'", y.Type())
			}
		}
		return nil, nil
	}
	n := 0
	if times.Sign() > 0 {
		n = maxRepeat
		if times.Cmp(big.NewInt(maxRepeat)) < 0 {
			n = int(times.Int64())
		}
	}
	switch x := x.(type) {
	case Str:
		s, err := r.repeat(string(x), n)
		return Str(s), err
	case Bytes:
		s, err := r.repeat(string(x), n)
		return Bytes(s), err
	case *List:
		items, err := r.repeatItems(x.items, n)
		return &List{items}, err
	case Tuple:
		items, err := r.repeatItems(x, n)
		return Tuple(items), err
	}
	return nil, nil
}

// maxRepeat is beyond what any limit of memory lets pass.
const maxRepeat = 1 << 31

func (r *run) repeat(s string, n int) (string, error) {
	if s == "" {
		return "", nil
	}
	if err := r.grow(len(s)*n + 16); err != nil {
		return "", err
	}
	return strings.Repeat(s, n), r.work(len(s) * n)
}

func (r *run) repeatItems(items []Value, n int) ([]Value, error) {
	if len(items) == 0 {
		return nil, nil
	}
	if err := r.grow(16*len(items)*n + 24); err != nil {
		return nil, err
	}
	out := make([]Value, 0, len(items)*n)
	for range n {
		out = append(out, items...)
	}
	return out, r.work(len(out))
}

// unary computes op x.
func (r *run) unary(op string, x Value) (Value, error) {
	if op == "not" {
		return Bool(!Truth(x)), nil
	}
	if f, ok := x.(Float); ok && op != "~" {
		if op == "-" {
			f = -f
		}
		return f, nil
	}
	if n, ok := bigOf(x); ok {
		switch op {
		case "-":
			return integer(new(big.Int).Neg(n)), nil
		case "~":
			return integer(new(big.Int).Not(n)), nil
		}
		return integer(n), nil
	}
	if o, ok := x.(operable); ok && op == "-" {
		if v, err := o.operate("*", Int(-1), false); v != nil || err != nil {
			return v, err
		}
	}
	return nil, typeError.errorf("bad operand type for unary %s: '%s'", op, x.Type())
}
