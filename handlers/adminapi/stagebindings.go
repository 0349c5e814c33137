package adminapi

import (
	"context"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// stageBindingPeculiarity: bindings show their stage, and policies are bound
// to them.
func stageBindingPeculiarity() peculiarity {
	return peculiarity{
		order:  []string{"target", "order"},
		search: []string{"stage__name"},
		derived: map[string]func(*view, object.Thing) any{
			"fsb_uuid": primaryKey,
			"pbm_uuid": targetKey,
			"stage__name": func(v *view, t object.Thing) any {
				stage, _ := v.s.Things.Thing(text(t, "stage"))
				return stage.Name
			},
			"policies": func(v *view, t object.Thing) any {
				out := []any{}
				for _, b := range v.s.Bindings.PolicyBindings(t.ID) {
					out = append(out, b.Fields["policy"])
				}
				return out
			},
		},
		adorn: func(_ context.Context, v *view, _ catalog.Kind, t object.Thing, out map[string]any) error {
			out["policybindingmodel_ptr_id"] = catalog.TargetID(t.ID)
			if stage, ok := v.s.Things.Thing(text(t, "stage")); ok {
				out["stage_obj"] = v.baseStage(stage)
			}
			return nil
		},
	}
}
