package expr

import "slices"

func makeList(c *Call) (Value, error) {
	items, err := c.optionalItems()
	return &List{items}, err
}

func makeTuple(c *Call) (Value, error) {
	items, err := c.optionalItems()
	return Tuple(items), err
}

// optionalItems collects the only argument, which may be missing.
func (c *Call) optionalItems() ([]Value, error) {
	a, err := c.Bind("iterable?")
	if err != nil || a[0] == nil {
		return nil, err
	}
	return c.r.collect(a[0])
}

func makeSet(c *Call) (Value, error)       { return c.makeSet(false) }
func makeFrozenset(c *Call) (Value, error) { return c.makeSet(true) }

func (c *Call) makeSet(frozen bool) (Value, error) {
	a, err := c.Bind("iterable?")
	if err != nil {
		return nil, err
	}
	if a[0] == nil {
		return &Set{frozen: frozen}, nil
	}
	return c.r.setOf(a[0], frozen)
}

var listMethods = map[string]method{
	"append":  listAppend,
	"extend":  listExtend,
	"insert":  listInsert,
	"pop":     listPop,
	"remove":  listRemove,
	"index":   sequenceIndex,
	"count":   sequenceCount,
	"sort":    listSort,
	"reverse": listReverse,
	"copy":    listCopy,
	"clear":   listClear,
}

var tupleMethods = map[string]method{
	"index": sequenceIndex,
	"count": sequenceCount,
}

func listAppend(c *Call, self Value) (Value, error) {
	a, err := c.Bind("object")
	if err != nil {
		return nil, err
	}
	l := self.(*List)
	l.items = append(l.items, a[0])
	return None, c.r.grow(itemSize)
}

func listExtend(c *Call, self Value) (Value, error) {
	a, err := c.Bind("iterable")
	if err != nil {
		return nil, err
	}
	items, err := c.r.collect(a[0])
	if err != nil {
		return nil, err
	}
	l := self.(*List)
	l.items = append(l.items, items...)
	return None, c.r.grow(16 * len(items))
}

func listInsert(c *Call, self Value) (Value, error) {
	a, err := c.Bind("index", "object")
	if err != nil {
		return nil, err
	}
	l := self.(*List)
	i, err := asInt(a[0])
	if err != nil {
		return nil, err
	}
	if i < 0 {
		i += len(l.items)
	}
	l.items = slices.Insert(l.items, min(max(i, 0), len(l.items)), a[1])
	if err := c.r.grow(32); err != nil {
		return nil, err
	}
	return None, c.r.work(len(l.items))
}

func listPop(c *Call, self Value) (Value, error) {
	a, err := c.Bind("index?")
	if err != nil {
		return nil, err
	}
	l := self.(*List)
	n := len(l.items)
	if n == 0 {
		return nil, indexError.errorf("pop from empty list")
	}
	i := n - 1
	if a[0] != nil {
		if i, err = asInt(a[0]); err != nil {
			return nil, err
		}
		if i < 0 {
			i += n
		}
		if i < 0 || i >= n {
			return nil, indexError.errorf("pop index out of range")
		}
	}
	v := l.items[i]
	l.items = slices.Delete(l.items, i, i+1)
	return v, c.r.work(n - i)
}

// search finds v in items from an index on; -1 if it is not there.
func (r *run) search(items []Value, v Value, from int) (int, error) {
	for i := from; i < len(items); i++ {
		if err := r.step(); err != nil {
			return 0, err
		}
		if identical(items[i], v) {
			return i, nil
		}
		if same, err := r.equal(items[i], v); same || err != nil {
			return i, err
		}
	}
	return -1, nil
}

func itemsOf(v Value) []Value {
	if l, ok := v.(*List); ok {
		return l.items
	}
	t, _ := v.(Tuple)
	return t
}

func listRemove(c *Call, self Value) (Value, error) {
	a, err := c.Bind("value")
	if err != nil {
		return nil, err
	}
	l := self.(*List)
	i, err := c.r.search(l.items, a[0], 0)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		return nil, valueError.errorf("list.remove(x): x not in list")
	}
	l.items = slices.Delete(l.items, i, i+1)
	return None, c.r.work(len(l.items) - i)
}

func sequenceIndex(c *Call, self Value) (Value, error) {
	a, err := c.Bind("value", "start?", "stop?")
	if err != nil {
		return nil, err
	}
	items := itemsOf(self)
	from, to, err := window(a[1], a[2], len(items))
	if err != nil {
		return nil, err
	}
	i, err := c.r.search(items[:max(to, from)], a[0], from)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		if self.Type() == "tuple" {
			return nil, valueError.errorf("tuple.index(x): x not in tuple")
		}
		text, err := c.r.repr(a[0])
		if err != nil {
			return nil, err
		}
		return nil, valueError.errorf("%s is not in list", text)
	}
	return Int(i), nil
}

// window resolves optional start and stop arguments of a search.
func window(start, stop Value, n int) (from, to int, err error) {
	place := func(v Value, otherwise int) (int, error) {
		if v == nil || v == None {
			return otherwise, nil
		}
		i, err := sliceIndex(v, n)
		if i < 0 {
			i += n
		}
		return min(max(i, 0), n), err
	}
	if from, err = place(start, 0); err != nil {
		return 0, 0, err
	}
	to, err = place(stop, n)
	return from, to, err
}

func sequenceCount(c *Call, self Value) (Value, error) {
	a, err := c.Bind("value")
	if err != nil {
		return nil, err
	}
	n := 0
	for _, item := range itemsOf(self) {
		same, err := c.r.compare("==", item, a[0])
		if err != nil {
			return nil, err
		}
		if same {
			n++
		}
	}
	return Int(n), nil
}

func listSort(c *Call, self Value) (Value, error) {
	a, err := c.Bind("key?", "reverse?")
	if err != nil {
		return nil, err
	}
	l := self.(*List)
	items := l.items
	l.items = nil // as in Python, the list looks empty to key functions
	err = c.sort(items, a[0], a[1] != nil && Truth(a[1]))
	l.items = items
	return None, err
}

func listReverse(c *Call, self Value) (Value, error) {
	l := self.(*List)
	slices.Reverse(l.items)
	return None, c.r.work(len(l.items))
}

func listCopy(c *Call, self Value) (Value, error) {
	return c.r.list(slices.Clone(self.(*List).items))
}

func listClear(_ *Call, self Value) (Value, error) {
	self.(*List).items = nil
	return None, nil
}
