package adminapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
)

// mountPrompts adds what there is about prompts besides what they are.
func (s *Server) mountPrompts(r *mux.Router) {
	if s.Tester != nil {
		// It runs expressions that the caller writes, so it is not for readers.
		s.route(r, "stages/prompt/prompts/preview/", of("authentik_stages_prompt.prompt"), verbs{http.MethodPost: s.previewPrompt})
	}
}

// previewPrompt shows the challenge that a flow would show of a prompt that
// need not exist. Its name may be that of one that does.
func (s *Server) previewPrompt(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	k, _ := catalog.Lookup(stage.PromptModel)
	fields, problems := k.Clean(input, false)
	if err := problems.Err(); err != nil {
		return err
	}
	if err := k.ValidateNew(fields).Err(); err != nil {
		return err
	}
	config, err := k.Load(fields)
	if err != nil {
		return err
	}
	challenge, err := s.Tester.Preview(r.Context(), c, config.(*stage.Prompt))
	if fault, is := errors.AsType[*stage.ExpressionError](err); is {
		return invalid(catalog.NonField, cut(fault.Error()))
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, challenge)
}

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
