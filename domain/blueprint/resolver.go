package blueprint

import (
	"fmt"
	"strconv"
	"strings"
)

// A resolver gives tags their values. It lives for one document, and knows
// which entry is being processed.
type resolver struct {
	*budget
	env     Env
	things  *overlay
	context *mapping
	ids     map[string]Object // what entries with an id produced
	log     func(event string, attributes map[string]any)

	missed  []string // what the entry asked for and did not get
	binding bool     // the entry is a policy binding, so targets have another id
	frames  []frame  // the !Enumerate tags around the tag that is being resolved
}

// A frame is one !Enumerate and the pair it is at.
type frame struct {
	set        bool
	key, value any
}

// walk resolves a value and everything in it.
func (r *resolver) walk(v any) (any, error) {
	if err := r.descend(); err != nil {
		return nil, err
	}
	defer r.leave()
	switch v := v.(type) {
	case *tag:
		return r.direct(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = r.walk(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *mapping:
		return r.walkMapping(v)
	}
	return v, nil
}

func (r *resolver) walkMapping(m *mapping) (*mapping, error) {
	out := newMapping()
	for _, key := range m.keys {
		v, err := r.walk(m.values[key])
		if err != nil {
			return nil, err
		}
		out.set(key, v)
	}
	return out, nil
}

// direct resolves a value that is a tag, and leaves any other as it is.
func (r *resolver) direct(v any) (any, error) {
	t, ok := v.(*tag)
	if !ok {
		return v, nil
	}
	if err := r.descend(); err != nil {
		return nil, err
	}
	defer r.leave()
	return forms[t.name].resolve(r, t)
}

// directs resolves the tags among values.
func (r *resolver) directs(values []any) ([]any, error) {
	out := make([]any, len(values))
	for i, v := range values {
		var err error
		if out[i], err = r.direct(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// contextValue is !Context: the key as it is, or a path of keys and indexes.
func (r *resolver) contextValue(t *tag) (any, error) {
	if v, ok := r.context.get(t.key()); ok {
		return r.direct(v)
	}
	if !strings.Contains(t.key(), ".") {
		return r.contextDefault(t)
	}
	var at any = r.context
	for part := range strings.SplitSeq(t.key(), ".") {
		switch v := at.(type) {
		case *mapping:
			next, ok := v.get(part)
			if !ok {
				return r.contextDefault(t)
			}
			at = next
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return r.contextDefault(t)
			}
			at = v[i]
		default:
			return r.contextDefault(t)
		}
	}
	return r.direct(at)
}

// contextDefault is !Context of a key that is not there.
func (r *resolver) contextDefault(t *tag) (any, error) {
	if t.fallback() == nil {
		r.missed = append(r.missed, "the context has no "+t.key())
	}
	return r.direct(t.fallback())
}

// environment is !Env: an unset and an empty variable are alike.
func (r *resolver) environment(t *tag) (any, error) {
	if r.env.Getenv != nil {
		if text, ok := r.env.Getenv(t.key()); ok && text != "" {
			return text, r.spendText(len(text))
		}
	}
	return t.fallback(), nil
}

// file is !File. A file that cannot be read is no error.
func (r *resolver) file(t *tag) (any, error) {
	if r.env.ReadFile != nil {
		if text, err := r.env.ReadFile(t.key()); err == nil {
			return strings.TrimSpace(string(text)), r.spendText(len(text))
		}
	}
	r.log("Failed to read file. Falling back to default value", map[string]any{"path": t.key()})
	return t.fallback(), nil
}

// keyOf is !KeyOf. Inside a policy binding it gives the second identifier of
// things that policies can be bound to.
func (r *resolver) keyOf(t *tag) (any, error) {
	o, ok := r.ids[t.text]
	if !ok {
		return nil, faultf("KeyOf: failed to find entry with `id` of `%s` and a model instance", t.text)
	}
	if r.binding && isTarget(o) {
		return targetID(o), nil
	}
	return keyValue(o), nil
}

// find is !Find: the key of the first match, or null.
func (r *resolver) find(t *tag) (any, error) {
	o, found, err := r.lookup(t)
	if err != nil || !found {
		return nil, err
	}
	return keyValue(o), nil
}

// findObject is !FindObject: the first match with all its fields, or null.
func (r *resolver) findObject(t *tag) (any, error) {
	if model, ok := t.args[0].(string); ok && isBase(model) {
		return nil, faultf("Model %s is not resolvable through FindObject", model)
	}
	o, found, err := r.lookup(t)
	if err != nil || !found {
		return nil, err
	}
	m := valueOf(o.Fields).(*mapping)
	m.set("pk", keyValue(o))
	return m, r.spend(len(m.keys))
}

// lookup finds the first thing that matches all pairs of a tag.
func (r *resolver) lookup(t *tag) (Object, bool, error) {
	model, err := r.direct(t.args[0])
	if err != nil {
		return Object{}, false, err
	}
	var tests []*test
	var asked []string
	ref, err := refOf(fmt.Sprint(model))
	if err != nil {
		return Object{}, false, err
	}
	for _, pair := range t.args[1:] {
		both, err := r.directs(pair.([]any)[:2])
		if err != nil {
			return Object{}, false, err
		}
		value, err := r.plain(both[1])
		if err != nil {
			return Object{}, false, err
		}
		one, err := r.things.newTest(ref, pyString(both[0]), value)
		if err != nil {
			return Object{}, false, err
		}
		tests, asked = append(tests, one), append(asked, pyString(both[0])+" "+pyString(both[1]))
	}
	if ref == "" {
		r.miss(t, model, asked)
		return Object{}, false, nil
	}
	o, found := r.things.first(ref, hintsOf(tests), func(o Object) bool { return r.things.matchAll(tests, o) })
	if !found {
		r.miss(t, model, asked)
	}
	return o, found, nil
}

// miss notes that there is no such thing.
func (r *resolver) miss(t *tag, model any, asked []string) {
	text := fmt.Sprintf("!%s in line %d finds no %s", t.name, t.line, pyString(model))
	if len(asked) > 0 {
		text += " with " + strings.Join(asked, ", ")
	}
	r.missed = append(r.missed, text)
}

// matchAll tells whether a thing passes all tests.
func (v *overlay) matchAll(tests []*test, o Object) bool {
	for _, t := range tests {
		if !t.match(v, o) {
			return false
		}
	}
	return true
}
