package stage_test

import (
	"testing"

	"github.com/flowledger/flowledger/domain/catalog"
	_ "github.com/flowledger/flowledger/domain/policy"
	_ "github.com/flowledger/flowledger/domain/role"
)

// TestKinds keeps what can be configured: blueprints and the admin API depend
// on every name and default.
func TestKinds(t *testing.T) {
	type field struct {
		Type     catalog.Type `json:"type"`
		Many     bool         `json:"many,omitempty"`
		Nullable bool         `json:"nullable,omitempty"`
		Required bool         `json:"required,omitempty"`
		Blank    bool         `json:"blank,omitempty"`
		Verbatim bool         `json:"verbatim,omitempty"`
		Slug     bool         `json:"slug,omitempty"`
		Secret   bool         `json:"secret,omitempty"`
		Ref      string       `json:"ref,omitempty"`
		Enum     []string     `json:"enum,omitempty"`
		Min      *int         `json:"min,omitempty"`
		Max      *int         `json:"max,omitempty"`
		Default  any          `json:"default"`
	}
	type kind struct {
		Category catalog.Category `json:"category"`
		Path     string           `json:"path"`
		Form     string           `json:"form,omitempty"`
		Name     string           `json:"name"`
		Plural   string           `json:"plural"`
		Key      string           `json:"key,omitempty"`
		Natural  [][]string       `json:"natural"`
		Fields   map[string]field `json:"fields"`
	}
	all := map[string]kind{}
	for _, k := range catalog.All() {
		defaults := k.Defaults()
		fields := map[string]field{}
		for _, f := range k.Fields() {
			fields[f.Name] = field{
				f.Type, f.Many, f.Nullable, f.Required, f.Blank, f.Verbatim, f.Slug, f.Secret, f.Ref, f.Enum, f.Min, f.Max, defaults[f.Name],
			}
			if _, problem := f.Clean(defaults[f.Name]); problem != "" && !f.Required {
				t.Errorf("%s: the default of %s is not valid: %s", k.Model, f.Name, problem)
			}
		}
		all[k.Model] = kind{k.Category, k.Path, k.Form, k.Name, k.Plural, k.Key, k.Natural, fields}
	}
	golden(t, "kinds.json", all)
}
