package blueprint

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain/catalog"
)

// LenientKey is a key of the context of an import. If its value is true, the
// faults of files that were converted to blueprints by hand are put right where
// it is clear what was meant (spec/blueprints.md 7.2). It is part of the
// context so that an import that a crash interrupts goes on as it began.
const LenientKey = "flowledger/lenient"

// relaxed is the document without such faults.
func (d *Document) relaxed() *Document {
	out := *d
	out.legacy, out.lenient, out.prompts = true, true, nil
	out.entries = slices.Clone(d.entries)
	for i := range out.entries {
		e := &out.entries[i]
		// An id that was written one level too deep.
		if id, ok := e.identifiers.values["id"].(string); ok {
			e.identifiers = e.identifiers.without("id")
			if e.id == "" {
				e.id = id
			}
		}
		// An entry that is to be found by what it will be itself.
		if t, ok := e.identifiers.values["pk"].(*tag); ok && t.name == "KeyOf" && t.text == e.id {
			e.identifiers = e.identifiers.without("pk")
		}
	}
	return &out
}

// without is the mapping less a key.
func (m *mapping) without(key string) *mapping {
	out := &mapping{keys: slices.Clone(m.keys), values: maps.Clone(m.values), lines: m.lines}
	out.keys = slices.DeleteFunc(out.keys, func(k string) bool { return k == key })
	delete(out.values, key)
	return out
}

// promptName names a prompt field of the time when these had no names: after
// the flow and the field's key, and where that is not enough by its number
// among those with the key.
func (d *Document) promptName(number int) string {
	if d.prompts == nil {
		d.prompts = map[int]string{}
		seen := map[string]int{}
		for i := range d.entries {
			e := &d.entries[i]
			model, _ := e.model.(string)
			key, isText := e.value("field_key").(string)
			if !strings.HasSuffix(canonical(model), ".prompt") || !isText || e.value("name") != nil {
				continue
			}
			name := d.firstSlug() + key
			if seen[key]++; seen[key] > 1 {
				name += "-" + strconv.Itoa(seen[key])
			}
			d.prompts[e.number] = name
		}
	}
	return d.prompts[number]
}

// value is what an entry says of a field.
func (e *entry) value(name string) any {
	if v, ok := e.identifiers.get(name); ok {
		return v
	}
	v, _ := e.attrs.get(name)
	return v
}

// unquoted halves the doubled apostrophes of an expression that makes sense
// only then.
func unquoted(kind catalog.Kind, data map[string]any) {
	text, ok := data["expression"].(string)
	if !ok || !strings.Contains(text, "''") {
		return
	}
	halved := strings.ReplaceAll(text, "''", "'")
	judge := func(text string) bool {
		return len(kind.Validate(mapsOver(kind.Defaults(), map[string]any{"expression": text}))["expression"]) == 0
	}
	if !judge(text) && judge(halved) {
		data["expression"] = halved
	}
}
