package blueprint

import (
	"maps"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// clean validates the data of an entry as the admin API would: partially for
// what exists, in full for what is new. Secret fields come back apart.
func (w *wish) clean(data map[string]any) (map[string]any, map[string]domain.Secret, error) {
	set, problems := w.kind.Clean(data, w.exists)
	for _, f := range w.kind.Fields() {
		if v, given := set[f.Name]; given && f.Type == catalog.Reference && v != nil {
			w.refer(f, set, &problems)
		}
	}
	// Rules across fields come second: they could not be told from values that
	// are no good by themselves.
	if err := serializerFault(problems); err != nil {
		return nil, nil, err
	}
	full := defaults(w.kind)
	if w.exists {
		full = maps.Clone(w.found.Fields)
	}
	maps.Copy(full, set)
	w.unique(set, full, &problems)
	w.circular(set, &problems)
	for name, sentences := range w.kind.Validate(full) {
		for _, sentence := range sentences {
			problems.Add(name, "%s", sentence)
		}
	}
	if err := serializerFault(problems); err != nil {
		return nil, nil, err
	}
	secrets := map[string]domain.Secret{}
	for _, f := range w.kind.Fields() {
		if v, given := set[f.Name]; given && f.Secret {
			delete(set, f.Name)
			if text, ok := v.(string); ok {
				secrets[f.Name] = domain.NewSecret(text)
			}
		}
	}
	return set, secrets, nil
}

// refer checks that references lead somewhere.
func (w *wish) refer(f catalog.Field, set map[string]any, problems *catalog.Problems) {
	list := slices.Clone(listOf(set[f.Name]))
	for i, v := range list {
		key := keyString(v)
		if f.Ref == "target" {
			key = w.run.things.ownKey(key)
			list[i] = key
		}
		if _, ok := w.run.things.Get(f.Ref, key); !ok {
			problems.Add(f.Name, `Invalid pk "%s" - object does not exist.`, pyString(v))
			return
		}
	}
	if f.Many {
		set[f.Name] = list
	} else {
		set[f.Name] = list[0]
	}
}

// unique checks the natural keys that the entry sets, and that there is one
// default brand.
func (w *wish) unique(set, full map[string]any, problems *catalog.Problems) {
	for _, fields := range w.kind.Natural {
		concerned := slices.ContainsFunc(fields, func(name string) bool { _, given := set[name]; return given })
		if !concerned || slices.ContainsFunc(fields, func(name string) bool { return full[name] == nil }) {
			continue
		}
		if !w.taken(fields, full) {
			continue
		}
		if len(fields) == 1 {
			label := strings.ReplaceAll(fields[0], "_", " ")
			problems.Add(fields[0], "%s with this %s already exists.", nameOf(w.kind), label)
		} else {
			problems.Add(catalog.NonField, "The fields %s must make a unique set.", strings.Join(fields, ", "))
		}
	}
	if w.kind.Model == object.BrandModel && set["default"] == true && w.taken([]string{"default"}, full) {
		problems.Add("default", "Only a single brand can be set as default.")
	}
}

// circular refuses groups that are part of themselves, by whatever way.
func (w *wish) circular(set map[string]any, problems *catalog.Problems) {
	if w.kind.Category != catalog.Group || !w.exists {
		return
	}
	seen := map[string]bool{}
	for above := slices.Clone(listOf(set["parents"])); len(above) > 0; above = above[1:] {
		key := keyString(above[0])
		if key == w.found.PK {
			problems.Add("parents", "Cannot set a group as parent that is below this one.")
			return
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		g, _ := w.run.things.Get(w.kind.Model, key)
		above = append(above, listOf(g.Fields["parents"])...)
	}
}

// taken tells whether another thing of the category has the same values.
func (w *wish) taken(fields []string, full map[string]any) bool {
	ref := string(w.kind.Category)
	if w.kind.Category == catalog.Setting {
		ref = w.kind.Model
	}
	var hints []hint
	for _, name := range fields {
		if h, ok := hintOf(name, full[name]); ok {
			hints = append(hints, h)
		}
	}
	_, found := w.run.things.first(ref, hints, func(o Object) bool {
		if w.exists && o.PK == w.found.PK {
			return false
		}
		return !slices.ContainsFunc(fields, func(name string) bool { return !same(o.Fields[name], full[name]) })
	})
	return found
}
