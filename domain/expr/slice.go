package expr

import (
	"slices"
	"unicode/utf8"
)

// sliceValue is from:to:step; each may be None.
type sliceValue struct{ from, to, step Value }

// Type implements [Value].
func (*sliceValue) Type() string { return "slice" }

// bounds resolves a slice of n items: first index, step and how many.
func (s *sliceValue) bounds(n int) (from, step, count int, err error) {
	step = 1
	if s.step != None {
		if step, err = sliceIndex(s.step, n); err != nil {
			return 0, 0, 0, err
		}
		if step == 0 {
			return 0, 0, 0, valueError.errorf("slice step cannot be zero")
		}
	}
	low, high := 0, n
	from, to := 0, n
	if step < 0 {
		low, high = -1, n-1
		from, to = n-1, -1
	}
	place := func(v Value, otherwise int) (int, error) {
		if v == None {
			return otherwise, nil
		}
		i, err := sliceIndex(v, n)
		if i < 0 {
			i += n
		}
		return min(max(i, low), high), err
	}
	if from, err = place(s.from, from); err != nil {
		return 0, 0, 0, err
	}
	if to, err = place(s.to, to); err != nil {
		return 0, 0, 0, err
	}
	switch {
	case step > 0 && to > from:
		count = (to-from-1)/step + 1
	case step < 0 && to < from:
		count = (from-to-1)/-step + 1
	}
	return from, step, count, nil
}

// sliceIndex reads a part of a slice; what is out of all range is cut.
func sliceIndex(v Value, n int) (int, error) {
	b, ok := bigOf(v)
	if !ok {
		return 0, typeError.errorf("slice indices must be integers or None or have an __index__ method")
	}
	far := int64(2*n + 2)
	switch {
	case b.IsInt64() && b.Int64() > -far && b.Int64() < far:
		return int(b.Int64()), nil
	case b.Sign() < 0:
		return int(-far), nil
	}
	return int(far), nil
}

// slice is x[from:to:step].
func (r *run) slice(x Value, s *sliceValue) (Value, error) {
	switch x := x.(type) {
	case *List:
		items, err := r.sliceItems(x.items, s)
		return &List{items}, err
	case Tuple:
		items, err := r.sliceItems(x, s)
		return Tuple(items), err
	case Str:
		return r.sliceText(string(x), s)
	case Bytes:
		b, err := r.sliceBytes(string(x), s)
		return Bytes(b), err
	case rangeValue:
		from, step, count, err := s.bounds(x.len())
		if err != nil {
			return nil, err
		}
		start := x.from + from*x.step
		return rangeValue{start, start + count*step*x.step, step * x.step}, nil
	case Slicer:
		return x.Slice(s.from, s.to, s.step)
	}
	return nil, typeError.errorf("'%s' object is not subscriptable", x.Type())
}

func (r *run) sliceItems(items []Value, s *sliceValue) ([]Value, error) {
	from, step, count, err := s.bounds(len(items))
	if err != nil {
		return nil, err
	}
	if err := r.grow(16*count + 24); err != nil {
		return nil, err
	}
	out := make([]Value, count)
	for i := range out {
		out[i] = items[from+i*step]
	}
	return out, r.work(count)
}

func (r *run) sliceBytes(b string, s *sliceValue) (string, error) {
	from, step, count, err := s.bounds(len(b))
	if err != nil || count == 0 {
		return "", err
	}
	if step == 1 {
		return b[from : from+count], r.step()
	}
	if err := r.grow(count + 16); err != nil {
		return "", err
	}
	out := make([]byte, count)
	for i := range out {
		out[i] = b[from+i*step]
	}
	return string(out), r.work(count)
}

func (r *run) sliceText(t string, s *sliceValue) (Value, error) {
	if err := r.work(len(t)); err != nil {
		return nil, err
	}
	if isASCII(t) {
		b, err := r.sliceBytes(t, s)
		return Str(b), err
	}
	if err := r.grow(4 * utf8.RuneCountInString(t)); err != nil {
		return nil, err
	}
	letters := []rune(t)
	from, step, count, err := s.bounds(len(letters))
	if err != nil {
		return nil, err
	}
	out := make([]rune, count)
	for i := range out {
		out[i] = letters[from+i*step]
	}
	return r.text(string(out))
}

// setSlice is list[from:to:step] = v.
func (r *run) setSlice(l *List, s *sliceValue, v Value) error {
	items, err := r.collect(v)
	if err != nil {
		return err
	}
	from, step, count, err := s.bounds(len(l.items))
	if err != nil {
		return err
	}
	if step == 1 {
		if err := r.grow(16 * len(items)); err != nil {
			return err
		}
		l.items = slices.Replace(l.items, from, from+count, items...)
		return r.work(len(l.items))
	}
	if len(items) != count {
		return valueError.errorf("attempt to assign sequence of size %d to extended slice of size %d", len(items), count)
	}
	for i, item := range items {
		l.items[from+i*step] = item
	}
	return r.work(count)
}

// deleteSlice is del list[from:to:step].
func (r *run) deleteSlice(l *List, s *sliceValue) error {
	from, step, count, err := s.bounds(len(l.items))
	if err != nil || count == 0 {
		return err
	}
	if step < 0 {
		from, step = from+(count-1)*step, -step
	}
	kept := l.items[:from]
	for i := from; i < len(l.items); i++ {
		if (i-from)%step != 0 || (i-from)/step >= count {
			kept = append(kept, l.items[i])
		}
	}
	clear(l.items[len(kept):])
	l.items = kept
	return r.work(len(l.items))
}
