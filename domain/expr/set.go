package expr

// within reports whether every item of s is in o.
func (s *Set) within(o *Set) bool {
	for _, e := range s.d.entries {
		if e.key != nil && o.d.find(e.hash) < 0 {
			return false
		}
	}
	return true
}

// order compares by inclusion.
func (s *Set) order(o *Set) (int, bool) {
	down, up := s.within(o), o.within(s)
	switch {
	case down && up:
		return 0, true
	case down:
		return -1, true
	case up:
		return 1, true
	}
	return 0, false
}

// add puts v in.
func (r *run) add(s *Set, v Value) error {
	h, err := r.hash(v)
	if err != nil {
		return err
	}
	if s.d.put(h, v, nil) {
		return r.grow(entrySize)
	}
	return nil
}

// setOf makes a set of what v iterates over.
func (r *run) setOf(v Value, frozen bool) (*Set, error) {
	s := &Set{frozen: frozen}
	return s, r.each(v, func(item Value) error { return r.add(s, item) })
}

// setOperator is | & - ^ of sets, and | of dictionaries.
func (r *run) setOperator(op string, x, y Value) (Value, error) {
	if a, ok := x.(*Dict); ok && op == "|" {
		b, ok := y.(*Dict)
		if !ok {
			return nil, nil
		}
		if err := r.grow(entrySize * (a.live + b.live)); err != nil {
			return nil, err
		}
		out := a.copy()
		return out, r.update(out, b)
	}
	_, left := x.(*view)
	_, right := y.(*view)
	if !left && !right {
		a, ok := x.(*Set)
		b, ok2 := y.(*Set)
		if !ok || !ok2 {
			return nil, nil
		}
		return r.combine(op, a, b)
	}
	a, err := r.setLike(x, left)
	if a == nil || err != nil {
		return nil, err
	}
	b, err := r.setLike(y, right)
	if b == nil || err != nil {
		return nil, err
	}
	return r.combine(op, a, b)
}

// setLike makes a set of a view, or of what may stand beside one; nil of
// anything else.
func (r *run) setLike(v Value, isView bool) (*Set, error) {
	if w, ok := v.(*view); isView && ok && w.name == "dict_values" {
		return nil, nil
	}
	switch v := v.(type) {
	case *Set:
		return &Set{d: v.d}, nil
	case *view, *List, Tuple, *Dict, Str, rangeValue, *iterator:
		return r.setOf(v, false)
	}
	return nil, nil
}

// viewsAsSets makes sets of keys() and items() that are compared with sets, or
// with each other.
func (r *run) viewsAsSets(x, y Value) (Value, Value, error) {
	comparable := func(v Value) bool {
		w, ok := v.(*view)
		_, isSet := v.(*Set)
		return isSet || ok && w.name != "dict_values"
	}
	if !comparable(x) || !comparable(y) {
		return x, y, nil
	}
	a, err := r.setLike(x, true)
	if err != nil {
		return nil, nil, err
	}
	b, err := r.setLike(y, true)
	return a, b, err
}

// combine computes a op b.
func (r *run) combine(op string, a, b *Set) (*Set, error) {
	if err := r.grow(entrySize * (a.d.live + b.d.live)); err != nil {
		return nil, err
	}
	if err := r.work(a.d.live + b.d.live); err != nil {
		return nil, err
	}
	out := &Set{frozen: a.frozen}
	take := func(from, other *Set, keep func(found bool) bool) {
		for _, e := range from.d.entries {
			if e.key != nil && keep(other.d.find(e.hash) >= 0) {
				out.d.put(e.hash, e.key, nil)
			}
		}
	}
	isIn := func(found bool) bool { return found }
	isOut := func(found bool) bool { return !found }
	switch op {
	case "&":
		take(a, b, isIn)
	case "-":
		take(a, b, isOut)
	case "|":
		take(a, a, isIn)
		take(b, a, isOut)
	case "^":
		take(a, b, isOut)
		take(b, a, isOut)
	}
	return out, nil
}

// update copies the entries of b into a.
func (r *run) update(a, b *Dict) error {
	if err := r.grow(entrySize * b.live); err != nil {
		return err
	}
	for _, e := range b.entries {
		if e.key != nil {
			a.put(e.hash, e.key, e.value)
		}
	}
	return r.work(b.live)
}

// put sets d[key].
func (r *run) put(d *Dict, key, value Value) error {
	h, err := r.hash(key)
	if err != nil {
		return err
	}
	if d.put(h, key, value) {
		return r.grow(entrySize)
	}
	return nil
}
