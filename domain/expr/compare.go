package expr

import (
	"cmp"
	"math"
	"strings"
)

// compare is the operator op of comparisons.
func (r *run) compare(op string, x, y Value) (bool, error) {
	if err := r.step(); err != nil {
		return false, err
	}
	if op != "is" && op != "is not" && op != "in" && op != "not in" {
		var err error
		if x, y, err = r.viewsAsSets(x, y); err != nil {
			return false, err
		}
	}
	switch op {
	case "is":
		return identical(x, y), nil
	case "is not":
		return !identical(x, y), nil
	case "==":
		return r.equal(x, y)
	case "!=":
		same, err := r.equal(x, y)
		return !same, err
	case "in":
		return r.contains(y, x)
	case "not in":
		found, err := r.contains(y, x)
		return !found, err
	}
	return r.ordered(op, x, y)
}

// equal is ==.
func (r *run) equal(x, y Value) (bool, error) {
	switch a := x.(type) {
	case Str:
		b, ok := y.(Str)
		return ok && a == b, r.work(min(len(a), len(b)))
	case Bytes:
		b, ok := y.(Bytes)
		return ok && a == b, r.work(min(len(a), len(b)))
	case Int, Bool, Float, *bigInt:
		if isNumber(y) {
			c, ok := compareNumbers(x, y)
			return ok && c == 0, nil
		}
	case *List:
		if b, ok := y.(*List); ok {
			return r.equalItems(a.items, b.items)
		}
	case Tuple:
		if b, ok := y.(Tuple); ok {
			return r.equalItems(a, b)
		}
	case *Dict:
		if b, ok := y.(*Dict); ok {
			return r.equalDicts(a, b)
		}
	case *Set:
		if b, ok := y.(*Set); ok {
			return a.d.live == b.d.live && a.within(b), r.work(a.d.live)
		}
	case rangeValue:
		b, ok := y.(rangeValue)
		return ok && a.equal(b), nil
	case hasher:
		if b, ok := y.(hasher); ok && classOf(x).name == classOf(y).name {
			return a.hash() == b.hash(), nil
		}
	case Equaler:
		return a.Equal(y), nil
	}
	if e, ok := y.(Equaler); ok {
		return e.Equal(x), nil
	}
	return identical(x, y), nil
}

func (r *run) equalItems(x, y []Value) (bool, error) {
	if len(x) != len(y) {
		return false, nil
	}
	if err := r.enter(); err != nil {
		return false, err
	}
	defer r.leave()
	for i := range x {
		if identical(x[i], y[i]) {
			if err := r.step(); err != nil {
				return false, err
			}
			continue
		}
		if same, err := r.equal(x[i], y[i]); !same || err != nil {
			return false, err
		}
		if err := r.step(); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (r *run) equalDicts(x, y *Dict) (bool, error) {
	if x.live != y.live {
		return false, nil
	}
	if err := r.enter(); err != nil {
		return false, err
	}
	defer r.leave()
	for _, e := range x.entries {
		if e.key == nil {
			continue
		}
		other, ok := y.get(e.hash)
		if !ok {
			return false, nil
		}
		if same, err := r.equal(e.value, other); !same || err != nil {
			return false, err
		}
	}
	return true, r.work(x.live)
}

// compareNumbers orders two numbers; not if one is no number at all.
func compareNumbers(x, y Value) (int, bool) {
	a, aOK := x.(Int)
	b, bOK := y.(Int)
	if aOK && bOK {
		return cmp.Compare(a, b), true
	}
	n, nOK := bigOf(x)
	m, mOK := bigOf(y)
	if nOK && mOK {
		return n.Cmp(m), true
	}
	f, _ := floatOf(x)
	g, _ := floatOf(y)
	if math.IsNaN(f) || math.IsNaN(g) {
		return 0, false
	}
	if f == g && !math.IsInf(f, 0) { // the float may have rounded the integer
		if nOK {
			return n.Cmp(bigOfFloat(g)), true
		}
		if mOK && f == math.Trunc(f) {
			return bigOfFloat(f).Cmp(m), true
		}
	}
	return cmp.Compare(f, g), true
}

// comparer is implemented by values that have an order of their own.
type comparer interface {
	compare(other Value) (c int, known bool, err error)
}

// ordered is <, <=, > and >=.
func (r *run) ordered(op string, x, y Value) (bool, error) {
	c, known, err := r.order(op, x, y)
	if err != nil {
		return false, err
	}
	if !known {
		return false, nil
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

// order compares two values; known is false for those that have no order, such
// as nan or sets of which none holds the other.
func (r *run) order(op string, x, y Value) (c int, known bool, err error) {
	if isNumber(x) && isNumber(y) {
		c, known = compareNumbers(x, y)
		return c, known, nil
	}
	switch a := x.(type) {
	case Str:
		if b, ok := y.(Str); ok {
			return strings.Compare(string(a), string(b)), true, r.work(min(len(a), len(b)))
		}
	case Bytes:
		if b, ok := y.(Bytes); ok {
			return strings.Compare(string(a), string(b)), true, r.work(min(len(a), len(b)))
		}
	case *List:
		if b, ok := y.(*List); ok {
			return r.orderItems(op, a.items, b.items)
		}
	case Tuple:
		if b, ok := y.(Tuple); ok {
			return r.orderItems(op, a, b)
		}
	case *Set:
		if b, ok := y.(*Set); ok {
			c, known = a.order(b)
			return c, known, r.work(a.d.live + b.d.live)
		}
	case comparer:
		if c, ok, err := a.compare(y); ok || err != nil {
			return c, ok, err
		}
	}
	return 0, false, typeError.errorf("'%s' not supported between instances of '%s' and '%s'", op, x.Type(), y.Type())
}

func (r *run) orderItems(op string, x, y []Value) (int, bool, error) {
	if err := r.enter(); err != nil {
		return 0, false, err
	}
	defer r.leave()
	for i := range min(len(x), len(y)) {
		same, err := r.equal(x[i], y[i])
		if err != nil {
			return 0, false, err
		}
		if !same {
			return r.order(op, x[i], y[i])
		}
	}
	return cmp.Compare(len(x), len(y)), true, r.step()
}

// contains is the operator in.
func (r *run) contains(in, v Value) (bool, error) {
	switch in := in.(type) {
	case Str:
		s, ok := v.(Str)
		if !ok {
			return false, typeError.errorf("'in <string>' requires string as left operand, not %s", v.Type())
		}
		return strings.Contains(string(in), string(s)), r.work(len(in))
	case Bytes:
		if b, ok := v.(Bytes); ok {
			return strings.Contains(string(in), string(b)), r.work(len(in))
		}
	case *Dict:
		h, err := r.hash(v)
		if err != nil {
			return false, err
		}
		return in.find(h) >= 0, nil
	case *Set:
		h, err := r.hash(v)
		if err != nil {
			return false, err
		}
		return in.d.find(h) >= 0, nil
	case rangeValue:
		if n, ok := v.(Int); ok {
			return in.contains(int(n)), nil
		}
	case *view:
		return r.viewContains(in, v)
	case Container:
		return in.Contains(v)
	}
	next, err := r.iterate(in)
	if err != nil {
		return false, typeError.errorf("argument of type '%s' is not iterable", in.Type())
	}
	for {
		item, ok, err := next()
		if !ok || err != nil {
			return false, err
		}
		if identical(item, v) {
			return true, nil
		}
		if same, err := r.equal(item, v); same || err != nil {
			return same, err
		}
	}
}
