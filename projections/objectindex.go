package projections

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// An objectIndex is one state of all configured things. Its lists are replaced
// and never changed, so whoever has got one keeps it; its maps are changed in
// place.
type objectIndex struct {
	things     map[string]object.Thing
	slugs      map[string]string         // of flows, to their ids
	targets    map[string]string         // target ids to primary keys
	kinds      map[string][]object.Thing // by model name in lower case, by name
	categories map[catalog.Category][]object.Thing

	stageBindings  map[string][]object.Thing // by flow, in order
	policyBindings map[string][]object.Thing // by target as the binding has it, in order

	// referrers are the ids of what refers to a key, in no order. They are
	// changed in place.
	referrers map[string][]string
}

func newIndex() *objectIndex {
	return &objectIndex{
		things: map[string]object.Thing{}, slugs: map[string]string{}, targets: map[string]string{},
		kinds: map[string][]object.Thing{}, categories: map[catalog.Category][]object.Thing{},
		stageBindings: map[string][]object.Thing{}, policyBindings: map[string][]object.Thing{}, referrers: map[string][]string{},
	}
}

// A delta is what happens to one list: ids that leave it, and things that
// come, for a change is both.
type delta struct {
	gone  map[string]bool
	fresh []object.Thing
}

// deltas are what happens to the lists of one sort.
type deltas[K comparable] map[K]*delta

func (d deltas[K]) of(key K) *delta {
	if d[key] == nil {
		d[key] = &delta{gone: map[string]bool{}}
	}
	return d[key]
}

// carryOut replaces lists by what becomes of them. That costs as much as the
// lists are long, so many changes are better carried out at once.
func (d deltas[K]) carryOut(lists map[K][]object.Thing, order func(a, b object.Thing) int) {
	for key, change := range d {
		list := slices.DeleteFunc(slices.Clone(lists[key]), func(t object.Thing) bool { return change.gone[t.ID] })
		if list = merge(list, change.fresh, order); len(list) == 0 {
			delete(lists, key)
			continue
		}
		lists[key] = list
	}
}

// merge puts things into a list that stands in order.
func merge(list, fresh []object.Thing, order func(a, b object.Thing) int) []object.Thing {
	slices.SortFunc(fresh, order)
	out := make([]object.Thing, 0, len(list)+len(fresh))
	for _, t := range fresh {
		at, _ := slices.BinarySearchFunc(list, t, order)
		out = append(append(out, list[:at]...), t)
		list = list[at:]
	}
	return append(out, list...)
}

// replace makes things what they are now. Those that have no kind are gone.
func (x *objectIndex) replace(now []object.Thing) {
	kinds, categories := deltas[string]{}, deltas[catalog.Category]{}
	stages, policies := deltas[string]{}, deltas[string]{}
	for _, t := range now {
		if old, ok := x.things[t.ID]; ok {
			x.forget(old)
			kinds.of(modelOf(old)).gone[t.ID] = true
			categories.of(categoryOf(old)).gone[t.ID] = true
			if list := bindingsOf(old, stages, policies); list != nil {
				list.gone[t.ID] = true
			}
		}
		if t.Kind == "" {
			continue
		}
		x.note(t)
		kinds.of(modelOf(t)).add(t)
		categories.of(categoryOf(t)).add(t)
		if list := bindingsOf(t, stages, policies); list != nil {
			list.add(t)
		}
	}
	kinds.carryOut(x.kinds, byName)
	categories.carryOut(x.categories, byName)
	stages.carryOut(x.stageBindings, byOrder)
	policies.carryOut(x.policyBindings, byOrder)
}

func (d *delta) add(t object.Thing) { d.fresh = append(d.fresh, t) }

func modelOf(t object.Thing) string { return strings.ToLower(t.Kind) }

func categoryOf(t object.Thing) catalog.Category {
	kind, _ := catalog.Lookup(t.Kind)
	return kind.Category
}

// bindingsOf picks the list that a binding stands in; nil if it is none.
func bindingsOf(t object.Thing, stages, policies deltas[string]) *delta {
	switch t.Kind {
	case object.StageBindingModel:
		return stages.of(text(t, "target"))
	case object.PolicyBindingModel:
		return policies.of(text(t, "target"))
	}
	return nil
}

// note enters a thing into the maps.
func (x *objectIndex) note(t object.Thing) {
	x.things[t.ID] = t
	if t.Kind == object.FlowModel {
		x.slugs[text(t, "slug")] = t.ID
	}
	kind, ok := catalog.Lookup(t.Kind)
	if ok && kind.Match("target") {
		x.targets[catalog.TargetID(t.ID)] = t.ID
	}
	for key := range references(kind, t) {
		x.referrers[key] = append(x.referrers[key], t.ID)
	}
}

// forget takes a thing out of the maps.
func (x *objectIndex) forget(t object.Thing) {
	delete(x.things, t.ID)
	if slug := text(t, "slug"); t.Kind == object.FlowModel && x.slugs[slug] == t.ID {
		delete(x.slugs, slug)
	}
	kind, ok := catalog.Lookup(t.Kind)
	if ok && kind.Match("target") {
		delete(x.targets, catalog.TargetID(t.ID))
	}
	for key := range references(kind, t) {
		rest := slices.DeleteFunc(x.referrers[key], func(id string) bool { return id == t.ID })
		if x.referrers[key] = rest; len(rest) == 0 {
			delete(x.referrers, key)
		}
	}
}

// references are the keys that a thing refers to, as text, each once.
func references(kind catalog.Kind, t object.Thing) map[string]bool {
	keys := map[string]bool{}
	for _, f := range kind.Fields() {
		if f.Type != catalog.Reference {
			continue
		}
		many, ok := t.Fields[f.Name].([]any)
		if !ok {
			many = []any{t.Fields[f.Name]}
		}
		for _, one := range many {
			if key := keyText(one); key != "" {
				keys[key] = true
			}
		}
	}
	return keys
}

// keyText is a key as text: those of users are numbers.
func keyText(key any) string {
	switch key := key.(type) {
	case string:
		return key
	case float64:
		return strconv.FormatFloat(key, 'f', -1, 64)
	case int:
		return strconv.Itoa(key)
	}
	return ""
}

// byName orders as lists of a kind stand.
func byName(a, b object.Thing) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
}

// byOrder orders as bindings stand.
func byOrder(a, b object.Thing) int {
	return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(a.ID, b.ID))
}

func text(t object.Thing, field string) string {
	s, _ := t.Fields[field].(string)
	return s
}

func order(t object.Thing) float64 {
	switch n := t.Fields["order"].(type) {
	case float64:
		return n
	case json.Number:
		f, _ := n.Float64()
		return f
	}
	return 0
}
