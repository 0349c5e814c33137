package adminapi

import (
	"context"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
)

// promptPeculiarity: prompts show the stages that ask for them.
func promptPeculiarity() peculiarity {
	return peculiarity{
		order:   []string{"name"},
		search:  []string{"name", "field_key", "label", "type", "placeholder"},
		derived: map[string]func(*view, object.Thing) any{"prompt_uuid": primaryKey},
		adorn: func(ctx context.Context, v *view, _ catalog.Kind, t object.Thing, out map[string]any) error {
			stages := []any{}
			for _, id := range v.users(t.ID, catalog.Stage, "fields") {
				stage, ok := v.s.Things.Thing(written(id))
				if !ok {
					continue
				}
				shown, err := v.show(ctx, stage)
				if err != nil {
					return err
				}
				stages = append(stages, shown)
			}
			out["prompt_stages_obj"] = stages
			return nil
		},
	}
}
