package expr

import "unicode/utf8"

// position resolves an index of a sequence of n items.
func position(what string, key Value, n int) (int, error) {
	i, ok := key.(Int)
	if b, isBool := key.(Bool); isBool {
		ok = true
		if b {
			i = 1
		}
	}
	if !ok {
		if _, isBig := key.(*bigInt); isBig {
			return 0, indexError.errorf("cannot fit 'int' into an index-sized integer")
		}
		if what == "string" {
			return 0, typeError.errorf("string indices must be integers, not '%s'", key.Type())
		}
		return 0, typeError.errorf("%s indices must be integers or slices, not %s", what, key.Type())
	}
	at := int(i)
	if at < 0 {
		at += n
	}
	if at < 0 || at >= n {
		return 0, indexError.errorf("%s index out of range", what)
	}
	return at, nil
}

// isASCII reports whether letters are bytes.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// index is x[key].
func (r *run) index(x, key Value) (Value, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	if s, ok := key.(*sliceValue); ok {
		return r.slice(x, s)
	}
	switch x := x.(type) {
	case *Dict:
		return r.item(x, key)
	case *List:
		i, err := position("list", key, len(x.items))
		if err != nil {
			return nil, err
		}
		return x.items[i], nil
	case Tuple:
		i, err := position("tuple", key, len(x))
		if err != nil {
			return nil, err
		}
		return x[i], nil
	case Str:
		return r.letter(string(x), key)
	case Bytes:
		i, err := position("index", key, len(x))
		if err != nil {
			return nil, err
		}
		return Int(x[i]), nil
	case rangeValue:
		i, err := position("range object", key, x.len())
		if err != nil {
			return nil, err
		}
		return x.item(i), nil
	case Indexer:
		v, found, err := x.Index(key)
		if err == nil && !found {
			err = r.missing(key)
		}
		return v, err
	}
	return nil, typeError.errorf("'%s' object is not subscriptable", x.Type())
}

func (r *run) item(d *Dict, key Value) (Value, error) {
	h, err := r.hash(key)
	if err != nil {
		return nil, err
	}
	if v, ok := d.get(h); ok {
		return v, nil
	}
	return nil, r.missing(key)
}

// missing makes the KeyError for key.
func (r *run) missing(key Value) error {
	text, err := r.repr(key)
	if err != nil {
		return err
	}
	return &Error{Kind: keyError.name, Message: text, exception: &exception{class: keyError, args: Tuple{key}}}
}

func (r *run) letter(s string, key Value) (Value, error) {
	if err := r.work(len(s)); err != nil {
		return nil, err
	}
	if isASCII(s) {
		i, err := position("string", key, len(s))
		if err != nil {
			return nil, err
		}
		return Str(s[i : i+1]), nil
	}
	i, err := position("string", key, utf8.RuneCountInString(s))
	if err != nil {
		return nil, err
	}
	for off := range s {
		if i == 0 {
			_, size := utf8.DecodeRuneInString(s[off:])
			return Str(s[off : off+size]), nil
		}
		i--
	}
	return Str(""), nil
}

// setIndex is x[key] = v.
func (r *run) setIndex(x, key, v Value) error {
	if err := r.step(); err != nil {
		return err
	}
	switch x := x.(type) {
	case *Dict:
		return r.put(x, key, v)
	case *List:
		if s, ok := key.(*sliceValue); ok {
			return r.setSlice(x, s, v)
		}
		i, err := position("list assignment", key, len(x.items))
		if err != nil {
			return err
		}
		x.items[i] = v
		return nil
	case IndexSetter:
		return x.SetIndex(key, v)
	}
	return typeError.errorf("'%s' object does not support item assignment", x.Type())
}

// deleteIndex is del x[key].
func (r *run) deleteIndex(x, key Value) error {
	if err := r.step(); err != nil {
		return err
	}
	switch x := x.(type) {
	case *Dict:
		h, err := r.hash(key)
		if err != nil {
			return err
		}
		if _, ok := x.remove(h); !ok {
			return r.missing(key)
		}
		return nil
	case *List:
		if s, ok := key.(*sliceValue); ok {
			return r.deleteSlice(x, s)
		}
		i, err := position("list assignment", key, len(x.items))
		if err != nil {
			return err
		}
		x.items = append(x.items[:i], x.items[i+1:]...)
		return r.work(len(x.items) - i)
	}
	return typeError.errorf("'%s' object doesn't support item deletion", x.Type())
}
