package adminapi

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// A selection picks and orders the things of a list.
type selection struct {
	v       *view
	p       peculiarity
	fields  map[string]catalog.Field // that may be filtered by
	filters []func(object.Thing) bool
	faults  catalog.Problems
}

// selectThings applies the query of a list to things. Only the given fields
// can be filtered by, and what the category derives.
func (v *view) selectThings(q url.Values, p peculiarity, fields []catalog.Field, things []object.Thing) ([]object.Thing, error) {
	s := &selection{v: v, p: p, fields: map[string]catalog.Field{}}
	for _, f := range fields {
		if !f.Secret {
			s.fields[f.Name] = f
		}
	}
	for name, values := range q {
		s.filter(name, slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" }))
	}
	s.search(q.Get("search"))
	if err := s.faults.Err(); err != nil {
		return nil, err
	}
	keys := s.keys(q.Get("ordering"))
	if ordered, ok := s.arranged(keys, things); ok {
		return s.kept(ordered), nil
	}
	kept := s.kept(things)
	s.order(keys, kept)
	return kept, nil
}

// kept are the things that pass all filters, in a list of their own.
func (s *selection) kept(things []object.Thing) []object.Thing {
	if len(s.filters) == 0 {
		return slices.Clone(things)
	}
	var kept []object.Thing
	for _, t := range things {
		if !slices.ContainsFunc(s.filters, func(keep func(object.Thing) bool) bool { return !keep(t) }) {
			kept = append(kept, t)
		}
	}
	return kept
}

// filter understands one parameter. Parameters that the list does not have
// are left alone, as the contract's server does.
func (s *selection) filter(name string, values []string) {
	if len(values) == 0 {
		return
	}
	of, wantsNull := strings.CutSuffix(name, "__isnull")
	derived := s.p.derived[of] != nil
	f, known := s.fields[of]
	switch {
	case !known && !derived:
	case wantsNull:
		if null := boolParam(url.Values{"v": values}, "v"); null != nil {
			s.filters = append(s.filters, func(t object.Thing) bool { return empty(s.v.value(s.p, t, of)) == *null })
		}
	case derived:
		s.typed(catalog.Field{Name: name, Type: derivedTypes[name]}, split(values))
	default:
		s.typed(f, values)
	}
}

// derivedTypes say what the names that categories derive stand for. Others are
// texts.
var derivedTypes = map[string]catalog.Type{
	"flow_uuid": catalog.Reference, "stage_uuid": catalog.Reference, "policy_uuid": catalog.Reference, "fsb_uuid": catalog.Reference,
	"pbm_uuid": catalog.Reference, "prompt_uuid": catalog.Reference, "brand_uuid": catalog.Reference, "policies": catalog.Reference,
	"target": catalog.Reference, "target_in": catalog.Reference,
	"created": catalog.Time, "last_updated": catalog.Time, "no_flows": catalog.Bool,
}

// typed filters by a field whose type says what its values look like.
func (s *selection) typed(f catalog.Field, values []string) {
	var wanted []string
	for _, text := range values {
		switch {
		case f.Type == catalog.Map:
			return
		case f.Type == catalog.Bool:
			b := boolParam(url.Values{"v": {text}}, "v")
			if b == nil {
				continue
			}
			text = strconv.FormatBool(*b)
		case len(f.Enum) > 0 && !slices.Contains(f.Enum, text):
			s.faults.Add(f.Name, "Select a valid choice. %s is not one of the available choices.", cut(text))
		case f.Type == catalog.Int || f.Type == catalog.Float || f.Ref == string(catalog.User):
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				s.faults.Add(f.Name, "Enter a number.")
			}
			text = written(n)
		case f.Type == catalog.Reference:
			id, err := uuid.Parse(text)
			if err != nil {
				s.faults.Add(f.Name, "“%s” is not a valid UUID.", cut(text))
			}
			text = id.String()
		case f.Type == catalog.Time:
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				s.faults.Add(f.Name, "Enter a valid date/time.")
			}
			text = stamp(at.Truncate(time.Microsecond))
		}
		wanted = append(wanted, text)
	}
	if len(wanted) > 0 {
		s.filters = append(s.filters, func(t object.Thing) bool { return matches(s.v.value(s.p, t, f.Name), wanted) })
	}
}

// split reads values of which each may be several, with commas between.
func split(values []string) []string {
	var out []string
	for _, text := range values {
		for part := range strings.SplitSeq(text, ",") {
			out = append(out, strings.TrimSpace(part))
		}
	}
	return out
}

// matches tells whether a value, or one of a list of values, is wanted.
// Identifiers may be in any case.
func matches(value any, wanted []string) bool {
	if many, ok := value.([]any); ok {
		return slices.ContainsFunc(many, func(one any) bool { return matches(one, wanted) })
	}
	return value != nil && slices.ContainsFunc(wanted, func(w string) bool {
		id, err := uuid.Parse(w)
		return w == written(value) || err == nil && id.String() == written(value)
	})
}

// empty tells what the contract's filters take for null: nothing, or a list of
// nothing.
func empty(value any) bool {
	many, ok := value.([]any)
	return value == nil || ok && len(many) == 0
}

// written is a value as a parameter would give it.
func written(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// maxWords is how many words of a search count.
const maxWords = 16

// search wants each word in one of the fields that are searched.
func (s *selection) search(text string) {
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(text, ",", " ")))
	for _, word := range words[:min(len(words), maxWords)] {
		s.filters = append(s.filters, func(t object.Thing) bool {
			return slices.ContainsFunc(s.p.search, func(name string) bool {
				return strings.Contains(strings.ToLower(written(s.v.value(s.p, t, name))), word)
			})
		})
	}
}

// keys are what a list is ordered by: what the client says, then as the
// category does.
func (s *selection) keys(ordering string) (keys []string) {
	for name := range strings.SplitSeq(ordering, ",") {
		plain := strings.TrimPrefix(strings.TrimSpace(name), "-")
		if _, known := s.fields[plain]; known || plain == "pk" || s.p.derived[plain] != nil {
			keys = append(keys, strings.TrimSpace(name))
		}
	}
	return append(keys, s.p.order...)
}

// order orders by some keys, then by primary key, so that pages never overlap. A list can be long, so each thing is looked into
// once and not each time that it is compared.
func (s *selection) order(keys []string, things []object.Thing) {
	type placed struct {
		thing object.Thing
		by    []place
	}
	all, places := make([]placed, len(things)), make([]place, len(things)*len(keys))
	descending := make([]bool, len(keys))
	for k, key := range keys {
		var plain string
		plain, descending[k] = strings.CutPrefix(key, "-")
		for i, t := range things {
			places[i*len(keys)+k] = placeOf(s.v.value(s.p, t, plain))
		}
	}
	for i, t := range things {
		all[i] = placed{t, places[i*len(keys) : (i+1)*len(keys)]}
	}
	slices.SortFunc(all, func(a, b placed) int {
		for k := range keys {
			n := a.by[k].compare(&b.by[k])
			if descending[k] {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return strings.Compare(a.thing.ID, b.thing.ID)
	})
	for i := range all {
		things[i] = all[i].thing
	}
}

// A place is a value as it is ordered: numbers among each other, and all else
// as it is written; null comes first.
type place struct {
	number   float64
	isNumber bool
	text     string
}

func placeOf(value any) place {
	n, ok := number(value)
	return place{n, ok, written(value)}
}

func (p *place) compare(other *place) int {
	if p.isNumber && other.isNumber {
		return cmp.Compare(p.number, other.number)
	}
	return strings.Compare(p.text, other.text)
}

// number reads the numbers that JSON values and cleaned ones have.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
