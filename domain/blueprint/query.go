package blueprint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
)

// A test is one condition of a look-up: a field, perhaps of what it refers to,
// compared with a value in the way that the look-up's suffix says.
type test struct {
	field   string
	ref     string   // kinds that the field refers to
	next    *test    // concerns the thing that the field refers to
	path    []string // leads into a mapping
	suffix  string
	value   any
	pattern *regexp.Regexp
	within  bool // a mapping matches when it contains value
}

// suffixes are the ways to compare, as in name__iexact.
var suffixes = []string{
	"exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith",
	"in", "isnull", "gt", "gte", "lt", "lte", "regex", "iregex",
}

// newTest reads a condition such as target__slug or pk__isnull on the kinds
// that ref names. A ref that names no kind accepts every field.
func (v *overlay) newTest(ref, key string, value any) (*test, error) {
	kinds := kindsOf(ref)
	parts := strings.Split(key, "__")
	t := &test{field: parts[0], suffix: "exact", value: value}
	rest := parts[1:]
	field, known := fieldOf(kinds, t.field)
	if !known && len(kinds) > 0 && t.field != "pk" {
		return nil, unknownField(t.field, kinds)
	}
	t.ref = field.Ref
	switch {
	case len(rest) == 0:
	case field.Type == catalog.Reference && !slices.Contains(suffixes, rest[0]):
		var err error
		t.next, err = v.newTest(field.Ref, strings.Join(rest, "__"), value)
		return t, err
	default:
		last := len(rest) - 1
		if slices.Contains(suffixes, rest[last]) {
			t.suffix, rest = rest[last], rest[:last]
		}
		if t.path = rest; len(rest) > 0 && known && field.Type != catalog.Map {
			return nil, unsupportedLookup(rest[0])
		}
	}
	if err := t.prepare(); err != nil {
		return nil, err
	}
	if known && len(t.path) == 0 && field.Type != catalog.Map {
		return t, v.coerce(t, field)
	}
	return t, nil
}

// prepare checks the value against the suffix.
func (t *test) prepare() error {
	text := pyString(t.value)
	switch t.suffix {
	case "regex", "iregex":
		if t.suffix == "iregex" {
			text = "(?i)" + text
		}
		pattern, err := regexp.Compile(text)
		if err != nil {
			return faultf("invalid regular expression: %v", err)
		}
		t.pattern = pattern
	case "in":
		if _, ok := t.value.([]any); !ok {
			return faultf("The look-up %s__in needs a list.", t.field)
		}
	}
	return nil
}

// coerce brings the value into the form in which the field is stored.
func (v *overlay) coerce(t *test, field catalog.Field) error {
	one := func(value any) (any, error) {
		f := field
		if _, isList := value.([]any); !isList {
			f.Many = false // one of many is looked for
		}
		got, wrong := f.Clean(value)
		switch {
		case wrong == "":
		case field.Type == catalog.Reference && value != nil:
			return nil, &fault{field: t.field, message: clip(wrong)}
		default:
			got = value // it is no such value, so nothing has it
		}
		if id, isText := got.(string); isText && field.Ref == "target" {
			return v.ownKey(id), nil
		}
		return got, nil
	}
	var err error
	switch t.suffix {
	case "exact", "gt", "gte", "lt", "lte":
		t.value, err = one(t.value)
	case "in":
		list := slices.Clone(t.value.([]any))
		for i := range list {
			if list[i], err = one(list[i]); err != nil {
				return err
			}
		}
		t.value = list
	}
	return err
}

// fieldOf finds a field in any of the kinds; secret ones cannot be asked for.
func fieldOf(kinds []catalog.Kind, name string) (catalog.Field, bool) {
	for _, kind := range kinds {
		if f, ok := kind.Field(name); ok && !f.Secret {
			return f, true
		}
	}
	return catalog.Field{}, false
}

// hintsOf lists the values that a thing must have to pass all tests.
func hintsOf(tests []*test) []hint {
	var out []hint
	for _, t := range tests {
		if t.suffix == "exact" && t.next == nil && len(t.path) == 0 {
			if h, ok := hintOf(t.field, t.value); ok {
				out = append(out, h)
			}
		}
	}
	return out
}

// match tells whether a thing passes.
func (t *test) match(v *overlay, o Object) bool {
	got := o.Fields[t.field]
	if t.field == "pk" {
		got = keyValue(o)
	}
	if t.next != nil {
		for _, pk := range listOf(got) {
			if to, ok := v.Get(t.ref, keyString(pk)); ok && t.next.match(v, to) {
				return true
			}
		}
		return false
	}
	for _, key := range t.path {
		m, _ := got.(map[string]any)
		got = m[key]
	}
	return t.compare(got)
}

func (t *test) compare(got any) bool {
	switch t.suffix {
	case "exact":
		return t.equals(got)
	case "isnull":
		return (got == nil) == truth(t.value)
	case "in":
		return slices.ContainsFunc(t.value.([]any), func(v any) bool { return same(got, v) })
	case "gt", "gte", "lt", "lte":
		return t.ordered(got)
	case "contains":
		if _, isText := got.(string); !isText {
			return contains(got, t.value)
		}
	}
	text, ok := got.(string)
	if !ok {
		if got == nil || t.value == nil {
			return false
		}
		text = pyString(got)
	}
	want := pyString(t.value)
	suffix, folded := t.suffix, strings.HasPrefix(t.suffix, "i")
	if folded {
		suffix, text, want = suffix[1:], strings.ToLower(text), strings.ToLower(want)
	}
	switch suffix {
	case "exact":
		return text == want
	case "contains":
		return strings.Contains(text, want)
	case "startswith":
		return strings.HasPrefix(text, want)
	case "endswith":
		return strings.HasSuffix(text, want)
	}
	return t.pattern.MatchString(pyString(got))
}

func (t *test) equals(got any) bool {
	if t.within {
		if _, isMap := t.value.(map[string]any); isMap {
			return contains(got, t.value)
		}
	}
	if list, isList := got.([]any); isList {
		if _, both := t.value.([]any); !both {
			return slices.ContainsFunc(list, func(v any) bool { return same(v, t.value) })
		}
	}
	return same(got, t.value)
}

// ordered compares numbers with numbers and texts with texts.
func (t *test) ordered(got any) bool {
	order := 0
	a, isNumber := number(got)
	b, bothNumbers := number(t.value)
	s, isText := got.(string)
	w, bothTexts := t.value.(string)
	switch {
	case isNumber && bothNumbers && a != b:
		order = map[bool]int{true: -1, false: 1}[a < b]
	case isText && bothTexts:
		order = strings.Compare(s, w)
	case !isNumber || !bothNumbers:
		return false
	}
	switch t.suffix {
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

// contains is the containment of JSON: a mapping has all keys of the other, a
// list has all elements of the other.
func contains(whole, part any) bool {
	switch part := part.(type) {
	case map[string]any:
		m, ok := whole.(map[string]any)
		if !ok {
			return false
		}
		for key, v := range part {
			if w, there := m[key]; !there || !contains(w, v) {
				return false
			}
		}
		return true
	case []any:
		list, ok := whole.([]any)
		if !ok {
			return false
		}
		for _, v := range part {
			if !slices.ContainsFunc(list, func(w any) bool { return contains(w, v) }) {
				return false
			}
		}
		return true
	}
	if list, ok := whole.([]any); ok {
		return slices.ContainsFunc(list, func(w any) bool { return same(w, part) })
	}
	return same(whole, part)
}
