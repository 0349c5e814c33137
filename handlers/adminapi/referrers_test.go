package adminapi_test

import (
	"slices"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// Named implements adminapi.Things.
func (v *views) Named(c catalog.Category, name string) []object.Thing {
	return slices.DeleteFunc(v.Category(c), func(t object.Thing) bool { return t.Name != name })
}

// Referrers implements adminapi.Bindings.
func (v *views) Referrers(key any) []object.Thing {
	return v.all(func(t object.Thing) bool {
		k, _ := catalog.Lookup(t.Kind)
		for _, f := range k.Fields() {
			many, ok := t.Fields[f.Name].([]any)
			if !ok {
				many = []any{t.Fields[f.Name]}
			}
			if f.Type == catalog.Reference && slices.ContainsFunc(many, func(one any) bool { return object.Equal(one, key) }) {
				return true
			}
		}
		return false
	})
}
