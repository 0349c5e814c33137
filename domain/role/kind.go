package role

import (
	"slices"

	"github.com/flowledger/flowledger/domain/catalog"
)

// Model is what blueprints call a role.
const Model = "authentik_rbac.role"

func init() {
	catalog.Register(catalog.Kind{
		Model: Model, Category: catalog.Role, Path: "rbac/roles", Name: "Role",
		Natural: [][]string{{"name"}},
		New:     func() any { return &Shape{} },
	})
}

// Shape is a role as blueprints and the admin API write it. The API has the
// permissions elsewhere.
type Shape struct {
	Name        string   `json:"name" catalog:"required,max=150"`
	Permissions []string `json:"permissions"`
}

// Validate implements [catalog.Validator].
func (r *Shape) Validate() catalog.Problems {
	var p catalog.Problems
	for _, name := range slices.Compact(slices.Sorted(slices.Values(r.Permissions))) {
		if _, ok := Lookup(name); !ok {
			p.Add("permissions", "There is no permission \"%s\".", cut(name))
		}
	}
	return p
}
