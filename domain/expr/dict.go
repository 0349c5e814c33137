package expr

import (
	"iter"
	"slices"
)

// smallDict is how many entries are searched rather than indexed.
const smallDict = 8

// entrySize is what one more entry takes, the index and what growing leaves
// behind included.
const entrySize = 192

// Dict is a dictionary; it keeps the order of insertion.
type Dict struct {
	entries []entry
	index   map[any]int // of live entries by key; nil while there are few
	live    int
}

// An entry of a dictionary. A removed one has no key value.
type entry struct {
	hash       any // what equal keys have in common, comparable
	key, value Value
}

// NewDict makes an empty dictionary.
func NewDict() *Dict { return &Dict{} }

// Reserve makes room for n entries.
func (d *Dict) Reserve(n int) { d.entries = slices.Grow(d.entries, n) }

// Type implements [Value].
func (*Dict) Type() string { return "dict" }

// Len implements [Lengther].
func (d *Dict) Len() int { return d.live }

// Get returns what stands under a text.
func (d *Dict) Get(key string) (Value, bool) { return d.get(Str(key)) }

// Set puts a value under a text.
func (d *Dict) Set(key string, v Value) {
	k := Value(Str(key))
	d.put(k, k, v)
}

// Keys returns the keys in order.
func (d *Dict) Keys() []Value {
	keys := make([]Value, 0, d.live)
	for _, e := range d.entries {
		if e.key != nil {
			keys = append(keys, e.key)
		}
	}
	return keys
}

// All yields the entries in order.
func (d *Dict) All() iter.Seq2[Value, Value] {
	return func(yield func(key, v Value) bool) {
		for _, e := range d.entries {
			if e.key != nil && !yield(e.key, e.value) {
				return
			}
		}
	}
}

func (d *Dict) find(hash any) int {
	if d.index != nil {
		if i, ok := d.index[hash]; ok {
			return i
		}
		return -1
	}
	for i := range d.entries {
		if d.entries[i].key != nil && d.entries[i].hash == hash {
			return i
		}
	}
	return -1
}

func (d *Dict) get(hash any) (Value, bool) {
	if i := d.find(hash); i >= 0 {
		return d.entries[i].value, true
	}
	return nil, false
}

// put sets an entry and reports whether it is new.
func (d *Dict) put(hash any, key, value Value) bool {
	if i := d.find(hash); i >= 0 {
		d.entries[i].value = value
		return false
	}
	d.entries = append(d.entries, entry{hash, key, value})
	d.live++
	if d.index != nil {
		d.index[hash] = len(d.entries) - 1
	} else if len(d.entries) > smallDict {
		d.reindex()
	}
	return true
}

func (d *Dict) remove(hash any) (Value, bool) {
	i := d.find(hash)
	if i < 0 {
		return nil, false
	}
	v := d.entries[i].value
	delete(d.index, hash)
	d.entries[i] = entry{}
	d.live--
	if len(d.entries) > 2*d.live+smallDict {
		d.entries = slices.DeleteFunc(d.entries, func(e entry) bool { return e.key == nil })
		d.reindex()
	}
	return v, true
}

func (d *Dict) reindex() {
	d.index = nil
	if len(d.entries) <= smallDict {
		return
	}
	d.index = make(map[any]int, len(d.entries))
	for i, e := range d.entries {
		if e.key != nil {
			d.index[e.hash] = i
		}
	}
}

func (d *Dict) clear() { *d = Dict{} }

func (d *Dict) copy() *Dict {
	c := &Dict{entries: make([]entry, 0, d.live), live: d.live}
	for _, e := range d.entries {
		if e.key != nil {
			c.entries = append(c.entries, e)
		}
	}
	c.reindex()
	return c
}

// Set is a set or, if frozen, a frozenset: a dictionary of its items.
type Set struct {
	d      Dict
	frozen bool
}

// Type implements [Value].
func (s *Set) Type() string {
	if s.frozen {
		return "frozenset"
	}
	return "set"
}

// Items implements [Iterable].
func (s *Set) Items() []Value { return s.d.Keys() }
