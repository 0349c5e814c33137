package blueprint

import (
	"slices"

	"github.com/flowledger/flowledger/domain/catalog"
)

// A shelf holds the primary keys of the things of one model. Without its index
// a file of thousands of entries would compare each with each.
type shelf struct {
	fields []string // those that are indexed: the parts of natural keys
	keys   []string
	index  map[hint][]string // what has a value, or had it once
}

// A hint says that a thing must have this value to match. The value is a text
// or a float64.
type hint struct {
	field string
	value any
}

// hintOf makes a hint of texts and numbers, and none of anything else.
func hintOf(field string, v any) (hint, bool) {
	if n, ok := number(v); ok {
		return hint{field, n}, true
	}
	text, ok := v.(string)
	return hint{field, text}, ok
}

func newShelf(kind catalog.Kind) *shelf {
	s := &shelf{index: map[hint][]string{}}
	for _, fields := range kind.Natural {
		s.fields = append(s.fields, fields...)
	}
	return s
}

// add puts a thing on the shelf.
func (s *shelf) add(o Object) {
	s.keys = append(s.keys, o.PK)
	s.note(o)
}

// note indexes what a thing has at the moment. What it had before stays: the
// index only narrows the search.
func (s *shelf) note(o Object) {
	for _, field := range s.fields {
		if h, ok := hintOf(field, o.Fields[field]); ok && !slices.Contains(s.index[h], o.PK) {
			s.index[h] = append(s.index[h], o.PK)
		}
	}
}

// candidates returns the keys of what can match all hints.
func (s *shelf) candidates(hints []hint) []string {
	best := s.keys
	for _, h := range hints {
		if slices.Contains(s.fields, h.field) && len(s.index[h]) < len(best) {
			best = s.index[h]
		}
	}
	return best
}

// has tells whether a thing has a value, or one of a list of values.
func has(o Object, h hint) bool {
	if h.field == "pk" {
		return same(keyValue(o), h.value)
	}
	return slices.ContainsFunc(listOf(o.Fields[h.field]), func(v any) bool { return same(v, h.value) })
}
