package policy

import (
	"cmp"
	"slices"
	"strings"
)

// someOf holds when one of its parts does.
type someOf []eventQuery

func (s someOf) holds(event map[string]any) bool {
	return slices.ContainsFunc(s, func(q eventQuery) bool { return q.holds(event) })
}

// allOf holds when all of its parts do.
type allOf []eventQuery

func (a allOf) holds(event map[string]any) bool {
	return !slices.ContainsFunc(a, func(q eventQuery) bool { return !q.holds(event) })
}

// A comparison looks at one value of the event. What is not there is None.
type comparison struct {
	path    []string
	op      string
	negated bool
	compare func(got, want any) bool
	values  []any // several for in
}

func (c comparison) holds(event map[string]any) bool {
	got := valueAt(event, c.path...)
	return slices.ContainsFunc(c.values, func(want any) bool { return c.compare(got, want) }) != c.negated
}

// comparisons are the ways to compare a value with what is wanted.
var comparisons = map[string]func(got, want any) bool{
	"=":          same,
	"in":         same,
	"!=":         func(got, want any) bool { return !same(got, want) },
	"~":          mentioned,
	"!~":         func(got, want any) bool { return !mentioned(got, want) },
	"startswith": func(got, want any) bool { return both(got, want, strings.HasPrefix) },
	"endswith":   func(got, want any) bool { return both(got, want, strings.HasSuffix) },
	">":          func(got, want any) bool { n, ok := ranked(got, want); return ok && n > 0 },
	">=":         func(got, want any) bool { n, ok := ranked(got, want); return ok && n >= 0 },
	"<":          func(got, want any) bool { n, ok := ranked(got, want); return ok && n < 0 },
	"<=":         func(got, want any) bool { n, ok := ranked(got, want); return ok && n <= 0 },
}

// textual are the comparisons with texts only.
var textual = map[string]bool{"~": true, "!~": true, "startswith": true, "endswith": true}

// same tells whether two values are equal. Maps and lists equal nothing.
func same(got, want any) bool {
	if n, ok := ranked(got, want); ok {
		return n == 0
	}
	flag, isFlag := got.(bool)
	wanted, wantsFlag := want.(bool)
	return got == nil && want == nil || isFlag && wantsFlag && flag == wanted
}

// mentioned tells whether a text contains another, in any case.
func mentioned(got, want any) bool {
	return both(got, want, func(a, b string) bool { return strings.Contains(strings.ToLower(a), strings.ToLower(b)) })
}

// both compares two texts. What is no text compares with none.
func both(got, want any, test func(a, b string) bool) bool {
	a, ok := got.(string)
	b, alsoOK := want.(string)
	return ok && alsoOK && test(a, b)
}

// float reads the numbers of JSON, and those that Go code puts in their place.
func float(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// ranked compares two texts or two numbers. Times are texts whose order is
// that of the times.
func ranked(got, want any) (int, bool) {
	if a, ok := got.(string); ok {
		b, ok := want.(string)
		return strings.Compare(a, b), ok
	}
	a, ok := float(got)
	b, alsoOK := float(want)
	return cmp.Compare(a, b), ok && alsoOK
}
