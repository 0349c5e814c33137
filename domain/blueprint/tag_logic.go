package blueprint

import (
	"slices"
	"strings"
)

// choose is !If. The branch that is not taken is never looked at.
func (r *resolver) choose(t *tag) (any, error) {
	condition, err := r.direct(t.args[0])
	switch {
	case err != nil:
		return nil, err
	case len(t.args) == 1:
		return truth(condition), nil
	case truth(condition):
		return r.walk(t.args[1])
	}
	return r.walk(t.args[2])
}

// condition is !Condition: a fold over the values after the mode.
func (r *resolver) condition(t *tag) (any, error) {
	values, err := r.directs(t.args[1:])
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, faultf("At least one value is required after mode selection.")
	}
	trues := 0
	for _, v := range values {
		if truth(v) {
			trues++
		}
	}
	switch mode := strings.ToUpper(t.key()); mode {
	case "AND", "NAND":
		return trues == len(values) == (mode == "AND"), nil
	case "OR", "NOR":
		return trues > 0 == (mode == "OR"), nil
	case "XOR", "XNOR":
		return trues%2 == 1 == (mode == "XOR"), nil
	case "EQ", "NEQ":
		same := trues == 1
		if len(values) > 1 {
			same = !slices.ContainsFunc(values[1:], func(v any) bool { return !pyEqual(values[0], v) })
		}
		return same == (mode == "EQ"), nil
	}
	return nil, faultf("%s", pyRepr(t.key()))
}

// enumerate is !Enumerate: the body once for each pair of the iterable.
func (r *resolver) enumerate(t *tag) (any, error) {
	if over, ok := t.args[0].(*tag); ok && (over.name == "Index" || over.name == "Value") && over.number == 0 {
		return nil, faultf("Enumerate tag's iterable references this tag's context. This is a noop. Check you are setting depth bigger than 0.")
	}
	// The iterable counts this tag already, so an inner one says !Value 1 for
	// the element of the outer.
	depth := len(r.frames)
	r.frames = append(r.frames, frame{})
	defer func() { r.frames = r.frames[:depth] }()
	iterable, err := r.direct(t.args[0])
	if err != nil {
		return nil, err
	}
	if text, isText := iterable.(string); isText {
		if err := r.spend(len(text)); err != nil {
			return nil, err
		}
	}
	pairs, ok := pairsOf(iterable)
	if !ok {
		return nil, faultf("Enumerate's iterable must be an iterable such as a sequence or a mapping")
	}
	kind := strings.ToUpper(t.raw[1])
	if kind != "SEQ" && kind != "MAP" {
		return nil, faultf("%s", pyRepr(t.raw[1]))
	}
	list, sum := []any{}, newMapping()
	for _, pair := range pairs {
		r.frames[depth] = pair
		item, err := r.walk(t.args[2])
		if err != nil {
			return nil, err
		}
		if kind == "SEQ" {
			list = append(list, item)
			continue
		}
		if err := r.addItem(sum, item); err != nil {
			return nil, err
		}
	}
	if kind == "SEQ" {
		return list, nil
	}
	return sum, nil
}

// addItem merges one body into sum, which nobody else holds yet.
func (r *resolver) addItem(sum *mapping, item any) error {
	m, ok := item.(*mapping)
	if pair, isList := item.([]any); isList && len(pair) == 2 {
		if key, isKey := keyText(pair[0]); isKey {
			m, ok = newMapping(), true
			m.set(key, pair[1])
		}
	}
	if !ok {
		return faultf("Invalid Enumerate item found: %s", pyString(item))
	}
	for _, key := range m.keys {
		v := m.values[key]
		if old, there := sum.get(key); there {
			merged, err := r.deepMerge(old, v)
			if err != nil {
				return err
			}
			v = merged
		}
		sum.set(key, v)
	}
	return r.spend(len(m.keys))
}

// pairsOf lists the pairs that !Index and !Value show.
func pairsOf(v any) ([]frame, bool) {
	var pairs []frame
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			pairs = append(pairs, frame{true, int64(i), item})
		}
	case *mapping:
		for _, key := range v.keys {
			pairs = append(pairs, frame{true, key, v.values[key]})
		}
	case string:
		for _, char := range v {
			pairs = append(pairs, frame{true, int64(len(pairs)), string(char)})
		}
	default:
		return nil, false
	}
	return pairs, true
}

// position is !Index and !Value.
func (r *resolver) position(t *tag) (any, error) {
	deepest := len(r.frames) - 1
	switch {
	case deepest < 0 || t.number <= deepest && !r.frames[deepest-t.number].set:
		return nil, faultf("%s tags are only usable inside an Enumerate tag", t.name)
	case t.number > deepest:
		return nil, faultf("%s tag: invalid depth: %d. Max depth: %d", t.name, t.number, deepest)
	case t.name == "Index":
		return r.frames[deepest-t.number].key, nil
	}
	return r.direct(r.frames[deepest-t.number].value)
}

// atIndex is !AtIndex. Negative indexes count from the end.
func (r *resolver) atIndex(t *tag) (any, error) {
	both, err := r.directs(t.args[:2])
	if err != nil {
		return nil, err
	}
	index := both[1]
	switch v := both[0].(type) {
	case []any:
		i, ok := index.(int64)
		if !ok {
			return nil, faultf("Invalid index for list: %s", pyString(index))
		}
		if i < 0 {
			i += int64(len(v))
		}
		if i >= 0 && i < int64(len(v)) {
			return v[i], nil
		}
		if len(t.args) < 3 {
			return nil, faultf("Index out of range: %s", pyString(index))
		}
	case *mapping:
		if key, ok := keyText(index); ok {
			if value, there := v.get(key); there {
				return value, nil
			}
		}
		if len(t.args) < 3 {
			return nil, faultf("Key does not exist: %s", pyString(index))
		}
	default:
		return nil, faultf("AtIndex: a %s cannot be indexed", pyType(both[0]))
	}
	return t.args[2], nil
}
